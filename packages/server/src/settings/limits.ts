import { ROLES, type Role } from '@pangolin/shared/contract/roles';
import type { Settings } from '@pangolin/shared/contract/settings';

/** What holds in a tenant that has never changed its settings. */
export const DEFAULT_SETTINGS: Settings = {
  default_token_days: 90,
  max_token_days: 365,
  default_key_days: null,
  max_key_days: null,
  max_tokens_per_user: null,
  allow_non_expiring_tokens: false,
  session_hours: 12,
  role_limits: {},
  allowed_networks: [],
  allowed_token_durations: [],
};

/** Lifetimes as they are for one role; null is no limit, or no default. */
export interface Limits {
  default_token_days: number;
  max_token_days: number;
  default_key_days: number | null;
  max_key_days: number | null;
  allow_non_expiring_tokens: boolean;
}

/** The part of the settings that lifetimes depend on. */
export type LifetimeSettings = Pick<Settings, keyof Limits | 'role_limits'>;

/** The stricter of the tenant's and the role's own limits. A role with a maximum of its own has no tokens without expiry. */
export function limitsFor(role: Role, settings: LifetimeSettings): Limits {
  const own = settings.role_limits[role] ?? {};
  const max_token_days = Math.min(settings.max_token_days, own.max_token_days ?? settings.max_token_days);
  const max_key_days = stricter(settings.max_key_days, own.max_key_days);
  return {
    max_token_days,
    max_key_days,
    default_token_days: Math.min(settings.default_token_days, own.default_token_days ?? max_token_days, max_token_days),
    // A key that lives longer than the maximum would be refused: where there is one, it is the default as well.
    default_key_days: stricter(stricter(settings.default_key_days, own.default_key_days), max_key_days),
    allow_non_expiring_tokens: settings.allow_non_expiring_tokens && own.max_token_days === undefined,
  };
}

/** Whether some credential may be refused by the one that was good by the other. */
export const isStricter = (after: Settings, before: Settings): boolean =>
  after.session_hours < before.session_hours ||
  ROLES.some((role) => {
    const [now, then] = [limitsFor(role, before), limitsFor(role, after)];
    return (
      then.max_token_days < now.max_token_days ||
      (then.max_key_days ?? Number.POSITIVE_INFINITY) < (now.max_key_days ?? Number.POSITIVE_INFINITY) ||
      (now.allow_non_expiring_tokens && !then.allow_non_expiring_tokens)
    );
  });

const stricter = (a: number | null, b: number | null | undefined): number | null =>
  a === null ? (b ?? null) : Math.min(a, b ?? a);
