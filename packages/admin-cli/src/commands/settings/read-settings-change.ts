import { PangolinError } from '@pangolin/shared/cli';
import type { Role, TokenDuration, UpdateSettings } from '@pangolin/shared/contract';

interface Lifetimes {
  defaultTokenDays?: number | 'none';
  maxTokenDays?: number | 'none';
  defaultKeyDays?: number | 'none';
  maxKeyDays?: number | 'none';
}

interface SettingsOptions extends Lifetimes {
  role?: Role;
  maxTokensPerUser?: number | 'unlimited';
  allowNonExpiringTokens?: boolean;
  sessionHours?: number;
  allowNetwork?: string[];
  allowAnyNetwork?: true;
  allowTokenDuration?: TokenDuration[];
  allowAnyTokenDuration?: true;
}

/** Reads what a command line changes, in the fields of the wire. Throws `invalid_argument`. */
export function readSettingsChange(options: SettingsOptions): UpdateSettings {
  const tenantWide = readTenantWide(options);
  const lifetimes = readLifetimes(options);
  if (Object.keys(tenantWide).length + Object.keys(lifetimes).length === 0) {
    throw new PangolinError('invalid_argument', 'Nothing to change.', {
      hint: 'See what can be: pangolin-admin update-settings --help',
    });
  }
  if (options.role === undefined) return { ...tenantWide, ...withTokenDays(lifetimes) };
  if (Object.keys(tenantWide).length > 0) {
    const [first = ''] = Object.keys(tenantWide);
    throw new PangolinError('invalid_argument', `${FLAGS[first] ?? first} is the whole tenant's, not a role's.`, {
      hint: 'Change it in a command of its own, without --role.',
    });
  }
  return { role_limits: { [options.role]: lifetimes } };
}

type WireLifetimes = ReturnType<typeof readLifetimes>;

/** Null takes a limit away. */
function readLifetimes({ defaultTokenDays, maxTokenDays, defaultKeyDays, maxKeyDays }: Lifetimes) {
  const days = (value: number | 'none') => (value === 'none' ? null : value);
  return {
    ...(defaultTokenDays !== undefined && { default_token_days: days(defaultTokenDays) }),
    ...(maxTokenDays !== undefined && { max_token_days: days(maxTokenDays) }),
    ...(defaultKeyDays !== undefined && { default_key_days: days(defaultKeyDays) }),
    ...(maxKeyDays !== undefined && { max_key_days: days(maxKeyDays) }),
  };
}

/** A tenant always has these two; a role may go without. */
function withTokenDays({ default_token_days, max_token_days, ...keys }: WireLifetimes): UpdateSettings {
  for (const [flag, value] of [
    ['--default-token-days', default_token_days],
    ['--max-token-days', max_token_days],
  ] as const) {
    if (value !== null) continue;
    throw new PangolinError('invalid_argument', `${flag} none is for a role; the tenant always has one.`, {
      hint: 'Give a number of days, or name the role with --role.',
    });
  }
  return {
    ...keys,
    ...(typeof default_token_days === 'number' && { default_token_days }),
    ...(typeof max_token_days === 'number' && { max_token_days }),
  };
}

function readTenantWide(options: SettingsOptions): UpdateSettings {
  const { maxTokensPerUser, allowNonExpiringTokens, sessionHours, allowNetwork, allowAnyNetwork } = options;
  const networks = allowAnyNetwork ? [] : allowNetwork;
  const durations = options.allowAnyTokenDuration ? [] : options.allowTokenDuration;
  return {
    ...(maxTokensPerUser !== undefined && {
      max_tokens_per_user: maxTokensPerUser === 'unlimited' ? null : maxTokensPerUser,
    }),
    ...(allowNonExpiringTokens !== undefined && { allow_non_expiring_tokens: allowNonExpiringTokens }),
    ...(sessionHours !== undefined && { session_hours: sessionHours }),
    ...(networks !== undefined && { allowed_networks: networks }),
    ...(durations !== undefined && { allowed_token_durations: durations }),
  };
}

const FLAGS: Record<string, string> = {
  max_tokens_per_user: '--max-tokens-per-user',
  allow_non_expiring_tokens: '--allow-non-expiring-tokens',
  session_hours: '--session-hours',
  allowed_networks: 'The list of networks',
  allowed_token_durations: 'The list of durations',
};
