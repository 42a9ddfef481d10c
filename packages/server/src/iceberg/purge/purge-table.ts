import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../../deps.ts';
import { type DroppedTable, listPurgeFiles, type Skipped } from './purge-files.ts';

/** S3 deletes as many with one request. */
const BATCH_SIZE = 1_000;

/** How a purge ended. `removed` counts what was asked to be deleted, whether it was there or not. */
export interface Purged extends Skipped {
  removed: number;
  /** False: the storage failed, and the files not reached yet are still there, with what leads to them. */
  isComplete: boolean;
}

/**
 * Deletes the files of a table whose drop is committed. For the background: it never rejects, holds one manifest and 1,000
 * locations at a time, and logs how it went. When the storage fails it ends, before anything is deleted that leads to what
 * is left. `gc.enabled` is for the caller to heed.
 */
export async function purgeTable(deps: Pick<Deps, 'log'>, table: DroppedTable): Promise<Purged> {
  const { log } = deps;
  const about = { table_uuid: table.metadata['table-uuid'], location: table.metadata.location };
  const skipped: Skipped = { refused: 0, unreadable: 0 };
  let removed = 0;

  async function remove(batch: readonly string[]): Promise<void> {
    await table.warehouse.remove(batch).catch((err) => {
      // A directory, say. The others of the batch are gone.
      if (!(err instanceof PangolinError) || err.code !== 'invalid_request') throw err;
      log.warn({ err, ...about }, 'something that a dropped table names is no file that can be deleted');
    });
    removed += batch.length;
  }

  async function removeAll(locations: AsyncIterable<string>): Promise<void> {
    let batch: string[] = [];
    for await (const location of locations) {
      if (batch.push(location) < BATCH_SIZE) continue;
      await remove(batch);
      batch = [];
    }
    if (batch.length > 0) await remove(batch);
  }

  try {
    for (const stage of listPurgeFiles(table, skipped, log)) await removeAll(stage);
    log.info({ ...about, removed, ...skipped }, 'the files of a dropped table were deleted');
    return { removed, ...skipped, isComplete: true };
  } catch (err) {
    log.error({ err, ...about, removed, ...skipped }, 'the files of a dropped table could not all be deleted');
    return { removed, ...skipped, isComplete: false };
  }
}
