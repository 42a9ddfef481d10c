import type { CreateServiceUser, CreateToken, Me, RotateKey } from '../contract/index.ts';
import { PangolinError } from '../errors.ts';
import { type Caller, segment } from './call-server.ts';
import type { ConnectOptions } from './connect-types.ts';
import { kebabRole } from './original-answers.ts';
import { ForeignError } from './read-answer.ts';
import { readJwtClaims } from './read-jwt.ts';

const HOUR_MS = 3_600_000;

export interface OriginalServerOptions {
  caller: Caller;
  onNotice: ConnectOptions['onNotice'];
  now(): number;
  /** The tenant that was chosen for every request. */
  tenantId?: string | undefined;
}

/** What it takes to talk to an original Pangolin server (0.8), which refuses request fields it does not know. */
export interface OriginalServer {
  /**
   * Tries our own request and, only when a stranger's error comes back and the server turns out to be an original one,
   * the other. Costs our own server nothing.
   */
  speak<T>(ours: () => Promise<T>, original: () => Promise<T>): Promise<T>;
  /** Asks the server once: an original one answers `app/config` without `features`. */
  isOriginal(): Promise<boolean>;
  createToken(input: CreateToken): Promise<{ token: string }>;
  createServiceUser(input: CreateServiceUser): Promise<{ api_key: string }>;
  rotateKey(id: string, input: RotateKey): Promise<{ api_key: string }>;
  revoke(path: string, reason: string | undefined): Promise<{ message?: string }>;
}

/**
 * Speaks the dialect of http-api.md, "Talking to an original Pangolin server". A request that would lose a restriction
 * (scopes, a lower role, a shorter lifetime, a grace period) is refused with `invalid_argument`; what only loses a remark
 * (a name, a description, a reason) is told through `onNotice`.
 */
export function createOriginalServer({ caller, onNotice, now, tenantId }: OriginalServerOptions): OriginalServer {
  let recognised: Promise<boolean> | undefined;
  let known = false;

  async function isOriginal(): Promise<boolean> {
    recognised ??= caller.call<unknown>('GET', '/api/v1/app/config').then(
      (config) => config !== null && typeof config === 'object' && !('features' in config),
      () => false,
    );
    known = await recognised;
    return known;
  }

  const cannot = (what: string, instead: string) =>
    new PangolinError('invalid_argument', `${caller.server} is an original Pangolin server: it cannot ${what}`, {
      hint: instead,
    });

  function tellLost(fields: Record<string, unknown>) {
    const lost = Object.keys(fields).filter((name) => fields[name] !== undefined);
    if (lost.length === 0) return;
    onNotice(`${caller.server} is an original Pangolin server: it does not keep ${lost.join(', ')}`, 'original');
  }

  async function readOwner(input: CreateToken): Promise<{ tenant_id: string; username: string }> {
    const { authorization } = await caller.authorize();
    const claims = readJwtClaims(authorization?.replace(/^Bearer /, '') ?? '');
    const username = input.username ?? claims.username;
    const tenant = input.tenant_id ?? tenantId ?? claims.tenant_id;
    if (username !== undefined && tenant !== undefined) return { tenant_id: tenant, username };
    const me = await caller.call<Me>('GET', '/api/v1/users/me');
    return { tenant_id: tenant ?? me.tenant_id, username: username ?? me.username };
  }

  function hoursOf(input: CreateToken): number {
    if (input.expires_in_hours !== undefined) return input.expires_in_hours;
    if (input.expires_in_days !== undefined) return input.expires_in_days * 24;
    if (input.expires_at === null) throw cannot('mint a token without expiry', 'Say for how long: --expires-in 90d');
    const untilMs =
      input.expires_in_minutes !== undefined
        ? input.expires_in_minutes * 60_000
        : input.expires_at && Date.parse(input.expires_at) - now();
    if (untilMs === undefined || untilMs === '') {
      onNotice(`${caller.server} is an original Pangolin server: the token is asked for 90 days`, 'original');
      return 90 * 24;
    }
    // Rounding up would let the token live longer than was asked for.
    const hours = Math.floor(untilMs / HOUR_MS);
    if (hours < 1 || (input.expires_in_minutes !== undefined && hours * 60 !== input.expires_in_minutes)) {
      throw cannot('mint a token for less than whole hours', 'Ask for whole hours: --expires-in 1h');
    }
    return hours;
  }

  function daysOf(input: CreateServiceUser): number | undefined {
    if (input.expires_at === undefined) return input.expires_in_days;
    const days = Math.floor((Date.parse(input.expires_at) - now()) / (24 * HOUR_MS));
    if (days < 1) throw cannot('expire a service user in less than a day', 'Give --expires-in-days 1 or more');
    return days;
  }

  return {
    isOriginal,

    async speak(ours, original) {
      if (known) return original();
      try {
        return await ours();
      } catch (error) {
        // A refusal changed nothing; after a failure nobody knows, and the request is not repeated.
        const refused = error instanceof ForeignError && error.answeredStatus < 500;
        if (refused && (await isOriginal())) return original();
        throw error;
      }
    },

    async createToken(input) {
      if (input.scopes?.length)
        throw cannot('narrow a token with scopes', 'Mint it without --scope, or ask for an upgrade');
      if (input.roles !== undefined) throw cannot('mint a token with another role', 'Log in as a user with that role');
      if (input.user_id !== undefined) throw cannot('mint a token by user id', 'Name the user by username');
      const body = { ...(await readOwner(input)), expires_in_hours: hoursOf(input) };
      tellLost({ name: input.name, description: input.description });
      return caller.call('POST', '/api/v1/tokens', body, { token: 'secret' });
    },

    async createServiceUser(input) {
      if (input.scopes?.length) throw cannot('narrow a service user with scopes', 'Create it without --scope');
      const days = daysOf(input);
      const body = {
        name: input.name,
        ...(input.description === undefined ? {} : { description: input.description }),
        role: kebabRole(String(input.role ?? 'tenant-user')),
        ...(days === undefined ? {} : { expires_in_days: days }),
      };
      return caller.call('POST', '/api/v1/service-users', body, { api_key: 'secret' });
    },

    async rotateKey(id, input) {
      if (input.grace_hours) {
        throw cannot('keep the old key for a grace period', 'Rotate without --grace; the old key then stops at once');
      }
      if (input.expires_in_days !== undefined) {
        throw cannot('change the lifetime when it rotates a key', 'Rotate without --expires-in-days');
      }
      tellLost({ 'the expected key (two rotations at once are not told apart)': input.expected_key_id });
      return caller.call('POST', `/api/v1/service-users/${segment(id)}/rotate`, {}, { api_key: 'secret' });
    },

    async revoke(path, reason) {
      tellLost({ 'the reason of a revocation': reason });
      return caller.tell('POST', path, {});
    },
  };
}
