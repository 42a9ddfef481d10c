import type { Catalog, CreateCatalog, UpdateCatalog } from '@pangolin/shared/contract/catalogs';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { formatTime, wholeSecond } from '../times.ts';
import { type CatalogRow, deleteCatalogRow, findCatalog, insertCatalog, renameCatalogRow } from './store.ts';

/** Registers a catalog. */
export async function createCatalog(deps: Deps, caller: Caller, input: CreateCatalog): Promise<Catalog> {
  requirePermission(caller.actor, 'catalogs:write');
  const row: CatalogRow = {
    id: deps.newId(),
    tenant_id: caller.actor.tenantId,
    name: input.name,
    catalog_type: 'internal',
    warehouse_location: input.warehouse_location ?? null,
    created_at: deps.now(),
    created_by: caller.actor.name,
  };
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findCatalog(tx, row.tenant_id, row.name)) throw nameTaken(row.name);
      await insertCatalog(tx, row);
      await record(tx, deps, caller, 'catalog.created', row, { warehouse_location: row.warehouse_location });
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.name) : error;
  });
  return presentCatalog(row);
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
        await renameCatalogRow(tx, row.id, newName);
        await record(tx, deps, caller, 'catalog.updated', row, { new_name: newName });
      }
      return presentCatalog({ ...row, name: newName });
    },
    { credentials: 'unchanged' },
  );
}

/** Takes a catalog out of the registry. */
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
  );
}

export const presentCatalog = (row: CatalogRow): Catalog => ({
  id: row.id,
  name: row.name,
  catalog_type: row.catalog_type,
  warehouse_location: row.warehouse_location,
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

const nameTaken = (name: string) =>
  new PangolinError('conflict', `There is a catalog named ${JSON.stringify(name)} already.`, {
    hint: 'Choose another name.',
  });
