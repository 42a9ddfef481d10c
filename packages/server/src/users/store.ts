import type { Insertable, Updateable } from 'kysely';
import type { Executor, UsersTable } from '../store/schema.ts';

export type UserRow = NonNullable<Awaited<ReturnType<typeof findUser>>>;
/** What of a user can be changed. */
export type UserChange = Updateable<UsersTable>;

export const insertUser = (db: Executor, row: Insertable<UsersTable>) => db.insertInto('users').values(row).execute();

export const findUser = (db: Executor, tenantId: string, id: string) =>
  db
    .selectFrom('users')
    .selectAll()
    .where('id', '=', id)
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'user')
    .executeTakeFirst();

export const findUserByName = (db: Executor, tenantId: string, username: string) =>
  db
    .selectFrom('users')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'user')
    .where('username', '=', username)
    .executeTakeFirst();

export interface UserFilter {
  tenantId: string;
  username?: string | undefined;
  afterUsername?: string | undefined;
}

export function listUsers(db: Executor, filter: UserFilter, window: { limit: number; offset: number }) {
  let query = db.selectFrom('users').selectAll().where('tenant_id', '=', filter.tenantId).where('kind', '=', 'user');
  if (filter.username !== undefined) query = query.where('username', '=', filter.username);
  if (filter.afterUsername !== undefined) query = query.where('username', '>', filter.afterUsername);
  return query.orderBy('username').limit(window.limit).offset(window.offset).execute();
}

export async function countUsers(db: Executor, filter: UserFilter): Promise<number> {
  let query = db.selectFrom('users').where('tenant_id', '=', filter.tenantId).where('kind', '=', 'user');
  if (filter.username !== undefined) query = query.where('username', '=', filter.username);
  const row = await query.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return Number(row.total);
}

export const updateUserRow = (db: Executor, id: string, change: UserChange) =>
  db.updateTable('users').set(change).where('id', '=', id).execute();

export const deleteUserRow = (db: Executor, id: string) => db.deleteFrom('users').where('id', '=', id).execute();
