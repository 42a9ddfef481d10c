import type { Privilege } from '@pangolin/shared/contract/privileges';
import type { Role } from '@pangolin/shared/contract/roles';
import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Executor, Schema } from '../store/schema.ts';

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

export const findServiceUserPrincipalByName = (db: Executor, tenantId: string, name: string) =>
  db
    .selectFrom('service_users')
    .select(['id', 'tenant_id', 'name', 'role', 'active', 'epoch'])
    .where('tenant_id', '=', tenantId)
    .where('name', '=', name)
    .executeTakeFirst();

interface Revoked {
  at: number;
  by: string;
}

/** Revokes what a principal obtained for others with its tokens and keys, down the generations. */
export const revokeObtainedForOthers = (db: Executor, actorId: string, revoked: Revoked) =>
  revokeObtained(db, (eb) => eb('tokens.actor_id', '=', actorId), revoked);

/** The same for every principal of some roles to which a privilege is not granted by itself. */
export async function revokeObtainedForOthersByRole(
  db: Executor,
  lost: { tenantId: string; roles: readonly Role[]; without: Privilege },
  revoked: Revoked,
): Promise<void> {
  if (lost.roles.length === 0) return;
  const isOf = (eb: Tokens, table: 'users' | 'service_users') =>
    eb.exists(
      eb
        .selectFrom(table)
        .select(`${table}.id`)
        .whereRef(`${table}.id`, '=', 'tokens.actor_id')
        .where(`${table}.tenant_id`, '=', lost.tenantId)
        .where(`${table}.role`, 'in', lost.roles)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('grants')
                .select('grants.id')
                .where('grants.tenant_id', '=', lost.tenantId)
                .whereRef('grants.grantee_id', '=', `${table}.id`)
                .where('grants.privilege', '=', lost.without),
            ),
          ),
        ),
    );
  const isTheirs = (eb: Tokens) =>
    eb.and([eb('tokens.tenant_id', '=', lost.tenantId), eb.or([isOf(eb, 'users'), isOf(eb, 'service_users')])]);
  await revokeObtained(db, isTheirs, revoked);
}

type Tokens = ExpressionBuilder<Schema, 'tokens'>;

function revokeObtained(db: Executor, isTheirs: (eb: Tokens) => Expression<SqlBool>, revoked: Revoked) {
  return db
    .withRecursive('family', (cte) =>
      cte
        .selectFrom('tokens')
        .select('tokens.id')
        .where(isTheirs)
        .whereRef('tokens.owner_id', '<>', 'tokens.actor_id')
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
}

/** Ends every credential of a principal that exists now. */
export const raiseEpoch = (db: Executor, table: 'users' | 'service_users', id: string, atMs: number) =>
  db
    .updateTable(table)
    .set((eb) => ({ epoch: eb('epoch', '+', 1), epoch_raised_at: atMs }))
    .where('id', '=', id)
    .execute();
