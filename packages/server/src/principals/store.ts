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

/** Revokes what a principal obtained for others with its tokens and keys, down the generations. */
export const revokeObtainedForOthers = (db: Executor, actorId: string, revoked: { at: number; by: string }) =>
  db
    .withRecursive('family', (cte) =>
      cte
        .selectFrom('tokens')
        .select('tokens.id')
        .where('tokens.actor_id', '=', actorId)
        .where('tokens.owner_id', '<>', actorId)
        // What was minted after an interactive login stands by itself.
        .where(({ eb, or }) => or([eb('tokens.parent_id', 'is not', null), eb('tokens.root_kind', '=', 'api_key')]))
        .union(cte.selectFrom('tokens').innerJoin('family', 'family.id', 'tokens.parent_id').select('tokens.id')),
    )
    .updateTable('tokens')
    .set({
      revoked_at: revoked.at,
      revoked_by: revoked.by,
      revoked_reason: 'what it was obtained with was ended or lost rights',
    })
    .where('id', 'in', (eb) => eb.selectFrom('family').select('family.id'))
    .where('revoked_at', 'is', null)
    .execute();

/** Ends every credential of a principal that exists now. */
export const raiseEpoch = (db: Executor, table: 'users' | 'service_users', id: string, atMs: number) =>
  db
    .updateTable(table)
    .set((eb) => ({ epoch: eb('epoch', '+', 1), epoch_raised_at: atMs }))
    .where('id', '=', id)
    .execute();
