import type { Insertable, Updateable } from 'kysely';
import type { ApiKeysTable, Executor, ServiceUsersTable } from '../store/schema.ts';

export type ServiceUserRow = NonNullable<Awaited<ReturnType<typeof findServiceUser>>>;
/** What of a service user can be changed. */
export type ServiceUserChange = Updateable<ServiceUsersTable>;
export type ApiKeyRow = Awaited<ReturnType<typeof listKeys>>[number];

export const insertServiceUser = (db: Executor, row: Insertable<ServiceUsersTable>) =>
  db.insertInto('service_users').values(row).execute();

export const findServiceUser = (db: Executor, tenantId: string, id: string) =>
  db.selectFrom('service_users').selectAll().where('id', '=', id).where('tenant_id', '=', tenantId).executeTakeFirst();

export const findServiceUserByName = (db: Executor, tenantId: string, name: string) =>
  db
    .selectFrom('service_users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .executeTakeFirst();

export interface ServiceUserFilter {
  tenantId: string;
  name?: string | undefined;
  afterName?: string | undefined;
}

export function listServiceUsers(db: Executor, filter: ServiceUserFilter, window: { limit: number; offset: number }) {
  let query = db.selectFrom('service_users').selectAll().where('tenant_id', '=', filter.tenantId);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.afterName !== undefined) query = query.where('name', '>', filter.afterName);
  return query.orderBy('name').limit(window.limit).offset(window.offset).execute();
}

export async function countServiceUsers(db: Executor, filter: ServiceUserFilter): Promise<number> {
  let query = db.selectFrom('service_users').where('tenant_id', '=', filter.tenantId);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  const row = await query.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return Number(row.total);
}

export const updateServiceUserRow = (db: Executor, id: string, change: ServiceUserChange) =>
  db.updateTable('service_users').set(change).where('id', '=', id).execute();

export async function deleteServiceUserRow(db: Executor, id: string): Promise<void> {
  await db.deleteFrom('api_keys').where('service_user_id', '=', id).execute();
  await db.deleteFrom('service_users').where('id', '=', id).execute();
}

export const insertKey = (db: Executor, row: Insertable<ApiKeysTable>) =>
  db.insertInto('api_keys').values(row).execute();

/** The keys of some service users that were not revoked, newest first. */
export const listKeys = (db: Executor, serviceUserIds: readonly string[]) =>
  db
    .selectFrom('api_keys')
    .selectAll()
    .where('service_user_id', 'in', serviceUserIds.length > 0 ? serviceUserIds : [''])
    .where('revoked_at', 'is', null)
    .orderBy('created_at', 'desc')
    .execute();

export const revokeKeys = (db: Executor, serviceUserId: string, atMs: number) =>
  db
    .updateTable('api_keys')
    .set({ revoked_at: atMs })
    .where('service_user_id', '=', serviceUserId)
    .where('revoked_at', 'is', null)
    .execute();

export const setKeyExpiry = (db: Executor, id: string, expiresAtMs: number) =>
  db.updateTable('api_keys').set({ expires_at: expiresAtMs }).where('id', '=', id).execute();
