import type { BulkConnection } from './bulk-connection.ts';
import { createPostgresKysely } from './postgres-kysely.ts';
import { migratePostgres } from './postgres-migrate.ts';
import { OBSERVE } from './postgres-observation.ts';
import { createPostgresPool, type PostgresConnection, type PostgresPool } from './postgres-pool.ts';
import { readPostgresUrl } from './postgres-url.ts';
import type { Schema } from './schema.ts';
import { openUnitTransaction } from './unit-transaction.ts';

/** Whoever is writing finishes first. */
const LOCK_MS = 30_000;
/** The source is read between two statements, and a frozen process must not hold the writers' turn for ever. */
const IDLE_IN_TRANSACTION_MS = 5 * 60_000;
const ANSWER_MS = 30 * 60_000;

/** Opens a PostgreSQL database for copying. Throws `invalid_argument`, `unavailable`, `storage_…`. */
export async function openPostgresBulk(text: string): Promise<BulkConnection> {
  const { url, place } = readPostgresUrl(text);
  const pool = createPostgresPool(url, {
    max: 1,
    isReadOnly: false,
    statementMs: 0,
    lockMs: LOCK_MS,
    idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
    answerMs: ANSWER_MS,
  });
  const { kysely, dialect, executorOf } = createPostgresKysely<Schema>(pool, { readsAgain: false });
  const { connection, release } = await migratePostgres(url, place, kysely)
    .then(() => hold(pool))
    .catch(async (error) => {
      await pool.end();
      throw error;
    });
  const view = openUnitTransaction(dialect, executorOf(connection));
  let isOpen = false;
  return {
    db: view.tx,
    place: `postgres://${place}`,
    async begin() {
      // The row by which the writers of all servers take turns.
      await connection.run(`begin isolation level read committed; ${OBSERVE} for update`);
      isOpen = true;
    },
    async commit() {
      isOpen = false;
      const results = await connection.run('commit');
      if (results.at(-1)?.command !== 'COMMIT') throw new Error('The copy was taken back instead of committed.');
    },
    async close() {
      // A connection that is lost has nothing to take back.
      if (isOpen) await connection.run('rollback').catch(() => undefined);
      view.end();
      release();
      await pool.end();
    },
  };
}

/** A pool lends a connection for as long as somebody works with it. */
const hold = (pool: PostgresPool): Promise<{ connection: PostgresConnection; release: () => void }> =>
  new Promise((resolve, reject) => {
    pool.use((connection) => new Promise<void>((release) => resolve({ connection, release }))).catch(reject);
  });
