import type { CreateCatalog } from '@pangolin/shared/contract/catalogs';
import { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { defaultWarehouseLocation } from '../iceberg/warehouse/default-warehouse.ts';
import { isLocation, isWithin } from '../iceberg/warehouse/location.ts';
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
 * The warehouse a new catalog asks for, or null. A directory of the server's own machine is root's to give: whoever names
 * one has the server write and delete files in it. Throws `invalid_request` and `forbidden`.
 */
export function readWarehouse(deps: Deps, { actor }: Caller, { warehouse_location }: CreateCatalog): string | null {
  if (warehouse_location === undefined) return null;
  const location = deps.warehouses.requireWarehouseLocation(warehouse_location);
  if (actor.role === 'root' || !location.startsWith('file:')) return location;
  throw new PangolinError(
    'forbidden',
    `A warehouse in a directory of the server needs the role root; yours is ${actor.role}.`,
    {
      hint: 'Leave the warehouse out, name one on S3 (s3://bucket/path), or ask whoever runs the server.',
    },
  );
}

/** Throws `conflict` when another catalog, of whichever tenant, keeps its files at, in or around a location. */
export async function requireOwnWarehouse(tx: Executor, deps: Deps, location: string): Promise<void> {
  const overlaps = (other: string) =>
    isWithin(location, other, { orRoot: true }) || (isLocation(other) && isWithin(other, location, { orRoot: true }));
  const rows = await listAllCatalogs(tx);
  if (!rows.some((row) => overlaps(locateWarehouse(deps, row)))) return;
  throw new PangolinError('conflict', `Another catalog keeps its files at, in or around ${location}.`, {
    hint: 'Choose a location that no catalog uses.',
  });
}
