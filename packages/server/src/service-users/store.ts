import { type Insertable, type SqlBool, sql, type Updateable } from 'kysely';
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
  /** Not used since, or never and created before. */
  unusedSinceMs?: number | undefined;
}

const selectServiceUsers = (db: Executor, { tenantId, name, unusedSinceMs }: ServiceUserFilter) => {
  let query = db.selectFrom('service_users').where('tenant_id', '=', tenantId);
  if (name !== undefined) query = query.where('name', '=', name);
  if (unusedSinceMs !== undefined)
    query = query.where(({ eb, fn }) => eb(fn.coalesce('last_used_at', 'created_at'), '<', unusedSinceMs));
  return query;
};

export function listServiceUsers(db: Executor, filter: ServiceUserFilter, window: { limit: number; offset: number }) {
  let query = selectServiceUsers(db, filter).selectAll();
  if (filter.afterName !== undefined) query = query.where('name', '>', filter.afterName);
  return query.orderBy('name').limit(window.limit).offset(window.offset).execute();
}

export async function countServiceUsers(db: Executor, filter: ServiceUserFilter): Promise<number> {
  const row = await selectServiceUsers(db, filter)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

/** Those with a text in their name or description, letters folded as the database does; undefined: all. */
const selectFound = (db: Executor, tenantId: string, text: string | undefined) => {
  const query = db.selectFrom('service_users').where('tenant_id', '=', tenantId);
  if (text === undefined || text === '') return query;
  const wanted = sql<string>`lower(${sql.val(text)})`;
  const has = (column: 'name' | 'description') => {
    const folded = sql<string>`lower(coalesce(${sql.ref(column)}, ''))`;
    return sql<SqlBool>`replace(${folded}, ${wanted}, '') <> ${folded}`;
  };
  return query.where(({ or }) => or([has('name'), has('description')]));
};

/** By name. */
export const findServiceUsers = (
  db: Executor,
  { tenantId, text }: { tenantId: string; text: string | undefined },
  window: { limit: number; offset: number },
) => selectFound(db, tenantId, text).selectAll().orderBy('name').limit(window.limit).offset(window.offset).execute();

/** How many they are. */
export async function countFoundServiceUsers(
  db: Executor,
  { tenantId, text }: { tenantId: string; text: string | undefined },
): Promise<number> {
  const query = selectFound(db, tenantId, text).select(({ fn }) => fn.countAll<number>().as('total'));
  return Number((await query.executeTakeFirstOrThrow()).total);
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

/** The keys that work now of the next `size` service users of a tenant by name, and the last name if there may be more. */
export async function listWorkingKeys(
  db: Executor,
  { tenantId, afterName, nowMs }: { tenantId: string; afterName: string | undefined; nowMs: number },
  size: number,
) {
  let query = db.selectFrom('service_users').select(['id', 'name']).where('tenant_id', '=', tenantId);
  if (afterName !== undefined) query = query.where('name', '>', afterName);
  const users = await query.orderBy('name').limit(size).execute();
  const ids = users.map((user) => user.id);
  const keys = await db
    .selectFrom('api_keys as k')
    .innerJoin('service_users as s', 's.id', 'k.service_user_id')
    .select(['k.id', 'k.created_at', 'k.expires_at', 's.id as service_user_id', 's.name as service_user_name'])
    .select(['s.role', 's.expires_at as service_user_expires_at'])
    .where('k.service_user_id', 'in', ids.length > 0 ? ids : [''])
    .where('k.revoked_at', 'is', null)
    .whereRef('k.epoch', '=', 's.epoch')
    .where('s.active', '=', 1)
    .where(({ eb, or }) => or([eb('k.expires_at', 'is', null), eb('k.expires_at', '>', nowMs)]))
    .where(({ eb, or }) => or([eb('s.expires_at', 'is', null), eb('s.expires_at', '>', nowMs)]))
    .orderBy('s.name')
    .orderBy('k.created_at')
    .execute();
  return { keys, lastName: users.length < size ? undefined : users.at(-1)?.name };
}
