import type { Privilege } from '@pangolin/shared/contract/privileges';
import type { Role } from '@pangolin/shared/contract/roles';
import { sql } from 'kysely';
import type { Executor } from './schema.ts';
import { judgeStatus, type Standing, withOwner } from './token-status.ts';

/** A part of some tokens, newest first: those before one id, down to another. */
export interface Stretch {
  beforeId?: string | undefined;
  /** Undefined: to the oldest. */
  downToId?: string | undefined;
}

/** Among which tokens: a tenant's, its personal ones, or an owner's. Each has an index in the order of ids. */
export type Among = { tenantId: string; kind?: 'personal' } | { ownerId: string };

/** The id of the last of the next `size` tokens; undefined when fewer are left. */
export const findStretchEnd = (db: Executor, among: Among, beforeId: string | undefined, size: number) => {
  let query = db.selectFrom('tokens').select('id');
  if ('ownerId' in among) query = query.where('owner_id', '=', among.ownerId);
  else query = query.where('tenant_id', '=', among.tenantId);
  if ('kind' in among) query = query.where('kind', '=', sql.lit('personal'));
  if (beforeId !== undefined) query = query.where('id', '<', beforeId);
  return query
    .orderBy('id', 'desc')
    .limit(1)
    .offset(size - 1)
    .executeTakeFirst();
};

const withinStretch = (db: Executor, tenantId: string, { beforeId, downToId }: Stretch) => {
  let query = withOwner(db).where('t.tenant_id', '=', tenantId);
  if (beforeId !== undefined) query = query.where('t.id', '<', beforeId);
  if (downToId !== undefined) query = query.where('t.id', '>=', downToId);
  return query;
};

const selectBeyond = (db: Executor, tenantId: string, stretch: Stretch, now: Standing, then: Standing) =>
  withinStretch(db, tenantId, stretch)
    .where('t.expires_at', '>', now.nowMs)
    .where('t.revoked_at', 'is', null)
    .where((eb) => eb(judgeStatus(eb, then), '=', 'revoked'))
    .where((eb) => eb(judgeStatus(eb, now), '=', 'valid'));

/** Tokens that are good now and would not be by other limits, newest first. */
export const listTokensBeyond = (db: Executor, tenantId: string, stretch: Stretch, now: Standing, then: Standing) =>
  selectBeyond(db, tenantId, stretch, now, then)
    .select(['t.id', 't.name', 't.expires_at', 'u.username as user_name', 's.name as service_user_name'])
    .orderBy('t.id', 'desc')
    .execute();

export async function countTokensBeyond(
  db: Executor,
  tenantId: string,
  stretch: Stretch,
  now: Standing,
  then: Standing,
): Promise<number> {
  const row = await selectBeyond(db, tenantId, stretch, now, then)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

/** Good tokens that nobody used since a time, of principals of some roles who were granted none of `except`; newest first. */
export const listUnusedTokens = (
  db: Executor,
  tenantId: string,
  stretch: Stretch,
  now: Standing,
  { sinceMs, roles, except }: { sinceMs: number; roles: readonly Role[]; except: readonly Privilege[] },
) =>
  withinStretch(db, tenantId, stretch)
    .select(['t.id', 't.kind', 't.name', 't.description', 't.created_at', 't.expires_at', 't.last_used_at'])
    .select(['u.username as user_name', 's.name as service_user_name'])
    .where('t.expires_at', '>', now.nowMs)
    .where('t.revoked_at', 'is', null)
    .where(({ eb, fn }) => eb(fn.coalesce('t.last_used_at', 't.created_at'), '<', sinceMs))
    .where('t.role', 'in', roles)
    .where(({ eb, fn }) => eb(fn.coalesce('u.role', 's.role'), 'in', roles))
    .$if(except.length > 0, (query) =>
      query.where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom('grants as g')
              .select('g.id')
              .whereRef('g.tenant_id', '=', 't.tenant_id')
              .whereRef('g.grantee_id', '=', 't.owner_id')
              .where('g.privilege', 'in', except),
          ),
        ),
      ),
    )
    .where((eb) => eb(judgeStatus(eb, now), '=', 'valid'))
    .orderBy('t.id', 'desc')
    .execute();
