import type { CreateCatalog } from '@pangolin/shared/contract/catalogs';
import { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { defaultWarehouseLocation } from '../iceberg/warehouse/default-warehouse.ts';
import { isLocation, isWithin } from '../iceberg/warehouse/location.ts';
import { requireAuthentication } from '../policies/permissions.ts';
import type { Executor } from '../store/schema.ts';
import { type CatalogRow, listAllCatalogs } from './store.ts';

/** Where a catalog keeps its files: what was written down, else the embedded default. */
export const locateWarehouse = (
  { dataDir, installation }: Deps,
  row: Pick<CatalogRow, 'tenant_id' | 'name' | 'warehouse_location'>,
): string =>
  row.warehouse_location ??
  defaultWarehouseLocation({
    dataDir,
    tenantId: row.tenant_id,
    defaultTenantId: installation.defaultTenantId,
    catalogName: row.name,
  });

/**
 * The warehouse a new catalog asks for, or null. Whoever names a place has the server read, write and delete files there,
 * with the server's own rights: a directory of its machine is root's to name, and a bucket root's or the default tenant's
 * administrators', who run the installation. Throws `invalid_request` and `forbidden`.
 */
export function readWarehouse(deps: Deps, { actor }: Caller, { warehouse_location }: CreateCatalog): string | null {
  if (warehouse_location === undefined) return null;
  const location = deps.warehouses.requireWarehouseLocation(warehouse_location);
  requireAuthentication(actor, 'a warehouse of your choice');
  const isOperator = actor.tenantId === deps.installation.defaultTenantId && actor.role === 'tenant-admin';
  if (actor.role === 'root' || (isOperator && !location.startsWith('file:'))) return location;
  const where = location.startsWith('file:') ? 'in a directory of the server' : 'in a bucket';
  throw new PangolinError('forbidden', `To name a warehouse ${where} takes the role root; yours is ${actor.role}.`, {
    hint: 'Leave the warehouse out, or ask whoever runs the server.',
  });
}

/** The embedded default of a new catalog: a catalog that was renamed keeps the place that its old name would have. */
export async function chooseWarehouse(tx: Executor, deps: Deps, row: Pick<CatalogRow, 'tenant_id' | 'name'>) {
  const location = locateWarehouse(deps, { ...row, warehouse_location: null });
  return (await isTaken(tx, deps, location)) ? `${location}-${deps.randomBytes(4).toString('hex')}` : location;
}

/** Throws `conflict` when another catalog, of whichever tenant, keeps its files at, in or around a location. */
export async function requireOwnWarehouse(tx: Executor, deps: Deps, location: string): Promise<void> {
  if (!(await isTaken(tx, deps, location))) return;
  throw new PangolinError('conflict', `Another catalog keeps its files at, in or around ${location}.`, {
    hint: 'Choose a location that no catalog uses.',
  });
}

async function isTaken(tx: Executor, deps: Deps, location: string): Promise<boolean> {
  const overlaps = (other: string) =>
    isWithin(location, other, { orRoot: true }) || (isLocation(other) && isWithin(other, location, { orRoot: true }));
  const rows = await listAllCatalogs(tx);
  return rows.some((row) => overlaps(locateWarehouse(deps, row)));
}
