import type { Settings } from '@pangolin/shared/contract/settings';
import type { ExpressionBuilder, Insertable, Nullable } from 'kysely';
import type { ApiKeysTable, Executor, Schema, ServiceUsersTable, TokensTable, UsersTable } from '../store/schema.ts';
import { DAY_MS, HOUR_MS } from '../times.ts';

export type TokenRow = Awaited<ReturnType<typeof listTokens>>[number];

/** What a token's standing depends on besides its row. */
export interface Standing {
  nowMs: number;
  settings: Settings;
}

export type TokenStatus = 'valid' | 'expired' | 'revoked';

export type NewToken = Insertable<TokensTable>;

export const insertToken = (db: Executor, row: NewToken) => db.insertInto('tokens').values(row).execute();

const withOwner = (db: Executor) =>
  db
    .selectFrom('tokens as t')
    .leftJoin('users as u', 'u.id', 't.owner_id')
    .leftJoin('service_users as s', 's.id', 't.owner_id')
    .leftJoin('api_keys as k', 'k.id', 't.root_id')
    .leftJoin('service_users as o', 'o.id', 'k.service_user_id')
    .leftJoin('tokens as r', 'r.id', 't.root_id');

type Joined = ExpressionBuilder<
  Schema & {
    t: TokensTable;
    u: Nullable<UsersTable>;
    s: Nullable<ServiceUsersTable>;
    k: Nullable<ApiKeysTable>;
    o: Nullable<ServiceUsersTable>;
    r: Nullable<TokensTable>;
  },
  't' | 'u' | 's' | 'k' | 'o' | 'r'
>;

/** The same judgement as credentials/judge.ts, for lists: ended before its time, past its time, or good. */
function status(eb: Joined, { nowMs, settings }: Standing) {
  const isLongerThanAllowed = (t: 't' | 'r') => {
    const lifetime = eb(`${t}.expires_at`, '-', eb.ref(`${t}.created_at`));
    return eb.or([
      eb.and([eb(`${t}.kind`, '=', 'session'), eb(lifetime, '>', settings.session_hours * HOUR_MS)]),
      eb.and([eb(`${t}.kind`, '<>', 'session'), eb(lifetime, '>', settings.max_token_days * DAY_MS)]),
    ]);
  };
  const ended = eb.or([
    eb('t.revoked_at', 'is not', null),
    eb('t.epoch', '<>', eb.fn.coalesce('u.epoch', 's.epoch', eb.lit(-1))),
    eb(eb.fn.coalesce('u.active', 's.active', eb.lit(0)), '=', 0),
    eb('s.expires_at', '<=', nowMs),
    eb.and([
      eb('t.tenant_id', '<>', eb.fn.coalesce('u.tenant_id', 's.tenant_id', 't.tenant_id')),
      eb(eb.fn.coalesce('u.role', 's.role'), '<>', 'root'),
    ]),
    eb('k.revoked_at', 'is not', null),
    eb('k.expires_at', '<=', nowMs),
    eb('o.active', '=', 0),
    eb('o.epoch', '<>', eb.ref('k.epoch')),
    eb('o.expires_at', '<=', nowMs),
    eb('r.revoked_at', 'is not', null),
    eb.and([eb('k.id', 'is', null), eb('r.id', 'is', null)]),
    isLongerThanAllowed('t'),
    isLongerThanAllowed('r'),
  ]);
  return eb.case().when(ended).then('revoked').when('t.expires_at', '<=', nowMs).then('expired').else('valid').end();
}

const selectTokens = (db: Executor, standing: Standing) =>
  withOwner(db)
    .selectAll('t')
    .select(['u.username as user_name', 's.name as service_user_name'])
    .select(({ fn }) => fn.coalesce('u.epoch', 's.epoch').as('owner_epoch'))
    .select(({ fn }) => fn.coalesce('u.epoch_raised_at', 's.epoch_raised_at').as('owner_epoch_raised_at'))
    .select('k.revoked_at as key_revoked_at')
    .select((eb) => status(eb, standing).$castTo<TokenStatus>().as('status'));

export interface TokenFilter {
  tenantId: string;
  ownerId: string;
  status?: TokenStatus | undefined;
  /** Continues after the token with this id. */
  beforeId?: string | undefined;
}

/** Newest first: ids sort by creation. */
export function listTokens(
  db: Executor,
  filter: TokenFilter,
  standing: Standing,
  window: { limit: number; offset: number },
) {
  let query = selectTokens(db, standing)
    .where('t.owner_id', '=', filter.ownerId)
    .where('t.tenant_id', '=', filter.tenantId);
  const { status: wanted, beforeId } = filter;
  if (wanted !== undefined) query = query.where((eb) => eb(status(eb, standing), '=', wanted));
  if (beforeId !== undefined) query = query.where('t.id', '<', beforeId);
  return query.orderBy('t.id', 'desc').limit(window.limit).offset(window.offset).execute();
}

export async function countTokens(db: Executor, filter: TokenFilter, standing: Standing): Promise<number> {
  let query = withOwner(db).where('t.owner_id', '=', filter.ownerId).where('t.tenant_id', '=', filter.tenantId);
  const { status: wanted } = filter;
  if (wanted !== undefined) query = query.where((eb) => eb(status(eb, standing), '=', wanted));
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
    .where('t.kind', '=', 'personal')
    .where('t.epoch', '=', owner.epoch)
    .where('t.revoked_at', 'is', null)
    .where('t.expires_at', '>', standing.nowMs)
    .where((eb) => eb(status(eb, standing), '=', 'valid'));

/** Revokes a token and, down the generations, everything obtained with it. Answers how many were ended. */
export async function revokeFamily(
  db: Executor,
  id: string,
  revoked: { at: number; by: string; reason: string | null },
): Promise<number> {
  const result = await db
    .withRecursive('family', (cte) =>
      cte
        .selectFrom('tokens')
        .select('tokens.id')
        .where('tokens.id', '=', id)
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

/** Good tokens of a tenant that live longer than other limits would allow. */
export function listTokensBeyond(db: Executor, tenantId: string, now: Standing, then: Settings, limit: number) {
  return selectTokensBeyond(db, tenantId, now, then)
    .select(['t.id', 't.name', 't.expires_at', 'u.username as user_name', 's.name as service_user_name'])
    .orderBy('t.id', 'desc')
    .limit(limit)
    .execute();
}

export async function countTokensBeyond(
  db: Executor,
  tenantId: string,
  now: Standing,
  then: Settings,
): Promise<number> {
  const row = await selectTokensBeyond(db, tenantId, now, then)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

const selectTokensBeyond = (db: Executor, tenantId: string, now: Standing, then: Settings) =>
  withOwner(db)
    .where('t.tenant_id', '=', tenantId)
    .where('t.expires_at', '>', now.nowMs)
    .where((eb) => eb(status(eb, now), '=', 'valid'))
    .where((eb) => eb(status(eb, { ...now, settings: then }), '=', 'revoked'));

/** Rows that expired so long ago that nobody asks for them any more. */
export const deleteTokensExpiredBefore = (db: Executor, timeMs: number, limit: number) =>
  db
    .deleteFrom('tokens')
    .where('id', 'in', (eb) => eb.selectFrom('tokens').select('id').where('expires_at', '<', timeMs).limit(limit))
    .executeTakeFirstOrThrow();

/** What a renewed token descends from. */
export const findRootToken = (db: Executor, id: string) =>
  db.selectFrom('tokens').select(['kind', 'created_at', 'expires_at']).where('id', '=', id).executeTakeFirst();
