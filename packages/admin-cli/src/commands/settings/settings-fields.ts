import type { FieldValue } from '@pangolin/shared/cli';
import type { Settings } from '@pangolin/shared/contract';

/** The fields of the settings, as `update-settings` takes them; limits of a role as `tenant-admin.max_token_days=30`. */
export const settingsFields = (settings: Settings): Record<string, FieldValue> => ({
  default_token_days: settings.default_token_days,
  max_token_days: settings.max_token_days,
  default_key_days: settings.default_key_days ?? 'none',
  max_key_days: settings.max_key_days ?? 'none',
  max_tokens_per_user: settings.max_tokens_per_user ?? 'unlimited',
  allow_non_expiring_tokens: settings.allow_non_expiring_tokens,
  session_hours: settings.session_hours,
  role_limits: Object.entries(settings.role_limits ?? {}).flatMap(([role, limits]) =>
    Object.entries(limits ?? {}).map(([field, days]) => `${role}.${field}=${days}`),
  ),
  allowed_networks: settings.allowed_networks?.length ? settings.allowed_networks : 'any',
  allowed_token_durations: settings.allowed_token_durations?.length ? settings.allowed_token_durations : 'any',
});
