import type { IssuedApiKey } from '@pangolin/shared/contract/service-users';
import { PangolinError } from '@pangolin/shared/errors';
import type { Limits } from '../settings/limits.ts';
import { DAY_MS, formatTime, wholeSecond } from '../times.ts';

/** When a new key ends, and why then. */
interface KeyExpiry {
  /** What is written with the key; null: it ends with its service user, or never. */
  ownMs: number | null;
  /** When it ends in effect; null: never. */
  endMs: number | null;
  source: IssuedApiKey['expiry_source'];
}

/**
 * Decides when a new key ends: when it was asked to, else by the policy's default, in any case with its service user.
 * Never shortens what was asked for: throws `policy_refused` naming the limit.
 */
export function readKeyExpiry(
  { askedMs, serviceUserEndMs }: { askedMs: number | null; serviceUserEndMs: number | null },
  limits: Limits,
  nowMs: number,
): KeyExpiry {
  const now = wholeSecond(nowMs);
  if (askedMs !== null) {
    if (limits.max_key_days !== null && askedMs > now + limits.max_key_days * DAY_MS)
      throw keyTooLong(limits.max_key_days, now);
    return { ownMs: askedMs, endMs: askedMs, source: 'requested' };
  }
  const { default_key_days: days } = limits;
  const defaultMs = days === null ? null : now + days * DAY_MS;
  if (serviceUserEndMs !== null && (defaultMs === null || serviceUserEndMs <= defaultMs))
    return { ownMs: defaultMs, endMs: serviceUserEndMs, source: 'service_user' };
  return { ownMs: defaultMs, endMs: defaultMs, source: defaultMs === null ? null : 'policy_default' };
}

/**
 * Refuses a new end of a service user that would let one of its keys live longer than the policy allows: the key would be
 * refused from then on. Throws `policy_refused`.
 */
export function refuseKeysBeyond(
  keys: readonly { id: string; created_at: number; expires_at: number | null }[],
  serviceUser: { id: string; endMs: number | null },
  { max_key_days: days }: Limits,
): void {
  if (days === null) return;
  const isTooLong = (end: number | null, createdAtMs: number) => end === null || end - createdAtMs > days * DAY_MS;
  const beyond = keys.find(
    ({ expires_at, created_at }) => isTooLong(expires_at, created_at) && isTooLong(serviceUser.endMs, created_at),
  );
  if (!beyond) return;
  const longest = formatTime(wholeSecond(beyond.created_at + days * DAY_MS));
  throw new PangolinError(
    'policy_refused',
    `API keys live ${days} days at most here; the key ${beyond.id} would live longer than until ${longest}.`,
    { hint: `Give it a new key first: pangolin-admin rotate-service-user-key --id ${serviceUser.id}` },
  );
}

const keyTooLong = (days: number, now: number) =>
  new PangolinError(
    'policy_refused',
    `API keys live ${days} days at most here; the latest expiry now is ${formatTime(now + days * DAY_MS)}.`,
    { hint: `Ask for at most that: --expires-in-days ${days}` },
  );
