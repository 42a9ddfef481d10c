import type { Catalog, CreateCatalog, UpdateCatalog } from '@pangolin/shared/contract/catalogs';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate, isReferenced, readStorageError } from '../store/storage-errors.ts';
import { formatTime, wholeSecond } from '../times.ts';
import { type CatalogRow, deleteCatalogRow, findCatalog, insertCatalog, renameCatalogRow } from './store.ts';
import { chooseWarehouse, locateWarehouse, readWarehouse, requireOwnWarehouse } from './warehouses.ts';

/** Creates a catalog, with sample data if it is asked for; then it is created with it or not at all. */
export async function createCatalog(deps: Deps, caller: Caller, input: CreateCatalog): Promise<Catalog> {
  const catalog = await registerCatalog(deps, caller, input);
  if (input.with_sample_data) await addSampleData(deps, caller, catalog.name);
  return catalog;
}

async function addSampleData(deps: Deps, caller: Caller, name: string): Promise<void> {
  try {
    const { createSampleTable } = await import('../iceberg/sample-data/create-sample-table.ts');
    await createSampleTable(deps, caller, name);
  } catch (cause) {
    const isGone = await deleteCatalog(deps, caller, name).then(
      () => true,
      (err) => {
        deps.log.error({ err, catalog: name }, 'a catalog without its sample data was not removed');
        return false;
      },
    );
    const error = readStorageError(cause);
    if (!(error instanceof PangolinError)) throw error;
    const { code, message, hint, retryAfterSeconds } = error;
    const outcome = isGone
      ? 'The catalog was not created, for its sample data could not be'
      : 'The catalog was created, but not its sample data, and it could not be removed again';
    throw new PangolinError(code, `${outcome}: ${message}`, {
      cause,
      hint: isGone ? hint : `Remove it: pangolin-admin delete-catalog ${name}`,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
    });
  }
}

async function registerCatalog(deps: Deps, caller: Caller, input: CreateCatalog): Promise<Catalog> {
  requirePermission(caller.actor, 'catalogs:write');
  const place = { tenant_id: caller.actor.tenantId, name: input.name };
  const row = {
    ...place,
    id: deps.newId(),
    catalog_type: 'internal' as const,
    created_at: deps.now(),
    created_by: caller.actor.name,
  };
  const named = readWarehouse(deps, caller, input);
  const created = await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findCatalog(tx, row.tenant_id, row.name)) throw nameTaken(row.name);
      if (named !== null) await requireOwnWarehouse(tx, deps, named);
      const catalog = { ...row, warehouse_location: named ?? (await chooseWarehouse(tx, deps, place)) };
      await insertCatalog(tx, catalog);
      await record(tx, deps, caller, 'catalog.created', catalog, { warehouse_location: catalog.warehouse_location });
      return catalog;
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.name) : error;
  });
  return presentCatalog(deps, created);
}

/** Registers the first catalog of a new tenant, called `default`. */
export const createDefaultCatalog = (tx: Executor, row: { id: string; tenant_id: string; created_at: number }) =>
  insertCatalog(tx, { ...row, name: 'default', catalog_type: 'internal', warehouse_location: null, created_by: null });

/** One catalog of the tenant, by name. */
export async function readCatalog(
  deps: Deps,
  caller: Caller,
  name: string,
  db: Executor = deps.db.read,
): Promise<CatalogRow> {
  const row = await findCatalog(db, caller.actor.tenantId, name);
  if (row) return row;
  throw new PangolinError('not_found', `There is no catalog named ${JSON.stringify(name)}.`, {
    hint: 'See them: pangolin-user list-catalogs',
  });
}

/** A catalog by its tenant and name, or undefined if there is none. */
export const findCatalogByName = (deps: Deps, tenantId: string, name: string): Promise<CatalogRow | undefined> =>
  findCatalog(deps.db.read, tenantId, name);

/** Renames a catalog. */
export async function updateCatalog(deps: Deps, caller: Caller, name: string, input: UpdateCatalog): Promise<Catalog> {
  requirePermission(caller.actor, 'catalogs:write');
  return transactAs(
    deps,
    caller,
    async (tx) => {
      const row = await readCatalog(deps, caller, name, tx);
      const newName = input.name ?? row.name;
      if (newName !== row.name) {
        if (await findCatalog(tx, row.tenant_id, newName)) throw nameTaken(newName);
        // The files stay where they are, also where the place was never written down.
        await renameCatalogRow(tx, row.id, { name: newName, warehouse_location: locateWarehouse(deps, row) });
        await record(tx, deps, caller, 'catalog.updated', row, { new_name: newName });
      }
      return presentCatalog(deps, { ...row, warehouse_location: locateWarehouse(deps, row), name: newName });
    },
    { credentials: 'unchanged' },
  );
}

/** Takes a catalog out of the registry. Throws `conflict` for one that has namespaces. */
export async function deleteCatalog(deps: Deps, caller: Caller, name: string): Promise<void> {
  requirePermission(caller.actor, 'catalogs:write');
  await transactAs(
    deps,
    caller,
    async (tx) => {
      const row = await readCatalog(deps, caller, name, tx);
      await deleteCatalogRow(tx, row.id);
      await record(tx, deps, caller, 'catalog.deleted', row, {});
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isReferenced(error) ? notEmpty(name) : error;
  });
}

export const presentCatalog = (deps: Deps, row: CatalogRow): Catalog => ({
  id: row.id,
  name: row.name,
  catalog_type: row.catalog_type,
  warehouse_location: locateWarehouse(deps, row),
  created_at: formatTime(wholeSecond(row.created_at)),
});

const record = (
  tx: Executor,
  deps: Deps,
  caller: Caller,
  action: string,
  row: CatalogRow,
  details: Record<string, unknown>,
) =>
  recordAudit(tx, deps, caller, {
    action,
    resourceType: 'catalog',
    resourceId: row.id,
    resourceName: row.name,
    details,
  });

const notEmpty = (name: string) =>
  new PangolinError('conflict', `The catalog ${JSON.stringify(name)} still has namespaces.`, {
    hint: 'Drop its tables, views and namespaces first.',
  });

const nameTaken = (name: string) =>
  new PangolinError('conflict', `There is a catalog named ${JSON.stringify(name)} already.`, {
    hint: 'Choose another name.',
  });
