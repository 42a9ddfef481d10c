import type { Context } from './catalog.ts';
import { purgeTable } from './purge/purge-table.ts';
import type { ObjectRow } from './store.ts';
import { TABLE_FORMAT } from './tables.ts';
import { isWithin } from './warehouse/location.ts';

/**
 * Deletes the files of a table that was dropped: of those its metadata names, the ones in the directories that were its
 * own when it was dropped. One purge of a tenant at a time: what clients wrote into manifests may take much memory to read.
 */
export function purgeDropped({ deps, catalog }: Context, row: ObjectRow, own: readonly string[]): Promise<void> {
  const { warehouse } = catalog;
  return deps.iceberg.locks.run([`purge ${catalog.tenantId}`], async () => {
    const { metadata } = await deps.iceberg.files.read(warehouse, TABLE_FORMAT, row.metadata_location);
    await purgeTable(deps, {
      warehouse,
      metadata,
      metadataLocation: row.metadata_location,
      mayDelete: (location) => own.some((directory) => isWithin(directory, location)),
    });
  });
}
