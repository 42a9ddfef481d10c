import { type Insertable, sql } from 'kysely';
import type { Executor, TokensTable } from '../store/schema.ts';
import { type Joined, judgeStatus, type Standing, type TokenStatus, withOwner } from '../store/token-status.ts';
import type { Stretch } from '../store/token-stretches.ts';

export type TokenRow = Awaited<ReturnType<typeof listTokens>>[number];

export type NewToken = Insertable<TokensTable>;

export const insertToken = (db: Executor, row: NewToken) => db.insertInto('tokens').values(row).execute();

const selectTokens = (db: Executor, standing: Standing) =>
  withOwner(db)
    .selectAll('t')
    .select(['u.username as user_name', 's.name as service_user_name'])
    .select(({ fn }) => fn.coalesce('u.epoch', 's.epoch').as('owner_epoch'))
    .select(({ fn }) => fn.coalesce('u.epoch_raised_at', 's.epoch_raised_at').as('owner_epoch_raised_at'))
    .select('k.revoked_at as key_revoked_at')
    .select((eb) => [
      eb.selectFrom('users as a').select('a.username').whereRef('a.id', '=', 't.actor_id').as('actor_user_name'),
      eb
        .selectFrom('service_users as a')
        .select('a.name')
        .whereRef('a.id', '=', 't.actor_id')
        .as('actor_service_user_name'),
    ])
    // Who made it without authentication, where that is a reason to refuse it.
    .select((eb) =>
      (standing.refusesUnauthenticated ? eb.ref('t.unauthenticated_as') : eb.lit(null)).as('refused_maker'),
    )
    .select((eb) => judgeStatus(eb, standing).$castTo<TokenStatus>().as('status'));

export interface TokenFilter {
  tenantId: string;
  ownerId: string;
  status?: TokenStatus | undefined;
  /** Continues after the token with this id. */
  beforeId?: string | undefined;
}

/** Of an owner's tokens those in a tenant, in a form that no index of the tenant's takes: they may be few among a million. */
const isOwnersIn = (eb: Joined, tenantId: string) => eb(eb.fn.coalesce('t.tenant_id', sql.lit('')), '=', tenantId);

/** Newest first: ids sort by creation. */
export function listTokens(
  db: Executor,
  filter: TokenFilter,
  standing: Standing,
  window: { limit: number; offset: number },
) {
  let query = selectTokens(db, standing)
    .where('t.owner_id', '=', filter.ownerId)
    .where((eb) => isOwnersIn(eb, filter.tenantId));
  const { status: wanted, beforeId } = filter;
  if (wanted !== undefined) query = query.where((eb) => eb(judgeStatus(eb, standing), '=', wanted));
  if (beforeId !== undefined) query = query.where('t.id', '<', beforeId);
  return query.orderBy('t.id', 'desc').limit(window.limit).offset(window.offset).execute();
}

/** Which of a tenant's personal tokens. */
export interface PersonalFilter {
  tenantId: string;
  /** Undefined: everybody's. */
  ownerId?: string | undefined;
  status?: TokenStatus | undefined;
}

const isPersonalWithin = (eb: Joined, filter: PersonalFilter, stretch: Stretch, standing: Standing) => {
  const { tenantId, ownerId, status } = filter;
  const { beforeId, downToId } = stretch;
  return eb.and([
    ...(ownerId === undefined
      ? [eb('t.tenant_id', '=', tenantId)]
      : [eb('t.owner_id', '=', ownerId), isOwnersIn(eb, tenantId)]),
    // Written out, so that the index of personal tokens serves.
    eb('t.kind', '=', sql.lit('personal')),
    ...(beforeId === undefined ? [] : [eb('t.id', '<', beforeId)]),
    ...(downToId === undefined ? [] : [eb('t.id', '>=', downToId)]),
    ...(status === undefined ? [] : [eb(judgeStatus(eb, standing), '=', status)]),
  ]);
};

/** The personal tokens of a stretch, newest first. */
export const listPersonalTokens = (
  db: Executor,
  filter: PersonalFilter,
  stretch: Stretch,
  standing: Standing,
  limit: number,
) =>
  selectTokens(db, standing)
    .where((eb) => isPersonalWithin(eb, filter, stretch, standing))
    .orderBy('t.id', 'desc')
    .limit(limit)
    .execute();

