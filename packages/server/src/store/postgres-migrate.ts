import { PangolinError } from '@pangolin/shared/errors';
import type { Kysely } from 'kysely';
import { monotonicMs } from '../times.ts';
import { ByteOrder } from './byte-order.ts';
import { PATIENCE_MS } from './commit-queue.ts';
import { MIGRATION_NAMES, migrate, refuseTooNew } from './migrate.ts';
import { explainPostgresError, isMadeMeanwhile, isTransient } from './postgres-errors.ts';
import { createPostgresKysely } from './postgres-kysely.ts';
import { createPostgresPool, type PostgresPool } from './postgres-pool.ts';
import { retryWhile } from './retry.ts';
import type { Schema } from './schema.ts';

const MIGRATING_MS = 10 * 60_000;

/**
 * Brings a PostgreSQL database up to this release's schema, if a look through `db` says that it is not. Several processes
 * may open an empty database at once: one makes the tables, the others wait for it. `place` is what messages call it.
 */
export async function migratePostgres(url: URL, place: string, db: Kysely<Schema>): Promise<void> {
  const step = async () => {
    const applied = await refuseTooNew(db);
    if (applied.length < MIGRATION_NAMES.length) await migrateAlone(url);
  };
  const passes = (error: unknown) => isTransient(error) || isMadeMeanwhile(error);
  try {
    await retryWhile(passes, step, { deadlineMs: monotonicMs() + PATIENCE_MS, longestPauseMs: 500 });
  } catch (error) {
    throw nameDatabase(error, place);
  }
}

/** On a connection whose statements may take their time. */
async function migrateAlone(url: URL): Promise<void> {
  const pool = createPostgresPool(url, {
    max: 1,
    isReadOnly: false,
    statementMs: 0,
    lockMs: 0,
    idleInTransactionMs: MIGRATING_MS,
    answerMs: MIGRATING_MS,
  });
  try {
    await refuseOtherEncodings(pool);
    await migrate(createPostgresKysely<unknown>(pool, { readsAgain: false }).kysely.withPlugin(new ByteOrder()));
  } finally {
    await pool.end();
  }
}

async function refuseOtherEncodings(pool: PostgresPool): Promise<void> {
  const [answer] = await pool.use((connection) => connection.run('show server_encoding'));
  const encoding = answer?.rows[0]?.server_encoding;
  if (encoding === 'UTF8') return;
  throw new PangolinError('unavailable', `The database is encoded in ${encoding}; Pangolin needs UTF8.`, {
    hint: "create database pangolin encoding 'UTF8' template template0",
  });
}

/** Whoever starts a server has to know which database it is about, and what the driver has to say. */
function nameDatabase(error: unknown, place: string): unknown {
  const explained = explainPostgresError(error);
  if (!explained || !(error instanceof Error)) return error;
  const { code, message, hint } = explained;
  return new PangolinError(code, `${message} (PostgreSQL at ${place}: ${error.message})`, { cause: error, hint });
}
