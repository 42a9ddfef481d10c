import { type Column, type FieldValue, formatTime } from '@pangolin/shared/cli';
import type { Tenant } from '@pangolin/shared/contract';

/** The columns of a list of tenants. */
export const TENANT_COLUMNS: Column<Tenant>[] = [
  { title: 'ID', value: (tenant) => tenant.id },
  { title: 'NAME', value: (tenant) => tenant.name, flexible: true },
  { title: 'CREATED', value: (tenant) => tenant.created_at, terminal: (tenant) => formatTime(tenant.created_at) },
  { title: 'DESCRIPTION', value: (tenant) => tenant.description, flexible: true },
];

/** The fields of one tenant. */
export const tenantFields = (tenant: Tenant): Record<string, FieldValue> => ({
  id: tenant.id,
  name: tenant.name,
  description: tenant.description,
  created_at: tenant.created_at,
});
