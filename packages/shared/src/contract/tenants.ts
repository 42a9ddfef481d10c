import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { ById, label, Page, text, time, uuid } from './fields.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What people type for a tenant; where they may as well give its id, the two must not be mistaken for each other. */
const name = label.check(z.refine((value) => !UUID.test(value), 'must not look like an id'));

export const Tenant = z.object({
  id: uuid,
  name: z.string(),
  description: z.nullable(z.string()),
  created_at: time,
});
export type Tenant = z.output<typeof Tenant>;

export const CreateTenant = z.strictObject({ name, description: z.optional(z.nullable(text)) });
export type CreateTenant = z.input<typeof CreateTenant>;

/** `default_catalog` is the catalog a tenant begins with, by name. */
export const CreatedTenant = z.extend(Tenant, { default_catalog: z.string() });
export type CreatedTenant = z.output<typeof CreatedTenant>;

export const UpdateTenant = z.strictObject({ name: z.optional(name), description: z.optional(z.nullable(text)) });
export type UpdateTenant = z.input<typeof UpdateTenant>;

export const TenantPage = z.strictObject({ ...Page.shape, name: z.optional(label) });
export type TenantPage = z.output<typeof TenantPage>;

const tag = 'Tenants';
const path = '/api/v1/tenants';

export const tenantsApi = {
  list: endpoint({
    method: 'get',
    path,
    summary: 'List tenants (root)',
    tag,
    access: 'credential',
    query: TenantPage,
    status: 200,
    answer: z.array(Tenant),
  }),
  create: endpoint({
    method: 'post',
    path,
    summary: 'Create a tenant and its first catalog (root)',
    tag,
    access: 'credential',
    body: CreateTenant,
    status: 201,
    refusals: [409],
    answer: CreatedTenant,
  }),
  get: endpoint({
    method: 'get',
    path: `${path}/{id}`,
    summary: 'Show a tenant (root)',
    tag,
    access: 'credential',
    params: ById,
    status: 200,
    answer: Tenant,
  }),
  update: endpoint({
    method: 'put',
    path: `${path}/{id}`,
    summary: 'Change a tenant (root)',
    tag,
    access: 'credential',
    params: ById,
    body: UpdateTenant,
    status: 200,
    refusals: [409],
    answer: Tenant,
  }),
  delete: endpoint({
    method: 'delete',
    path: `${path}/{id}`,
    summary: 'Delete a tenant and every credential in it (root)',
    tag,
    access: 'credential',
    params: ById,
    status: 204,
    refusals: [409],
    answer: null,
  }),
};
