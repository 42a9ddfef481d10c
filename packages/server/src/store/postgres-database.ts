import { PangolinError } from '@pangolin/shared/errors';
import type { CompiledQuery } from 'kysely';
import { createCommitQueue } from './commit-queue.ts';
import type { Database } from './database.ts';
import { createFreshness, type Freshness, type Moment, type Observation } from './freshness.ts';
import { createPostgresCommit } from './postgres-commit.ts';
import { createPostgresKysely } from './postgres-kysely.ts';
import { migratePostgres } from './postgres-migrate.ts';
import { OBSERVE, readObservation } from './postgres-observation.ts';
import { createPostgresPool, onceMore, type PostgresPool } from './postgres-pool.ts';
import { readPostgresUrl } from './postgres-url.ts';
import type { Schema } from './schema.ts';

/** One connection commits, one confirms how fresh this process's knowledge is: neither waits for the other, or for readers. */
const OWN_CONNECTIONS = 2;

const STATEMENT_MS = 5_000;
/** Longer than the database keeps a frozen process's turn, and shorter than the patience of whoever waits. */
const LOCK_MS = 4_000;
const IDLE_IN_TRANSACTION_MS = 2_000;
const ANSWER_MS = 6_000;
/** Later, an answer on how fresh things are is stale by itself. */
const WATCH_ANSWER_MS = 1_000;

/** Nobody asks at night, and clocks drift apart. */
const CLOCK_INTERVAL_MS = 10_000;

/** Opens a PostgreSQL database, making and migrating its tables as needed. Throws `invalid_argument`, `unavailable`, `storage_…`. */
export async function openPostgresDatabase(text: string, wallMs: () => number): Promise<Database> {
  const { url, poolSize, place } = readPostgresUrl(text);
  const limits = {
    statementMs: STATEMENT_MS,
    lockMs: LOCK_MS,
    idleInTransactionMs: IDLE_IN_TRANSACTION_MS,
    answerMs: ANSWER_MS,
  };
  const readers = createPostgresPool(url, { ...limits, max: poolSize, isReadOnly: true });
  const own = createPostgresPool(url, { ...limits, max: OWN_CONNECTIONS, isReadOnly: false });
  const pools = [readers, own];
  const writing = createPostgresKysely<Schema>(own, { readsAgain: false });
  const freshness = createFreshness((moment) => observe(own, moment), wallMs);
  try {
    await migratePostgres(url, place, writing.kysely);
    await freshness.generation();
  } catch (error) {
    await Promise.all(pools.map((pool) => pool.end()));
    throw error;
  }
  const clock = setInterval(
    () => void Promise.resolve(freshness.generation()).catch(() => undefined),
    CLOCK_INTERVAL_MS,
  );
  clock.unref();
  const reading = createPostgresKysely<Schema>(readers, { readsAgain: true });
  const queue = createCommitQueue(createPostgresCommit(own, writing, freshness));
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

async function observe(pool: PostgresPool, moment: () => Moment): Promise<{ observation: Observation; asked: Moment }> {
  const ask = () =>
    pool.use(async (connection) => {
      const asked = moment();
      const [answer] = await connection.run(OBSERVE, { answerMs: WATCH_ANSWER_MS });
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
