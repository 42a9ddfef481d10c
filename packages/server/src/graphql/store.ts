import { type Expression, type ExpressionBuilder, type Nullable, type SqlBool, sql } from 'kysely';
import type { Executor, Schema, ServiceUsersTable, TokensTable, UsersTable } from '../store/schema.ts';
import { judgeStatus, type Standing, type TokenStatus, withOwner } from '../store/token-status.ts';
import { NEVER_MS } from '../times.ts';

/** The fields of a token's metadata that tokens are filtered by; other names for them are token-filters.ts's. */
export type TextField = 'urn' | 'type' | 'id' | 'name' | 'description' | 'actorUrn' | 'ownerUrn';
export type NumberField = 'createdAt' | 'expiresAt';

type TextCondition = 'EQUAL' | 'IN' | 'IEQUAL' | 'CONTAIN' | 'START_WITH' | 'END_WITH' | 'EXISTS';
type NumberCondition = 'EQUAL' | 'IN' | 'EXISTS' | keyof typeof OPERATORS;

/** A condition on a field: one of the values is enough. Without case means as the database folds letters. */
export type TokenFilter =
  | { holds: 'text'; field: TextField; condition: TextCondition; values: string[]; negated: boolean }
  | { holds: 'number'; field: NumberField; condition: NumberCondition; values: number[]; negated: boolean };

/** Which of a tenant's personal tokens: those for which everything here holds. */
export interface AccessTokenFilter {
  tenantId: string;
  filters: readonly TokenFilter[];
  /** Whose tokens these can be only, and by whom minted, where the filters say so by URN: then an index finds them. */
  ownerIds?: readonly string[] | undefined;
  minterIds?: readonly string[] | undefined;
}

/** A part of the tokens in the order of the list: after one of them, down to another. Undefined: from the first, to the last. */
export interface Stretch {
  after?: Place | undefined;
  downTo?: Place | undefined;
}

/** Where a token is in that order. */
export interface Place {
  expires_at: number;
  id: string;
}

/** Tokens, whose they are and who minted them. */
const withMinter = (db: Executor) =>
  withOwner(db)
    .leftJoin('users as mu', 'mu.id', 't.actor_id')
    .leftJoin('service_users as ms', 'ms.id', 't.actor_id')
    .where('t.kind', '=', sql.lit('personal' as const));

/** Personal tokens that are not ended. The first two conditions are those of the indexes. */
const selectAccessTokens = (
  db: Executor,
  { tenantId, filters, ownerIds, minterIds }: AccessTokenFilter,
  standing: Standing,
  { after, downTo }: Stretch,
) => {
  let query = withMinter(db)
    .where('t.revoked_at', 'is', null)
    // Where it is known whose tokens these are they are found by that: a tenant may have a million times as many.
    .where(ownerIds || minterIds ? sql<string>`t.tenant_id || ''` : 't.tenant_id', '=', tenantId)
    .where((eb) => eb(judgeStatus(eb, standing), '<>', 'revoked'));
  if (ownerIds) query = query.where('t.owner_id', 'in', ownerIds.length > 0 ? ownerIds : ['']);
  // Of the two, one finds them.
  const minter = ownerIds ? sql<string>`t.actor_id || ''` : 't.actor_id';
  if (minterIds) query = query.where(minter, 'in', minterIds.length > 0 ? minterIds : ['']);
  if (after) query = query.where(follows(after));
  if (downTo) query = query.where(reaches(downTo));
  for (const filter of filters) query = query.where((eb) => holds(eb, filter));
  return query;
};

const follows = ({ expires_at, id }: Place) => sql<SqlBool>`(t.expires_at, t.id) < (${expires_at}, ${id})`;

const reaches = ({ expires_at, id }: Place) => sql<SqlBool>`(t.expires_at, t.id) >= (${expires_at}, ${id})`;

const COLUMNS = ['t.id', 't.name', 't.description', 't.created_at', 't.expires_at', 't.unauthenticated_as'] as const;

const withPrincipals = (query: ReturnType<typeof withMinter>) =>
  query
    .select(COLUMNS)
    .select(['t.owner_id', 't.owner_kind', 'u.kind as user_kind', 'u.username as user_name'])
    .select([
      't.actor_id',
      'mu.kind as minter_user_kind',
      'mu.username as minter_user_name',
      'ms.id as minter_service_user_id',
    ]);

/** A token with whose it is and who minted it, as presentRow takes it. */
export type AccessTokenRow = Awaited<ReturnType<typeof listAccessTokens>>[number];

/**
 * The last of the next `size` tokens, whether or not they are good and match; undefined when fewer are left. Only what an
 * index has in this order can be walked: a tenant's tokens, a principal's, or what a principal minted.
 */
export function findStretchEnd(
  db: Executor,
  { tenantId, ownerIds, minterIds }: Pick<AccessTokenFilter, 'tenantId' | 'ownerIds' | 'minterIds'>,
  after: Place | undefined,
  size: number,
): Promise<Place | undefined> {
  let query = db
    .selectFrom('tokens as t')
    .select(['t.expires_at', 't.id'])
    .where('t.kind', '=', sql.lit('personal' as const))
    .where('t.revoked_at', 'is', null)
    .$if(ownerIds !== undefined, (of) => of.where('t.owner_id', 'in', ownerIds ?? []))
    .$if(ownerIds === undefined && minterIds !== undefined, (by) => by.where('t.actor_id', 'in', minterIds ?? []))
    .$if(ownerIds === undefined && minterIds === undefined, (all) => all.where('t.tenant_id', '=', tenantId));
  if (after) query = query.where(follows(after));
  return query
    .orderBy('t.expires_at', 'desc')
    .orderBy('t.id', 'desc')
    .limit(1)
    .offset(size - 1)
    .executeTakeFirst();
}

