import type { Context } from './catalog.ts';
import { purgeTable } from './purge/purge-table.ts';
import type { ObjectRow } from './store.ts';
import { listOwnDirectories, TABLE_FORMAT } from './tables.ts';
import { isWithin } from './warehouse/location.ts';

/** Deletes the files of a table that was dropped: of those its metadata names, the ones in directories of its own. */
export async function purgeDropped({ deps, catalog }: Context, row: ObjectRow): Promise<void> {
  const { warehouse } = catalog;
  const { metadata } = await deps.iceberg.files.read(warehouse, TABLE_FORMAT, row.metadata_location);
  const own = listOwnDirectories(metadata).filter((location) => isWithin(warehouse.root, location));
  await purgeTable(deps, {
    warehouse,
    metadata,
    metadataLocation: row.metadata_location,
    mayDelete: (location) => own.some((directory) => isWithin(directory, location)),
  });
}
