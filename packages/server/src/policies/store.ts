import type { Privilege } from '@pangolin/shared/contract/privileges';
import type { ExpressionBuilder, Insertable } from 'kysely';
import type { Executor, GrantsTable, Schema } from '../store/schema.ts';

export type GrantRow = Awaited<ReturnType<typeof listGrants>>[number];

export const insertGrants = (db: Executor, rows: readonly Insertable<GrantsTable>[]) =>
  db.insertInto('grants').values(rows).execute();

/** Inserts a grant unless the same is granted already; answers whether it was new. */
export async function insertGrantOnce(db: Executor, row: Insertable<GrantsTable>): Promise<boolean> {
  const result = await db
    .insertInto('grants')
    .values(row)
    .onConflict((conflict) => conflict.columns(['tenant_id', 'grantee_id', 'privilege']).doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows) > 0;
}

const selectGrants = (db: Executor, tenantId: string) =>
  db
    .selectFrom('grants as g')
    .leftJoin('users as u', 'u.id', 'g.grantee_id')
    .leftJoin('service_users as s', 's.id', 'g.grantee_id')
    .selectAll('g')
    .select(['u.username as user_name', 's.name as service_user_name'])
    .where('g.tenant_id', '=', tenantId);

export const findGrant = (db: Executor, tenantId: string, id: string) =>
  selectGrants(db, tenantId).where('g.id', '=', id).executeTakeFirst();

/** The grant of a privilege to exactly that role or principal. */
export const findGrantTo = (db: Executor, tenantId: string, granteeId: string, privilege: Privilege) =>
  selectGrants(db, tenantId)
    .where('g.grantee_id', '=', granteeId)
    .where('g.privilege', '=', privilege)
    .executeTakeFirst();

export interface GrantFilter {
  tenantId: string;
  privilege?: Privilege | undefined;
  granteeId?: string | undefined;
  /** Continues after the grant of this grantee and privilege. */
  after?: { granteeId: string; privilege: string } | undefined;
}

/** By grantee's id, then by privilege. */
export function listGrants(db: Executor, filter: GrantFilter, window: { limit: number; offset: number }) {
  const { privilege, granteeId, after } = filter;
  let query = selectGrants(db, filter.tenantId);
  if (privilege !== undefined) query = query.where('g.privilege', '=', privilege);
  if (granteeId !== undefined) query = query.where('g.grantee_id', '=', granteeId);
  if (after !== undefined) query = query.where((eb) => isAfter(eb, after));
  return query.orderBy('g.grantee_id').orderBy('g.privilege').limit(window.limit).offset(window.offset).execute();
}

type Listed = ExpressionBuilder<Schema & { g: GrantsTable }, 'g'>;

const isAfter = ({ eb, and, or, val }: Listed, after: { granteeId: string; privilege: string }) =>
  and([
    eb('g.grantee_id', '>=', after.granteeId),
    or([eb('g.grantee_id', '>', after.granteeId), eb('g.privilege', '>', val(after.privilege as Privilege))]),
  ]);

export async function countGrants(db: Executor, { tenantId, privilege, granteeId }: GrantFilter): Promise<number> {
  let query = db.selectFrom('grants').where('tenant_id', '=', tenantId);
  if (privilege !== undefined) query = query.where('privilege', '=', privilege);
  if (granteeId !== undefined) query = query.where('grantee_id', '=', granteeId);
  const row = await query.select(({ fn }) => fn.countAll<number>().as('total')).executeTakeFirstOrThrow();
  return Number(row.total);
}

/** What is granted to a tenant's roles, and to one of its principals. */
export const listGrantsConcerning = (db: Executor, tenantId: string, principalId: string) =>
  db
    .selectFrom('grants')
    .select(['id', 'grantee_kind', 'grantee_id', 'privilege'])
    .where('tenant_id', '=', tenantId)
    .where('grantee_id', 'in', ['tenant-user', 'tenant-admin', principalId])
    .execute();

export const deleteGrant = (db: Executor, id: string) => db.deleteFrom('grants').where('id', '=', id).execute();

export const deleteGrantsTo = (db: Executor, tenantId: string, granteeId: string) =>
  db.deleteFrom('grants').where('tenant_id', '=', tenantId).where('grantee_id', '=', granteeId).execute();
