import { PangolinError } from '@pangolin/shared/errors';
import type { Context } from './catalog.ts';
import { dropObject } from './drop.ts';
import type { Identifier } from './identifiers.ts';
import { findRow, requireKind } from './objects.ts';
import { TABLE_FORMAT } from './tables.ts';

/** Long enough for most tables; the rest goes on after the answer. */
const PATIENCE_MS = 5_000;

/**
 * Drops a table. With `purge` its files go too, once the drop is committed: of those its metadata names, the ones that lie
 * in its own directories; a table whose metadata cannot be read is dropped, and its files stay.
 * Throws `invalid_request` for a purge of a table whose property `gc.enabled` is false, and
 * `commit_failed` for one that is changed at the same moment.
 */
export async function dropTable(
  context: Context,
  identifier: Identifier,
  { purge }: { purge: boolean },
): Promise<void> {
  const { deps } = context;
  const judged = purge ? { judged: await requirePurgeable(context, identifier) } : {};
  const { row, directories } = await dropObject(context, TABLE_FORMAT, identifier, { details: { purge }, ...judged });
  if (!purge) return;
  const purging = import('./purge-dropped.ts')
    .then(({ purgeDropped }) => purgeDropped(context, row, directories))
    .catch((err) => deps.log.error({ err, table: row.id }, 'files of a dropped table not deleted'));
  deps.iceberg.background.add(purging);
  await Promise.race([purging, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
}

/** Answers the metadata file that was looked at. */
async function requirePurgeable(context: Context, identifier: Identifier): Promise<string> {
  const { deps, catalog } = context;
  const row = await findRow(context, identifier);
  requireKind(TABLE_FORMAT, identifier, row);
  try {
    const { metadata } = await deps.iceberg.files.read(catalog.warehouse, TABLE_FORMAT, row.metadata_location);
    if (metadata.properties['gc.enabled']?.trim().toLowerCase() !== 'false') return row.metadata_location;
  } catch (err) {
    deps.log.warn({ err, table: row.id }, 'a table without readable metadata is dropped');
    return row.metadata_location;
  }
  throw new PangolinError('invalid_request', 'Cannot purge table: GC is disabled (gc.enabled is false).');
}
