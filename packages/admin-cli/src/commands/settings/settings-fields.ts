import type { FieldValue } from '@pangolin/shared/cli';
import type { Settings } from '@pangolin/shared/contract';

/** The fields of the settings, as `update-settings` takes them. */
export const settingsFields = (settings: Settings): Record<string, FieldValue> => ({
  default_token_days: settings.default_token_days,
  max_token_days: settings.max_token_days,
  max_tokens_per_user: settings.max_tokens_per_user ?? 'unlimited',
  session_hours: settings.session_hours,
});
