import * as z from 'zod/mini';

/** What is kept of a server under a name; no secrets. */
export const Profile = z.object({
  url: z.string(),
  username: z.optional(z.string()),
  tenant_id: z.optional(z.string()),
  ca_file: z.optional(z.string()),
  insecure_http: z.optional(z.boolean()),
});
export type Profile = z.output<typeof Profile>;

export const SettingsFile = z.object({
  current: z.optional(z.string()),
  profiles: z._default(z.record(z.string(), Profile), {}),
});
