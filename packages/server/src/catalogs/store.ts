import type { Insertable } from 'kysely';
import type { CatalogsTable, Executor } from '../store/schema.ts';

export type CatalogRow = NonNullable<Awaited<ReturnType<typeof findCatalog>>>;

export const insertCatalog = (db: Executor, row: Insertable<CatalogsTable>) =>
  db.insertInto('catalogs').values(row).execute();

export const findCatalog = (db: Executor, tenantId: string, name: string) =>
  db.selectFrom('catalogs').selectAll().where('tenant_id', '=', tenantId).where('name', '=', name).executeTakeFirst();

export function listCatalogs(
  db: Executor,
  tenantId: string,
  afterName: string | undefined,
  window: { limit: number; offset: number },
) {
  let query = db.selectFrom('catalogs').selectAll().where('tenant_id', '=', tenantId);
  if (afterName !== undefined) query = query.where('name', '>', afterName);
  return query.orderBy('name').limit(window.limit).offset(window.offset).execute();
}

export async function countCatalogs(db: Executor, tenantId: string): Promise<number> {
  const row = await db
    .selectFrom('catalogs')
    .where('tenant_id', '=', tenantId)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

/** Every catalog of every tenant. */
export const listAllCatalogs = (db: Executor) => db.selectFrom('catalogs').selectAll().execute();

export const renameCatalogRow = (db: Executor, id: string, to: { name: string; warehouse_location: string }) =>
  db.updateTable('catalogs').set(to).where('id', '=', id).execute();

export const deleteCatalogRow = (db: Executor, id: string) => db.deleteFrom('catalogs').where('id', '=', id).execute();
