import {
  readIsoDuration,
  TOKEN_DURATION_NAMES,
  TOKEN_DURATIONS,
  type TokenDuration,
} from '@pangolin/shared/contract/durations';
import type { Role } from '@pangolin/shared/contract/roles';
import type { Settings } from '@pangolin/shared/contract/settings';
import { limitsFor } from '../settings/limits.ts';
import { DAY_MS } from '../times.ts';
import { badRequest } from './errors.ts';

/** The two ways in which a duration is asked for; exactly one of them, and blank text is none, as DataHub has it. */
export interface AskedDuration {
  duration?: TokenDuration | null;
  durationIso?: string | null;
}

/** Which of DataHub's durations a token of a role may be asked for in a tenant. */
export function listOffered(settings: Settings, role: Role): TokenDuration[] {
  const { allowed_token_durations: listed } = settings;
  const { max_token_days: days, allow_non_expiring_tokens: mayStay } = limitsFor(role, settings);
  return TOKEN_DURATION_NAMES.filter((name) => {
    const ms = lengthOf(name);
    return (listed.length === 0 || listed.includes(name)) && (ms === null ? mayStay : ms <= days * DAY_MS);
  });
}

/**
 * How long a token shall live, in milliseconds; null: for ever. Throws `invalid_request`, naming the setting that forbids it
 * and what would be accepted.
 */
export function readDuration(asked: AskedDuration, settings: Settings, role: Role): number | null {
  const ms = readLength(asked);
  const text = asked.duration ?? asked.durationIso;
  const limits = limitsFor(role, settings);
  const { allowed_token_durations: listed } = settings;
  const offered = listOffered(settings, role);
  const accepted = offered.length === 0 ? 'Nothing is accepted.' : `Accepted: ${offered.join(', ')}`;
  if (ms === null && !limits.allow_non_expiring_tokens)
    throw badRequest(`Tokens without expiry are not allowed here (allow_non_expiring_tokens is off). ${accepted}.`);
  if (ms !== null && ms > limits.max_token_days * DAY_MS) {
    const longest = listed.length === 0 ? `, or a durationIso of at most P${limits.max_token_days}D` : '';
    throw badRequest(
      `${text} is longer than tokens may live here (max_token_days is ${limits.max_token_days}). ${accepted}${longest}.`,
    );
  }
  if (listed.length > 0 && !listed.some((name) => lengthOf(name) === ms))
    throw badRequest(`${text} is not among the durations of this tenant (allowed_token_durations). ${accepted}.`);
  return ms;
}

function readLength({ duration, durationIso }: AskedDuration): number | null {
  const hasName = typeof duration === 'string';
  const hasIso = typeof durationIso === 'string' && durationIso.trim() !== '';
  if (hasName === hasIso) {
    throw badRequest(
      `Give exactly one of duration (${TOKEN_DURATION_NAMES.join(', ')}) and durationIso (ISO 8601, such as P30D).`,
    );
  }
  if (hasName) return lengthOf(duration);
  const ms = readIsoDuration(durationIso ?? '');
  if (ms !== undefined) return ms;
  throw badRequest('durationIso must be an ISO 8601 duration of whole numbers, such as PT12H, P30D, P3M or P1Y.');
}

const lengthOf = (name: TokenDuration): number | null => {
  const iso = TOKEN_DURATIONS[name];
  return iso === null ? null : (readIsoDuration(iso) ?? null);
};
