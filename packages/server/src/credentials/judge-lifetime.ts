import type { Role } from '@pangolin/shared/contract/roles';
import type { TokenKind } from '@pangolin/shared/contract/tokens';
import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import { DEFAULT_SETTINGS, type LifetimeSettings, type Limits, limitsFor } from '../settings/limits.ts';
import { DAY_MS, HOUR_MS, NEVER_MS } from '../times.ts';
import type { LimitsState } from './store.ts';

interface Lifetime {
  role: Role;
  createdAtMs: number;
  /** Null: it does not end by itself. */
  endMs: number | null;
}

/** Lowering a maximum refuses the longer-lived tokens from that moment, and what was obtained with them. */
export function judgeTokenLifetime(kind: TokenKind, { role, createdAtMs, endMs }: Lifetime, state: LimitsState): void {
  if (kind === 'session') {
    const hours = state.session_hours ?? DEFAULT_SETTINGS.session_hours;
    if (endMs !== null && endMs - createdAtMs <= hours * HOUR_MS) return;
    throw tokenRefused(`The login lasts longer than the policy now allows (${hours} hours).`, 'Log in again.');
  }
  const limits = readLimits(role, state);
  if (endMs === null || endMs === NEVER_MS) {
    if (limits.allow_non_expiring_tokens) return;
    throw tokenRefused('The token never expires, which the policy does not allow any more.', MINT_SHORTER);
  }
  if (endMs - createdAtMs <= limits.max_token_days * DAY_MS) return;
  throw tokenRefused(
    `The token lives longer than the policy now allows (${limits.max_token_days} days).`,
    MINT_SHORTER,
  );
}

/** The same for a key, by its service user's role; `code` is what is refused: the key, or a token obtained with it. */
export function judgeKeyLifetime(
  { role, createdAtMs, endMs }: Lifetime,
  state: LimitsState,
  code: 'api_key_lifetime_refused' | 'token_lifetime_refused',
): void {
  const { max_key_days: days } = readLimits(role, state);
  if (days === null || (endMs !== null && endMs - createdAtMs <= days * DAY_MS)) return;
  const what = code === 'api_key_lifetime_refused' ? 'The API key' : 'The API key this token was obtained with';
  const lives = endMs === null ? 'never expires' : 'lives longer than that';
  throw refused(
    code,
    `${what} ${lives}, and the policy now allows ${days} days.`,
    'Ask an administrator for a new one: pangolin-admin rotate-service-user-key',
  );
}

function readLimits(role: Role, state: LimitsState): Limits {
  const settings: LifetimeSettings = {
    ...DEFAULT_SETTINGS,
    max_token_days: state.max_token_days ?? DEFAULT_SETTINGS.max_token_days,
    max_key_days: state.max_key_days,
    allow_non_expiring_tokens: state.allow_non_expiring_tokens === 1,
    role_limits: state.role_limits === null || state.role_limits === '{}' ? {} : JSON.parse(state.role_limits),
  };
  return limitsFor(role, settings);
}

const MINT_SHORTER = 'Mint a shorter one: pangolin-user get-token';

const refused = (code: ErrorCode, message: string, hint: string) => new PangolinError(code, message, { hint });
const tokenRefused = (message: string, hint: string) => refused('token_lifetime_refused', message, hint);
