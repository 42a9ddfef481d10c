import * as z from 'zod/mini';
import { TOKEN_DURATION_NAMES } from './durations.ts';
import { endpoint } from './endpoint.ts';
import { time, uuid } from './fields.ts';
import { MAX_NETWORKS, readNetwork } from './networks.ts';

const whole = (minimum: number, maximum: number) =>
  z.int('must be a whole number').check(z.minimum(minimum), z.maximum(maximum));

const days = whole(1, 3650);

/** A CIDR block or one address, IPv4 or IPv6; the answer is always a block, in one spelling. */
const network = z.pipe(
  z.pipe(
    z.string().check(
      z.maxLength(64),
      z.meta({
        anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }, { pattern: '^[0-9A-Fa-f:.]+/[0-9]{1,3}$' }],
        examples: ['10.0.0.0/8'],
      }),
    ),
    z.transform((text, context) => {
      const read = readNetwork(text);
      if ('network' in read) return read.network;
      context.issues.push({ code: 'custom', message: read.problem, input: text });
      return z.NEVER;
    }),
  ),
  z.string(),
);

/** From where credentials are accepted; an empty list means from everywhere. */
export const networks = z.array(network).check(z.maxLength(MAX_NETWORKS));

/** By which of DataHub's durations its `createAccessToken` may be asked for tokens; an empty list means all of them. */
const durations = z.array(z.enum(TOKEN_DURATION_NAMES)).check(z.maxLength(TOKEN_DURATION_NAMES.length));

const limits = {
  default_token_days: z.optional(days),
  max_token_days: z.optional(days),
  default_key_days: z.optional(days),
  max_key_days: z.optional(days),
};

/** What differs for a role. Where the tenant has a limit too, the stricter counts. */
export const RoleLimits = z.strictObject(limits);
export type RoleLimits = z.output<typeof RoleLimits>;

/**
 * Limits of a tenant. `max_tokens_per_user: null` is unlimited; expired and revoked tokens do not count. Keys of service
 * users have no limit and no default lifetime where these are null; with a maximum alone, that is the default as well.
 * Tokens without expiry, where they are allowed, are not bound by `max_token_days`; a role with a maximum of its own gets
 * none. `allowed_token_durations` is what DataHub's API offers, within these limits; other ways do not choose from a list.
 */
export const Settings = z.object({
  default_token_days: days,
  max_token_days: days,
  default_key_days: z.nullable(days),
  max_key_days: z.nullable(days),
  max_tokens_per_user: z.nullable(whole(1, 1_000_000)),
  allow_non_expiring_tokens: z.boolean(),
  session_hours: whole(1, 8760),
  role_limits: z.strictObject({
    'tenant-user': z.optional(RoleLimits),
    'tenant-admin': z.optional(RoleLimits),
    root: z.optional(RoleLimits),
  }),
  allowed_networks: z.array(z.string()),
  allowed_token_durations: durations,
});
export type Settings = z.output<typeof Settings>;

/** Null takes a limit, or all of a role's, away; what is not named stays. */
const UpdateRoleLimits = z.nullable(
  z.strictObject({
    default_token_days: z.optional(z.nullable(days)),
    max_token_days: z.optional(z.nullable(days)),
    default_key_days: z.optional(z.nullable(days)),
    max_key_days: z.optional(z.nullable(days)),
  }),
);

/** What is not named stays as it is; lists are replaced whole. */
export const UpdateSettings = z.strictObject({
  default_token_days: z.optional(days),
  max_token_days: z.optional(days),
  default_key_days: z.optional(Settings.shape.default_key_days),
  max_key_days: z.optional(Settings.shape.max_key_days),
  max_tokens_per_user: z.optional(Settings.shape.max_tokens_per_user),
  allow_non_expiring_tokens: z.optional(z.boolean()),
  session_hours: z.optional(Settings.shape.session_hours),
  role_limits: z.optional(
    z.strictObject({
      'tenant-user': z.optional(UpdateRoleLimits),
      'tenant-admin': z.optional(UpdateRoleLimits),
      root: z.optional(UpdateRoleLimits),
    }),
  ),
  allowed_networks: z.optional(networks),
  allowed_token_durations: z.optional(durations),
});
export type UpdateSettings = z.input<typeof UpdateSettings>;

/**
 * What holds from now on and what did `before`. `affected_tokens` and `affected_keys` are the good ones that the new limits
 * refuse: at most 1,000 of each are listed; `affected_count` (of tokens) and `affected_key_count` are exact.
 */
export const SettingsChange = z.extend(Settings, {
  before: Settings,
  dry_run: z.boolean(),
  affected_count: z.int(),
  affected_tokens: z.array(
    z.object({ id: uuid, username: z.string(), name: z.nullable(z.string()), expires_at: z.nullable(time) }),
  ),
  affected_key_count: z.int(),
  affected_keys: z.array(
    z.object({
      id: z.string(),
      preview: z.string(),
      service_user_id: uuid,
      service_user_name: z.string(),
      created_at: time,
      expires_at: z.nullable(time),
    }),
  ),
});
export type SettingsChange = z.output<typeof SettingsChange>;

const tag = 'Settings';
const path = '/api/v1/config/settings';

export const settingsApi = {
  get: endpoint({
    method: 'get',
    path,
    summary: "Show the tenant's limits",
    tag,
    access: 'credential',
    status: 200,
    answer: Settings,
  }),
  update: endpoint({
    method: 'put',
    path,
    summary: "Change the tenant's limits; `dry_run=true` only tells which tokens and keys would be refused",
    tag,
    access: 'credential',
    query: z.strictObject({ dry_run: z._default(z.enum(['true', 'false']), 'false') }),
    body: UpdateSettings,
    status: 200,
    refusals: [409, 422],
    answer: SettingsChange,
  }),
};