/** The latest expiry first; what does not expire before everything else. */
export const listAccessTokens = (
  db: Executor,
  filter: AccessTokenFilter,
  standing: Standing,
  stretch: Stretch,
  { start, count }: { start: number; count: number },
) =>
  withPrincipals(selectAccessTokens(db, filter, standing, stretch))
    .orderBy('t.expires_at', 'desc')
    .orderBy('t.id', 'desc')
    .limit(count)
    .offset(start)
    .execute();

/** How many of a stretch match. */
export async function countAccessTokens(
  db: Executor,
  filter: AccessTokenFilter,
  standing: Standing,
  stretch: Stretch,
): Promise<number> {
  const query = selectAccessTokens(db, filter, standing, stretch);
  const row = await query.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return Number(row.total);
}

/** One personal token, whatever it is now. */
export const findAccessToken = (db: Executor, tenantId: string, id: string, standing: Standing) =>
  withPrincipals(withMinter(db))
    .select((eb) => judgeStatus(eb, standing).$castTo<TokenStatus>().as('status'))
    .where('t.id', '=', id)
    .where('t.tenant_id', '=', tenantId)
    .executeTakeFirst();

type Joined = ExpressionBuilder<
  Schema & {
    t: TokensTable;
    u: Nullable<UsersTable>;
    s: Nullable<ServiceUsersTable>;
    mu: Nullable<UsersTable>;
    ms: Nullable<ServiceUsersTable>;
  },
  't' | 'u' | 's' | 'mu' | 'ms'
>;

/** Fields as metadata.ts presents them; nothing is null, so that what is negated holds for what is missing. */
const TEXTS: Record<TextField, Expression<string>> = {
  urn: sql<string>`'urn:li:dataHubAccessToken:' || t.id`,
  type: sql<string>`'ACCESS_TOKEN'`,
  id: sql<string>`t.id`,
  name: sql<string>`coalesce(t.name, t.description, t.id)`,
  description: sql<string>`coalesce(t.description, '')`,
  actorUrn: sql<string>`'urn:li:corpuser:' || case when u.kind = 'owner' then coalesce(t.unauthenticated_as, u.username)
    when u.id is not null then u.username else 'service_' || t.owner_id end`,
  ownerUrn: sql<string>`'urn:li:corpuser:' || case when mu.kind = 'owner' then coalesce(t.unauthenticated_as, mu.username)
    when mu.id is not null then mu.username when ms.id is not null then 'service_' || ms.id else t.actor_id end`,
};

const NUMBERS = { createdAt: 't.created_at', expiresAt: 't.expires_at' } as const;

const OPERATORS = {
  GREATER_THAN: '>',
  GREATER_THAN_OR_EQUAL_TO: '>=',
  LESS_THAN: '<',
  LESS_THAN_OR_EQUAL_TO: '<=',
} as const;

function holds(eb: Joined, filter: TokenFilter): Expression<SqlBool> {
  const condition = filter.holds === 'text' ? textHolds(eb, filter) : numberHolds(eb, filter);
  return filter.negated ? eb.not(condition) : condition;
}

function numberHolds(
  eb: Joined,
  { field, condition, values }: Extract<TokenFilter, { holds: 'number' }>,
): Expression<SqlBool> {
  const column = NUMBERS[field];
  // What never ends has no expiry to compare.
  const exists = eb(column, '<>', NEVER_MS);
  if (condition === 'EXISTS') return exists;
  if (condition === 'EQUAL' || condition === 'IN') return eb.and([exists, eb(column, 'in', values)]);
  return eb.and([exists, eb.or(values.map((value) => eb(column, OPERATORS[condition], value)))]);
}

function textHolds(
  eb: Joined,
  { field, condition, values }: Extract<TokenFilter, { holds: 'text' }>,
): Expression<SqlBool> {
  const text = TEXTS[field];
  const lower = sql<string>`lower(${text})`;
  const some = (test: (value: string) => Expression<SqlBool>) => eb.or(values.map(test));
  switch (condition) {
    case 'EXISTS':
      return field === 'description' ? eb('t.description', 'is not', null) : sql<SqlBool>`1 = 1`;
    case 'EQUAL':
    case 'IN':
      return eb(text, 'in', values);
    case 'IEQUAL':
      return some((value) => eb(lower, '=', folded(value)));
    case 'CONTAIN':
      return some((value) =>
        value === '' ? sql<SqlBool>`1 = 1` : eb(sql<string>`replace(${lower}, ${folded(value)}, '')`, '<>', lower),
      );
    case 'START_WITH':
      return some((value) => eb(sql<string>`substr(${lower}, 1, ${lengthOf(value)})`, '=', folded(value)));
    case 'END_WITH':
      return some((value) =>
        eb.and([
          eb(sql<number>`length(${text})`, '>=', lengthOf(value)),
          eb(sql<string>`substr(${lower}, length(${text}) - ${lengthOf(value)} + 1)`, '=', folded(value)),
        ]),
      );
  }
}

/** As the database folds its own: letters beyond ASCII as it does. */
const folded = (value: string) => sql<string>`lower(${sql.val(value)})`;

/** In characters, as databases count them. */
const lengthOf = (value: string) => sql.lit([...value].length);
