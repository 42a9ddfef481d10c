import type { Executor } from '../store/schema.ts';

export const findUserPrincipal = (db: Executor, id: string) =>
  db
    .selectFrom('users')
    .select(['id', 'tenant_id', 'username as name', 'role', 'active', 'epoch'])
    .where('id', '=', id)
    .executeTakeFirst();

export const findUserPrincipalByName = (db: Executor, tenantId: string, username: string) =>
  db
    .selectFrom('users')
    .select(['id', 'tenant_id', 'username as name', 'role', 'active', 'epoch'])
    .where('tenant_id', '=', tenantId)
    .where('kind', '=', 'user')
    .where('username', '=', username)
    .executeTakeFirst();

export const findServiceUserPrincipal = (db: Executor, id: string) =>
  db
    .selectFrom('service_users')
    .select(['id', 'tenant_id', 'name', 'role', 'active', 'epoch'])
    .where('id', '=', id)
    .executeTakeFirst();

/** Ends every credential of a principal that exists now. */
export const raiseEpoch = (db: Executor, table: 'users' | 'service_users', id: string, atMs: number) =>
  db
    .updateTable(table)
    .set((eb) => ({ epoch: eb('epoch', '+', 1), epoch_raised_at: atMs }))
    .where('id', '=', id)
    .execute();
