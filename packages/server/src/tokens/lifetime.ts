import type { CreateToken } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import { endOf, type PresentedCredential } from '../credentials/caller.ts';
import { tokenExpired } from '../credentials/read-token.ts';
import type { Limits } from '../settings/limits.ts';
import { DAY_MS, formatTime, HOUR_MS, MINUTE_MS, NEVER_MS, wholeSecond } from '../times.ts';

/** When a new token expires (`NEVER_MS`: it does not), and why then. */
export interface Expiry {
  expiresAtMs: number;
  source: 'requested' | 'policy_default' | 'parent_credential';
}

type Asked = Pick<CreateToken, 'expires_in_days' | 'expires_in_hours' | 'expires_in_minutes' | 'expires_at'>;

/** Whether what is minted with this credential lives and dies with it; an interactive login is no such limit. */
export const isParent = ({ type }: PresentedCredential): boolean =>
  type !== 'session' && type !== 'owner' && type !== 'none';

/**
 * Decides when a token expires: as asked, else the policy's default or what remains of the caller's own credential.
 * Never shortens what was asked for: throws `policy_refused` naming the limit, or `invalid_request`.
 */
export function readExpiry(asked: Asked, limits: Limits, credential: PresentedCredential, nowMs: number): Expiry {
  const now = wholeSecond(nowMs);
  const longestMs = now + limits.max_token_days * DAY_MS;
  const parentMs = isParent(credential) ? endOf(credential) : null;
  // In the minute that is allowed for clocks that differ: what it would mint were dead already.
  if (parentMs !== null && parentMs <= now) throw tokenExpired();
  const requestedMs = readRequested(asked, now);
  if (requestedMs !== undefined) {
    if (requestedMs === NEVER_MS) refuseEndless(limits);
    else refuseTooLong(requestedMs, longestMs, limits);
    if (parentMs !== null && requestedMs > parentMs) {
      throw new PangolinError(
        'policy_refused',
        `A token cannot outlive the credential it is minted with, which ends at ${formatTime(wholeSecond(parentMs))}.`,
        {
          hint: 'Ask for less, or mint it after an interactive login: pangolin-user login',
        },
      );
    }
    return { expiresAtMs: requestedMs, source: 'requested' };
  }
  const defaultMs = now + limits.default_token_days * DAY_MS;
  if (parentMs === null || defaultMs <= parentMs) return { expiresAtMs: defaultMs, source: 'policy_default' };
  return { expiresAtMs: wholeSecond(parentMs), source: 'parent_credential' };
}

function readRequested(asked: Asked, now: number): number | undefined {
  const given = Object.entries(asked).filter(([, value]) => value !== undefined);
  if (given.length > 1) {
    throw new PangolinError('invalid_request', `Give one of ${given.map(([name]) => name).join(', ')}, not several.`);
  }
  const { expires_in_days: days, expires_in_hours: hours, expires_in_minutes: minutes, expires_at: at } = asked;
  if (days !== undefined) return now + days * DAY_MS;
  if (hours !== undefined) return now + hours * HOUR_MS;
  if (minutes !== undefined) return now + minutes * MINUTE_MS;
  if (at === undefined) return undefined;
  if (at === null) return NEVER_MS;
  const atMs = wholeSecond(Date.parse(at));
  if (atMs > now) return atMs;
  throw new PangolinError('invalid_request', "The field 'expires_at' must be in the future.", {
    fields: [{ field: 'expires_at', message: 'must be in the future' }],
  });
}

function refuseTooLong(requestedMs: number, longestMs: number, { max_token_days: days }: Limits): void {
  if (requestedMs <= longestMs) return;
  throw new PangolinError(
    'policy_refused',
    `Tokens live ${days} days at most here (max_token_days); the latest expiry now is ${formatTime(longestMs)}.`,
    { hint: `Ask for at most that: --expires-in ${days} (create-access-token: --duration P${days}D)` },
  );
}

function refuseEndless({ allow_non_expiring_tokens: isAllowed, max_token_days: days }: Limits): void {
  if (isAllowed) return;
  throw new PangolinError(
    'policy_refused',
    `Tokens without expiry are not allowed here (allow_non_expiring_tokens); they live ${days} days at most.`,
    { hint: `Ask for at most that: --expires-in ${days} (create-access-token: --duration P${days}D)` },
  );
}
