import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { time, uuid } from './fields.ts';

const whole = (minimum: number, maximum: number) =>
  z.int('must be a whole number').check(z.minimum(minimum), z.maximum(maximum));

/** Limits of a tenant. `max_tokens_per_user: null` is unlimited; expired and revoked tokens do not count. */
export const Settings = z.object({
  default_token_days: whole(1, 3650),
  max_token_days: whole(1, 3650),
  max_tokens_per_user: z.nullable(whole(1, 1_000_000)),
  session_hours: whole(1, 8760),
});
export type Settings = z.output<typeof Settings>;

export const UpdateSettings = z.strictObject({
  default_token_days: z.optional(Settings.shape.default_token_days),
  max_token_days: z.optional(Settings.shape.max_token_days),
  max_tokens_per_user: z.optional(Settings.shape.max_tokens_per_user),
  session_hours: z.optional(Settings.shape.session_hours),
});
export type UpdateSettings = z.input<typeof UpdateSettings>;

/** `affected_tokens` are the valid ones that the new limits refuse (at most 1,000 are listed; the count is exact). */
export const SettingsChange = z.extend(Settings, {
  dry_run: z.boolean(),
  affected_count: z.int(),
  affected_tokens: z.array(
    z.object({ id: uuid, username: z.string(), name: z.nullable(z.string()), expires_at: time }),
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
    summary: "Change the tenant's limits; `dry_run=true` only tells which tokens would be refused",
    tag,
    access: 'credential',
    query: z.strictObject({ dry_run: z._default(z.enum(['true', 'false']), 'false') }),
    body: UpdateSettings,
    status: 200,
    answer: SettingsChange,
  }),
};
