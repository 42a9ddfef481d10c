import { type FromWire, fromWire } from '../client/camel-case.ts';
import type { WireSource } from '../client/resources/wire-source.ts';
import type { Token } from '../contract/index.ts';
import { PangolinError } from '../errors.ts';
import { readExpiryDate } from './expiry-date.ts';

/** A token as it is listed, which can be revoked. */
export interface PersonalAccessToken extends FromWire<Token> {
  /** Revokes it, and everything obtained with it. Sends `POST /api/v1/auth/revoke/{id}`. Throws `not_found`. */
  revoke(reason?: string): Promise<void>;
}

export interface GenerateOptions {
  name: string;
  description?: string;
  /** `dd/MM/yyyy`: the token works until the end of that day. Left out: the maximum the policy allows. */
  expiryDate?: string;
  /** IANA name of the time zone the day is meant in; the system's when left out. */
  timezone?: string;
}

/** Personal access tokens. Every method also throws the `network_…` codes and 401's. */
export interface PersonalAccessTokens {
  /**
   * Mints a token and answers its text, this once. Sends `POST /api/v1/tokens`.
   * Throws `invalid_argument` (no such date, a past one, no such time zone) and `policy_refused` (too late a date, too many
   * tokens); a refused date comes with the range that is accepted.
   */
  generate(options: GenerateOptions): Promise<string>;
  /** The longest a token may live, in days. Sends `GET /api/v1/config/settings`, or asks what the server tells everybody. */
  maximumAllowedTokenDuration(): Promise<number>;
  /** One's own personal access tokens, all of them. Sends `GET /api/v1/users/me/tokens`. */
  list(): Promise<PersonalAccessToken[]>;
  /** One token by its id, not its name. Sends `GET /api/v1/tokens/{id}`. Throws `not_found`, `invalid_request`. */
  get(id: string): Promise<PersonalAccessToken>;
}

export function createPersonalAccessTokens(connect: WireSource, now: () => number): PersonalAccessTokens {
  const withRevoke = (token: Token): PersonalAccessToken => ({
    ...fromWire(token),
    async revoke(reason) {
      const { tokens } = await connect();
      await tokens.revoke(token.id, reason);
    },
  });

  async function readMaxDays(create: boolean): Promise<number> {
    const { settings, app } = await connect({ create });
    try {
      return (await settings.get()).max_token_days;
    } catch (error) {
      if (!(error instanceof PangolinError) || error.status !== 403) throw error;
      return (await app.config()).token_policy.max_days;
    }
  }

  return {
    async generate({ name, description, expiryDate, timezone }) {
      const maxDays = await readMaxDays(true);
      const lifetime =
        expiryDate === undefined
          ? { expires_in_days: maxDays }
          : { expires_at: readExpiryDate(expiryDate, { nowMs: now(), maxDays, timezone }).toISOString() };
      const { tokens } = await connect();
      const issued = await tokens.create({ name, ...(description === undefined ? {} : { description }), ...lifetime });
      return issued.token;
    },
    maximumAllowedTokenDuration: () => readMaxDays(false),
    async list() {
      const { tokens } = await connect();
      return (await tokens.list({ all: true })).filter(({ kind }) => kind === 'personal').map(withRevoke);
    },
    async get(id) {
      const { tokens } = await connect();
      return withRevoke(await tokens.get(id));
    },
  };
}
