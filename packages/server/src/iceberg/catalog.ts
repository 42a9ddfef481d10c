import { PangolinError } from '@pangolin/shared/errors';
import { findCatalogByName } from '../catalogs/catalogs.ts';
import { locateWarehouse } from '../catalogs/warehouses.ts';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { CatalogKey } from './store.ts';
import type { Warehouse } from './warehouse/warehouse.ts';

/** A catalog whose tables are asked for. */
export interface OpenCatalog extends CatalogKey {
  name: string;
  warehouse: Warehouse;
}

/** Whom and what a change is about. */
export interface Context {
  deps: Deps;
  caller: Caller;
  catalog: OpenCatalog;
}

/** Opens a catalog of the caller's tenant. Throws `warehouse_not_found`. */
export function openCatalog(deps: Deps, { actor }: Caller, name: string): MaybePromise<OpenCatalog> {
  return deps.iceberg.recent.recall(`catalog ${actor.tenantId} ${name}`, async () => {
    const row = await findCatalogByName(deps, actor.tenantId, name);
    if (!row) throw new PangolinError('warehouse_not_found', `Warehouse does not exist: ${name}`);
    const warehouse = await deps.warehouses.open(locateWarehouse(deps, row));
    return { tenantId: row.tenant_id, catalogId: row.id, name: row.name, warehouse };
  });
}
