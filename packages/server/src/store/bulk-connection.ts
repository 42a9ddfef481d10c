import { closeSync, openSync } from 'node:fs';
import type { Kysely } from 'kysely';
import { migrate } from './migrate.ts';
import type { Executor, Schema } from './schema.ts';
import { openSqlite, retryWhileBusy } from './sqlite.ts';
import { readStorageError } from './storage-errors.ts';

/** One connection for copying everything, in a transaction that takes as long as it takes. */
export interface BulkConnection {
  /** Runs queries on the connection: within the transaction, once it has begun. */
  db: Executor;
  /** The database, without a password, for messages. */
  place: string;
  /** Begins the transaction, in which nobody else writes to the database. */
  begin(): Promise<void>;
  commit(): Promise<void>;
  /** Takes back what was not committed. */
  close(): Promise<void>;
}

/** Whoever is writing finishes first. */
const LOCK_PATIENCE_MS = 30_000;

/** Opens a database for copying, making and migrating its tables as needed. */
export async function openBulkConnection(target: { file: string } | { url: string }): Promise<BulkConnection> {
  if ('file' in target) return openSqliteBulk(target.file);
  const { openPostgresBulk } = await import('./postgres-bulk.ts');
  return openPostgresBulk(target.url).catch((error) => {
    throw readStorageError(error);
  });
}

async function openSqliteBulk(file: string): Promise<BulkConnection> {
  try {
    closeSync(openSync(file, 'a', 0o600));
    const { raw, kysely } = await openSqlite<Schema>(file, { readOnly: false });
    await retryWhileBusy(() => migrate(kysely as Kysely<unknown>));
    return {
      db: kysely,
      place: file,
      async begin() {
        await retryWhileBusy(() => raw.exec('begin immediate'), LOCK_PATIENCE_MS);
        // Rows are replaced table by table.
        raw.exec('pragma defer_foreign_keys = on');
      },
      async commit() {
        raw.exec('commit');
      },
      async close() {
        if (raw.isTransaction) raw.exec('rollback');
        await kysely.destroy();
      },
    };
  } catch (error) {
    throw readStorageError(error);
  }
}
