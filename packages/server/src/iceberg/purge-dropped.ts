import type { Context } from './catalog.ts';
import { isTaken } from './places.ts';
import { purgeTable } from './purge/purge-table.ts';
import type { ObjectRow } from './store.ts';
import { listOwnDirectories, TABLE_FORMAT } from './tables.ts';
import { isWithin, requireWithin } from './warehouse/location.ts';

/**
 * Deletes the files of a table that was dropped: of those its metadata names, the ones in directories that are its own and
 * nobody else's. One purge at a time: what clients wrote into manifests may take much memory to read.
 */
export function purgeDropped(context: Context, row: ObjectRow): Promise<void> {
  const { deps, catalog } = context;
  const { warehouse } = catalog;
  return deps.iceberg.locks.run(['purge'], async () => {
    const { metadata } = await deps.iceberg.files.read(warehouse, TABLE_FORMAT, row.metadata_location);
    const own: string[] = [];
    for (const directory of listOwnDirectories(metadata).filter((one) => isWithin(warehouse.root, one))) {
      const location = requireWithin(warehouse.root, directory, 'The directory');
      if (!(await isTaken(deps.db.read, context, location, row.id))) own.push(location);
    }
    await purgeTable(deps, {
      warehouse,
      metadata,
      metadataLocation: row.metadata_location,
      mayDelete: (location) => own.some((directory) => isWithin(directory, location)),
    });
  });
}
