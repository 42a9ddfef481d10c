import type { Insertable } from 'kysely';
import type { Executor, TenantsTable } from '../store/schema.ts';

export type TenantRow = NonNullable<Awaited<ReturnType<typeof findTenant>>>;
/** What of a tenant can be changed. */
export interface TenantChange {
  name?: string;
  description?: string | null;
}

const selectTenants = (db: Executor) =>
  db.selectFrom('tenants').select(['id', 'name', 'description', 'created_at']).where('deleted_at', 'is', null);

export const insertTenant = (db: Executor, row: Insertable<TenantsTable>) =>
  db.insertInto('tenants').values(row).execute();

export const findTenant = (db: Executor, id: string) => selectTenants(db).where('id', '=', id).executeTakeFirst();

export const findTenantByName = (db: Executor, name: string) =>
  selectTenants(db).where('name', '=', name).executeTakeFirst();

export const findDeletedTenant = (db: Executor, id: string) =>
  db.selectFrom('tenants').select('id').where('id', '=', id).where('deleted_at', 'is not', null).executeTakeFirst();

export interface TenantFilter {
  name?: string | undefined;
  afterName?: string | undefined;
}

export function listTenants(db: Executor, filter: TenantFilter, window: { limit: number; offset: number }) {
  let query = selectTenants(db);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.afterName !== undefined) query = query.where('name', '>', filter.afterName);
  return query.orderBy('name').limit(window.limit).offset(window.offset).execute();
}

export async function countTenants(db: Executor, filter: TenantFilter): Promise<number> {
  let query = db.selectFrom('tenants').where('deleted_at', 'is', null);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  const row = await query.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return Number(row.total);
}

export const updateTenantRow = (db: Executor, id: string, change: TenantChange) =>
  db.updateTable('tenants').set(change).where('id', '=', id).execute();

/** The row stays, for other rows refer to it and its audit events outlive it; its name is free again. */
export const markTenantDeleted = (db: Executor, id: string, atMs: number) =>
  db.updateTable('tenants').set({ name: id, description: null, deleted_at: atMs }).where('id', '=', id).execute();

/** Some of a tenant's catalogs that have namespaces, and so perhaps tables. */
export const listCatalogsInUse = (db: Executor, tenantId: string, limit: number) =>
  db
    .selectFrom('catalogs as c')
    .select('c.name')
    .where('c.tenant_id', '=', tenantId)
    .where(({ exists, selectFrom }) =>
      exists(selectFrom('namespaces as n').select('n.id').whereRef('n.catalog_id', '=', 'c.id')),
    )
    .orderBy('c.name')
    .limit(limit)
    .execute();

/** Who in a tenant may act in others. */
export async function listRootsOf(db: Executor, tenantId: string) {
  const rootsIn = (table: 'users' | 'service_users') =>
    db.selectFrom(table).select('id').where('tenant_id', '=', tenantId).where('role', '=', 'root').execute();
  const users = await rootsIn('users');
  const serviceUsers = await rootsIn('service_users');
  return [
    ...users.map(({ id }) => ({ id, kind: 'user' as const })),
    ...serviceUsers.map(({ id }) => ({ id, kind: 'service_user' as const })),
  ];
}

/** What a tenant holds, besides its settings and the API keys of its service users. */
const REMAINS = ['tokens', 'users', 'service_users', 'grants', 'catalogs'] as const;

/** Removes some rows of a deleted tenant; answers whether there may be more. */
export async function removeRemains(db: Executor, tenantId: string, limit: number): Promise<boolean> {
  for (const table of REMAINS) {
    const rows = db.selectFrom(table).select(`${table}.id`).where(`${table}.tenant_id`, '=', tenantId).limit(limit);
    // Two statements must mean the same ones; the index has them in this order.
    const first = table === 'service_users' ? rows.orderBy('service_users.name') : rows;
    if (table === 'service_users') await db.deleteFrom('api_keys').where('service_user_id', 'in', first).execute();
    const { numDeletedRows } = await db.deleteFrom(table).where('id', 'in', first).executeTakeFirstOrThrow();
    if (numDeletedRows > 0n) return true;
  }
  await db.deleteFrom('settings').where('tenant_id', '=', tenantId).execute();
  return false;
}

/** Deleted tenants of which something is left, because a server stopped before it was done. */
export const listUnfinishedTenants = (db: Executor) =>
  db
    .selectFrom('tenants as d')
    .select('d.id')
    .where('d.deleted_at', 'is not', null)
    .where(({ or, exists, selectFrom }) =>
      or(
        [...REMAINS, 'settings' as const].map((table) =>
          exists(selectFrom(table).select(`${table}.tenant_id`).whereRef(`${table}.tenant_id`, '=', 'd.id')),
        ),
      ),
    )
    .execute();
