import { PangolinError } from '@pangolin/shared/errors';
import type { CompiledQuery } from 'kysely';
import { monotonicMs } from '../times.ts';
import { ByteOrder } from './byte-order.ts';
import { createCommitQueue, PATIENCE_MS } from './commit-queue.ts';
import type { Database } from './database.ts';
import { createFreshness, type Freshness, type Moment, type Observation } from './freshness.ts';
import { migrate } from './migrate.ts';
import { createPostgresCommit } from './postgres-commit.ts';
import { explainPostgresError, isMadeMeanwhile, isTransient } from './postgres-errors.ts';
import { createPostgresKysely } from './postgres-kysely.ts';
import { OBSERVE, readObservation } from './postgres-observation.ts';
import { createPostgresPool, onceMore, type PostgresPool } from './postgres-pool.ts';
import { readPostgresUrl } from './postgres-url.ts';
import { retryWhile } from './retry.ts';
import type { Schema } from './schema.ts';

/** One connection commits, one confirms how fresh this process's knowledge is: neither waits for readers. */
const WRITE_CONNECTIONS = 1;
const WATCH_CONNECTIONS = 1;

const STATEMENT_MS = 5_000;
/** Longer than the database keeps a frozen process's turn, and shorter than the patience of whoever waits. */
const LOCK_MS = 4_000;
const IDLE_IN_TRANSACTION_MS = 2_000;
const ANSWER_MS = 6_000;
/** Later, an answer on how fresh things are is stale by itself. */
const WATCH_ANSWER_MS = 1_000;
const MIGRATING_MS = 10 * 60_000;

/** Nobody asks at night, and clocks drift apart. */
const CLOCK_INTERVAL_MS = 10_000;

/** Opens a PostgreSQL database, making and migrating its tables as needed. Throws `invalid_argument`, `unavailable`, `storage_…`. */
export async function openPostgresDatabase(text: string, wallMs: () => number): Promise<Database> {
  const { url, poolSize, place } = readPostgresUrl(text);
  const limits = { statementMs: STATEMENT_MS, lockMs: LOCK_MS, idleInTransactionMs: IDLE_IN_TRANSACTION_MS };
  await migratePostgres(url, place);
  const readers = createPostgresPool(url, { ...limits, max: poolSize, isReadOnly: true, answerMs: ANSWER_MS });
  const writers = createPostgresPool(url, {
    ...limits,
    max: WRITE_CONNECTIONS,
    isReadOnly: false,
    answerMs: ANSWER_MS,
  });
  const watchers = createPostgresPool(url, {
    ...limits,
    max: WATCH_CONNECTIONS,
    isReadOnly: true,
    answerMs: WATCH_ANSWER_MS,
  });
  const pools = [readers, writers, watchers];

  const freshness = createFreshness((moment) => observe(watchers, moment), wallMs);
  await Promise.resolve(freshness.generation()).catch(async (error) => {
    await Promise.all(pools.map((pool) => pool.end()));
    throw error;
  });
  const clock = setInterval(
    () => void Promise.resolve(freshness.generation()).catch(() => undefined),
    CLOCK_INTERVAL_MS,
  );
  clock.unref();
  const reading = createPostgresKysely<Schema>(readers, { readsAgain: true });
  const queue = createCommitQueue(
    createPostgresCommit(writers, createPostgresKysely<Schema>(writers, { readsAgain: false }), freshness),
  );
  let commits = 0;

  return {
    engine: 'postgres',
    read: reading.kysely,
    transact: queue.transact,
    prepareFind<Keys extends string[], Row>(build: (...keys: Keys) => { compile(): CompiledQuery<Row> }) {
      let compiled: CompiledQuery<Row> | undefined;
      return (...keys: Keys) => {
        compiled ??= build(...keys).compile();
        return findFresh(readers, freshness, { ...compiled, parameters: keys });
      };
    },
    prepareRows<Keys extends (string | number)[]>(build: (...keys: Keys) => { compile(): CompiledQuery }) {
      let compiled: CompiledQuery | undefined;
      return (...keys: Keys) => {
        compiled ??= build(...keys).compile();
        const query = { ...compiled, parameters: keys };
        return onceMore(() => readers.use((connection) => connection.readRows(query)));
      };
    },
    credentialGeneration: freshness.generation,
    // Other processes commit without a word: what is remembered of the database is good for one use.
    commitGeneration: () => ++commits,
    now: freshness.now,
    poolStats() {
      const stats = pools.map((pool) => pool.stats());
      const sum = (name: 'total' | 'idle' | 'waiting') => stats.reduce((all, one) => all + one[name], 0);
      return { total: sum('total'), idle: sum('idle'), waiting: sum('waiting') };
    },
    async checkpoint() {
      await queue.idle();
    },
    async close() {
      clearInterval(clock);
      await queue.idle();
      freshness.forget();
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

async function observe(
  watchers: PostgresPool,
  moment: () => Moment,
): Promise<{ observation: Observation; asked: Moment }> {
  const ask = () =>
    watchers.use(async (connection) => {
      const asked = moment();
      const [answer] = await connection.run(OBSERVE);
      return { observation: readObservation(answer), asked };
    });
  return onceMore(ask);
}

/** A row that was asked for less than a second before it is handed over: a process that was frozen meanwhile asks again. */
async function findFresh<Row>(
  readers: PostgresPool,
  freshness: Freshness,
  query: CompiledQuery<Row>,
): Promise<Row | undefined> {
  const ask = () =>
    readers.use(async (connection) => {
      const asked = freshness.moment();
      const { rows } = await connection.executeQuery<Row>(query);
      return { row: rows[0], asked };
    });
  for (let attempts = 0; attempts < 3; attempts += 1) {
    const { row, asked } = await onceMore(ask);
    if (freshness.isTrusted(asked)) return row;
  }
  throw new PangolinError('unavailable', 'The database answers too slowly.', {
    hint: 'Try again in a moment.',
    retryAfterSeconds: 1,
  });
}

/** Several processes may open an empty database at once: one makes the tables, the others wait for it. */
export async function migratePostgres(url: URL, place: string): Promise<void> {
  const pool = createPostgresPool(url, {
    max: 1,
    isReadOnly: false,
    statementMs: 0,
    lockMs: 0,
    idleInTransactionMs: MIGRATING_MS,
    answerMs: MIGRATING_MS,
  });
  const { kysely } = createPostgresKysely<unknown>(pool, { readsAgain: false });
  const step = async () => {
    await refuseOtherEncodings(pool);
    await migrate(kysely.withPlugin(new ByteOrder()));
  };
  try {
    const passes = (error: unknown) => isTransient(error) || isMadeMeanwhile(error);
    await retryWhile(passes, step, { deadlineMs: monotonicMs() + PATIENCE_MS, longestPauseMs: 500 });
  } catch (error) {
    throw nameDatabase(error, place);
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