/** How many they are. */
export async function countPersonalTokens(
  db: Executor,
  filter: PersonalFilter,
  stretch: Stretch,
  standing: Standing,
): Promise<number> {
  const row = await withOwner(db)
    .where((eb) => isPersonalWithin(eb, filter, stretch, standing))
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

export async function countTokens(db: Executor, filter: TokenFilter, standing: Standing): Promise<number> {
  let query = withOwner(db)
    .where('t.owner_id', '=', filter.ownerId)
    .where((eb) => isOwnersIn(eb, filter.tenantId));
  const { status: wanted } = filter;
  if (wanted !== undefined) query = query.where((eb) => eb(judgeStatus(eb, standing), '=', wanted));
  const row = await query.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return Number(row.total);
}

export const findToken = (db: Executor, tenantId: string, id: string, standing: Standing) =>
  selectTokens(db, standing).where('t.id', '=', id).where('t.tenant_id', '=', tenantId).executeTakeFirst();

/** How many personal tokens of an owner are good; stops counting at `limit`. */
export async function countValidTokens(
  db: Executor,
  owner: { id: string; epoch: number },
  standing: Standing,
  limit: number,
): Promise<number> {
  return (await selectValidTokens(db, owner, standing).select('t.id').limit(limit).execute()).length;
}

/** The good personal tokens that were not used for longest, never-used ones first. */
export const listOldestUnused = (db: Executor, owner: { id: string; epoch: number }, standing: Standing) =>
  selectValidTokens(db, owner, standing)
    .select(['t.id', 't.name', 't.description', 't.created_at', 't.last_used_at'])
    .orderBy(({ fn, lit }) => fn.coalesce('t.last_used_at', lit(0)))
    .orderBy('t.id')
    .limit(3)
    .execute();

/** What the index can tell comes first; the rest of a token's standing is judged for those few. */
const selectValidTokens = (db: Executor, owner: { id: string; epoch: number }, standing: Standing) =>
  withOwner(db)
    .where('t.owner_id', '=', owner.id)
    .where('t.kind', '=', sql.lit('personal' as const))
    .where('t.epoch', '=', owner.epoch)
    .where('t.revoked_at', 'is', null)
    .where('t.expires_at', '>', standing.nowMs)
    .where((eb) => eb(judgeStatus(eb, standing), '=', 'valid'));

/** Revokes a token and, down the generations, everything obtained with it. Answers how many were ended. */
export const revokeFamily = (
  db: Executor,
  id: string,
  revoked: { at: number; by: string; reason: string | null },
): Promise<number> => revokeFamilies(db, [id], revoked);

/** The same for several at once. */
export async function revokeFamilies(
  db: Executor,
  ids: readonly string[],
  revoked: { at: number; by: string; reason: string | null },
): Promise<number> {
  const result = await db
    .withRecursive('family', (cte) =>
      cte
        .selectFrom('tokens')
        .select('tokens.id')
        .where('tokens.id', 'in', ids)
        .union(cte.selectFrom('tokens').innerJoin('family', 'family.id', 'tokens.parent_id').select('tokens.id')),
    )
    .updateTable('tokens')
    .set({ revoked_at: revoked.at, revoked_by: revoked.by, revoked_reason: revoked.reason })
    .where('id', 'in', (eb) => eb.selectFrom('family').select('family.id'))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Notes which token took the place of another. */
export const noteRotation = (db: Executor, id: string, rotatedTo: string) =>
  db.updateTable('tokens').set({ rotated_to: rotatedTo }).where('id', '=', id).execute();

/** Which of some tokens are still unused and good, and had nothing obtained with them that is in use. */
export async function pickUnused(
  db: Executor,
  ids: readonly string[],
  { sinceMs, nowMs }: { sinceMs: number; nowMs: number },
): Promise<string[]> {
  const standing = await db
    .selectFrom('tokens')
    .select('id')
    .where('id', 'in', ids)
    .where('revoked_at', 'is', null)
    .execute();
  const inUse = await db
    .withRecursive('family(top_id, id)', (cte) =>
      cte
        .selectFrom('tokens')
        .select(['tokens.id as top_id', 'tokens.id'])
        .where('tokens.id', 'in', ids)
        .union(
          cte
            .selectFrom('tokens')
            .innerJoin('family', 'family.id', 'tokens.parent_id')
            .select(['family.top_id', 'tokens.id']),
        ),
    )
    .selectFrom('family')
    .select('family.top_id')
    // Not a join: which of the two to begin with is no question.
    .where(({ exists, selectFrom }) =>
      exists(
        selectFrom('tokens as d')
          .select('d.id')
          .whereRef('d.id', '=', 'family.id')
          .where('d.revoked_at', 'is', null)
          .where('d.expires_at', '>', nowMs)
          .where(({ eb, fn }) => eb(fn.coalesce('d.last_used_at', 'd.created_at'), '>=', sinceMs)),
      ),
    )
    .distinct()
    .execute();
  const used = new Set(inUse.map((row) => row.top_id));
  return standing.map((row) => row.id).filter((id) => !used.has(id));
}

/** Rows that expired so long ago that nobody asks for them any more. */
export const deleteTokensExpiredBefore = (db: Executor, timeMs: number, limit: number) =>
  db
    .deleteFrom('tokens')
    .where('id', 'in', (eb) => eb.selectFrom('tokens').select('id').where('expires_at', '<', timeMs).limit(limit))
    .executeTakeFirstOrThrow();

/** What a renewed token descends from. */
export const findRootToken = (db: Executor, id: string) =>
  db.selectFrom('tokens').select(['kind', 'created_at', 'expires_at']).where('id', '=', id).executeTakeFirst();
