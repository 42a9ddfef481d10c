import type { Insertable, Selectable } from 'kysely';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';
import type { CatalogObjectsTable, Executor, NamespacesTable } from '../store/schema.ts';

export type NamespaceRow = Selectable<NamespacesTable>;
export type ObjectRow = Selectable<CatalogObjectsTable>;
export type ObjectKind = ObjectRow['kind'];

/** Whose rows a query is about; every query names it. */
export interface CatalogKey {
  tenantId: string;
  catalogId: string;
}

/** Where a list goes on, and how many rows it takes; without a limit, all. */
export interface Window {
  after: string | undefined;
  limit: number | undefined;
}

export const insertNamespace = (db: Executor, row: Insertable<NamespacesTable>) =>
  db.insertInto('namespaces').values(row).execute();

export const findNamespace = (db: Executor, key: CatalogKey, path: string): Promise<NamespaceRow | undefined> =>
  namespaces(db, key).where('path', '=', path).selectAll().executeTakeFirst();

export function listNamespaces(db: Executor, key: CatalogKey, parentPath: string, { after, limit }: Window) {
  let query = namespaces(db, key).where('parent_path', '=', parentPath).select('path');
  if (after !== undefined) query = query.where('path', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  return query.orderBy('path').execute();
}

export const updateNamespaceProperties = (db: Executor, key: CatalogKey, path: string, properties: string) =>
  db
    .updateTable('namespaces')
    .set({ properties })
    .where('tenant_id', '=', key.tenantId)
    .where('catalog_id', '=', key.catalogId)
    .where('path', '=', path)
    .execute();

export const deleteNamespaceRow = (db: Executor, key: CatalogKey, path: string) =>
  db
    .deleteFrom('namespaces')
    .where('tenant_id', '=', key.tenantId)
    .where('catalog_id', '=', key.catalogId)
    .where('path', '=', path)
    .execute();

/** Whether a namespace holds a table, a view or another namespace. */
export async function hasChildren(db: Executor, key: CatalogKey, path: string): Promise<boolean> {
  const object = await objects(db, key).where('namespace_path', '=', path).select('id').limit(1).executeTakeFirst();
  if (object) return true;
  return (await listNamespaces(db, key, path, { after: undefined, limit: 1 })).length > 0;
}

/** Finds a table or view on the path of every request. */
export type ObjectReader = (
  catalogId: string,
  namespacePath: string,
  name: string,
  tenantId: string,
) => MaybePromise<ObjectRow | undefined>;

export const createObjectReader = (db: Database): ObjectReader =>
  db.prepareFind<[string, string, string, string], ObjectRow>((catalogId, namespacePath, name, tenantId) =>
    db.read
      .selectFrom('catalog_objects')
      .selectAll()
      .where('catalog_id', '=', catalogId)
      .where('namespace_path', '=', namespacePath)
      .where('name', '=', name)
      .where('tenant_id', '=', tenantId),
  );

export const findObject = (db: Executor, key: CatalogKey, namespacePath: string, name: string) =>
  objects(db, key).where('namespace_path', '=', namespacePath).where('name', '=', name).selectAll().executeTakeFirst();

export function listObjects(
  db: Executor,
  key: CatalogKey,
  kind: ObjectKind,
  namespacePath: string,
  { after, limit }: Window,
) {
  let query = objects(db, key).where('namespace_path', '=', namespacePath).where('kind', '=', kind).select('name');
  if (after !== undefined) query = query.where('name', '>', after);
  if (limit !== undefined) query = query.limit(limit);
  return query.orderBy('name').execute();
}

export const insertObject = (db: Executor, row: Insertable<CatalogObjectsTable>) =>
  db.insertInto('catalog_objects').values(row).execute();

/** Swaps the pointer if it is still what was read; whether it was. */
export async function swapPointer(
  db: Executor,
  row: Pick<ObjectRow, 'id' | 'tenant_id' | 'metadata_location' | 'version'>,
  to: { metadata_location: string; location: string; updated_at: number },
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('catalog_objects')
    .set({ ...to, previous_metadata_location: row.metadata_location, version: Number(row.version) + 1 })
    .where('id', '=', row.id)
    .where('tenant_id', '=', row.tenant_id)
    .where('metadata_location', '=', row.metadata_location)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export const moveObject = (
  db: Executor,
  row: Pick<ObjectRow, 'id' | 'tenant_id'>,
  to: { namespace_path: string; name: string; updated_at: number },
) =>
  db.updateTable('catalog_objects').set(to).where('id', '=', row.id).where('tenant_id', '=', row.tenant_id).execute();

export const deleteObject = (db: Executor, row: Pick<ObjectRow, 'id' | 'tenant_id'>) =>
  db.deleteFrom('catalog_objects').where('id', '=', row.id).where('tenant_id', '=', row.tenant_id).execute();

/** Whether a directory of an object other than `exceptId` is one of some locations, or in a range of them. */
export async function findOverlap(
  db: Executor,
  key: CatalogKey,
  locations: readonly string[],
  range: { from: string; before: string },
  exceptId: string | null,
): Promise<{ object_id: string } | undefined> {
  const others = db
    .selectFrom('object_directories')
    .where('tenant_id', '=', key.tenantId)
    .where('catalog_id', '=', key.catalogId)
    .where('object_id', '!=', exceptId ?? '')
    .select('object_id')
    .limit(1);
  return (
    (await others.where('location', 'in', locations).executeTakeFirst()) ??
    (await others.where('location', '>=', range.from).where('location', '<', range.before).executeTakeFirst())
  );
}

export const listDirectories = (db: Executor, key: CatalogKey, objectId: string) =>
  db
    .selectFrom('object_directories')
    .where('object_id', '=', objectId)
    .where('tenant_id', '=', key.tenantId)
    .select('location')
    .execute();

/** Replaces what is known of where an object's files are. */
export async function writeDirectories(
  db: Executor,
  key: CatalogKey,
  objectId: string,
  locations: readonly string[],
): Promise<void> {
  await db
    .deleteFrom('object_directories')
    .where('object_id', '=', objectId)
    .where('tenant_id', '=', key.tenantId)
    .execute();
  const row = { object_id: objectId, tenant_id: key.tenantId, catalog_id: key.catalogId };
  await db
    .insertInto('object_directories')
    .values(locations.map((location) => ({ ...row, location })))
    .execute();
}

const namespaces = (db: Executor, key: CatalogKey) =>
  db.selectFrom('namespaces').where('tenant_id', '=', key.tenantId).where('catalog_id', '=', key.catalogId);

const objects = (db: Executor, key: CatalogKey) =>
  db.selectFrom('catalog_objects').where('tenant_id', '=', key.tenantId).where('catalog_id', '=', key.catalogId);
