import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { anyText, atMostOne, ById, days, label, Page, text, time, unusedForDays, uuid } from './fields.ts';
import { role } from './roles.ts';
import { scopes } from './scopes.ts';
import { networks } from './settings.ts';

export const CreateServiceUser = z
  .strictObject({
    name: label,
    description: z.optional(text),
    role: z._default(role, 'tenant-user'),
    /** At most one of the two; none means the service user does not expire, and its key by the policy's default. */
    expires_in_days: z.optional(days),
    expires_at: z.optional(time),
    scopes: z.optional(scopes),
    /** From where its credentials are accepted, within what the tenant allows; none means from everywhere. */
    allowed_networks: z.optional(networks),
  })
  .check(atMostOne(['expires_in_days', 'expires_at']));
export type CreateServiceUser = z.input<typeof CreateServiceUser>;

/** A key as it is listed: `preview` is its public part. */
export const ApiKey = z.object({
  id: z.string(),
  preview: z.string(),
  created_at: time,
  expires_at: z.nullable(time),
  last_used: z.nullable(time),
});
export type ApiKey = z.output<typeof ApiKey>;

/** `keys` are the ones that work now, newest first: one, or several while a rotation overlaps. */
export const ServiceUser = z.object({
  id: uuid,
  name: z.string(),
  description: z.nullable(z.string()),
  tenant_id: uuid,
  role,
  scopes: z.array(z.string()),
  active: z.boolean(),
  created_at: time,
  created_by: z.nullable(z.string()),
  expires_at: z.nullable(time),
  allowed_networks: z.array(z.string()),
  last_used: z.nullable(time),
  last_used_ip: z.nullable(z.string()),
  last_used_client: z.nullable(z.string()),
  keys: z.array(ApiKey),
});
export type ServiceUser = z.output<typeof ServiceUser>;

/** Why a key expires when it does; null where it does not. */
export const KEY_EXPIRY_SOURCES = ['requested', 'policy_default', 'service_user'] as const;

/** A service user with a new key; `api_key` is the secret, shown this once, `key_id` its public id, `expires_at` its end. */
export const IssuedApiKey = z.object({
  id: uuid,
  name: z.string(),
  description: z.nullable(z.string()),
  tenant_id: uuid,
  role,
  scopes: z.array(z.string()),
  api_key: z.string(),
  key_id: z.string(),
  created_at: time,
  created_by: z.nullable(z.string()),
  expires_at: z.nullable(time),
  expiry_source: z.nullable(z.enum(KEY_EXPIRY_SOURCES)),
  active: z.boolean(),
});
export type IssuedApiKey = z.output<typeof IssuedApiKey>;

/** `expires_at: null` takes an expiry away; `allowed_networks` replaces the whole list. */
export const UpdateServiceUser = z.strictObject({
  name: z.optional(label),
  description: z.optional(z.nullable(text)),
  active: z.optional(z.boolean()),
  role: z.optional(role),
  expires_at: z.optional(z.nullable(time)),
  allowed_networks: z.optional(networks),
});
export type UpdateServiceUser = z.input<typeof UpdateServiceUser>;

/** How long the old key keeps working, in hours: 0 (it stops with the answer) to 168. */
export const RotateKey = z.strictObject({
  grace_hours: z._default(z.number().check(z.minimum(0), z.maximum(168)), 0),
  expires_in_days: z.optional(days),
  /** The key the caller means to replace; another current key is a conflict. */
  expected_key_id: z.optional(anyText(0, 64)),
});
export type RotateKey = z.input<typeof RotateKey>;

/** `unused_for_days` filters by last use, or creation where there was none. */
export const ServiceUserPage = z.strictObject({
  ...Page.shape,
  name: z.optional(label),
  unused_for_days: z.optional(unusedForDays),
});
export type ServiceUserPage = z.output<typeof ServiceUserPage>;

const tag = 'Service users';
const path = '/api/v1/service-users';

export const serviceUsersApi = {
  list: endpoint({
    method: 'get',
    path,
    summary: 'List service users',
    tag,
    access: 'credential',
    query: ServiceUserPage,
    status: 200,
    answer: z.array(ServiceUser),
  }),
  create: endpoint({
    method: 'post',
    path,
    summary: 'Create a service user and its first key',
    tag,
    access: 'credential',
    body: CreateServiceUser,
    status: 201,
    refusals: [409, 422],
    answer: IssuedApiKey,
  }),
  get: endpoint({
    method: 'get',
    path: `${path}/{id}`,
    summary: 'Show a service user',
    tag,
    access: 'credential',
    params: ById,
    status: 200,
    answer: ServiceUser,
  }),
  update: endpoint({
    method: 'put',
    path: `${path}/{id}`,
    summary: 'Change a service user',
    tag,
    access: 'credential',
    params: ById,
    body: UpdateServiceUser,
    status: 200,
    refusals: [409, 422],
    answer: ServiceUser,
  }),
  delete: endpoint({
    method: 'delete',
    path: `${path}/{id}`,
    summary: 'Delete a service user and everything it obtained',
    tag,
    access: 'credential',
    params: ById,
    status: 204,
    answer: null,
  }),
  rotate: endpoint({
    method: 'post',
    path: `${path}/{id}/rotate`,
    summary: "Replace a service user's key",
    tag,
    access: 'credential',
    params: ById,
    body: RotateKey,
    bodyOptional: true,
    status: 200,
    refusals: [409, 422],
    answer: IssuedApiKey,
  }),
};
