import {
  CompiledQuery,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryExecutor,
  sql,
} from 'kysely';
import { onceMore, type PostgresPool } from './postgres-pool.ts';

/** Kysely over a pool, and what it is made of. */
export interface PostgresKysely<Schema> {
  kysely: Kysely<Schema>;
  dialect: Dialect;
  /** For queries on one connection. */
  executorOf(connection: DatabaseConnection): QueryExecutor;
}

/** Runs each query on whichever connection is free; once more if the connection turns out to be lost, for reading. */
export function createPostgresKysely<Schema>(
  pool: PostgresPool,
  options: { readsAgain: boolean },
): PostgresKysely<Schema> {
  const driver = createDriver(pool);
  const adapter = new RowLockAdapter();
  const compiler = new PostgresQueryCompiler();
  const dialect: Dialect = {
    createAdapter: () => adapter,
    createDriver: () => driver,
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => compiler,
  };
  const executor = new DefaultQueryExecutor(compiler, adapter, {
    provideConnection: (consumer) => (options.readsAgain ? onceMore(() => pool.use(consumer)) : pool.use(consumer)),
  });
  return {
    kysely: new Kysely<Schema>({ config: { dialect }, dialect, driver, executor }),
    dialect,
    executorOf: (connection) => new DefaultQueryExecutor(compiler, adapter, oneAfterAnother(connection)),
  };
}

/** A transaction has one connection, and that does one thing at a time. */
function oneAfterAnother(connection: DatabaseConnection): ConstructorParameters<typeof DefaultQueryExecutor>[2] {
  let last: Promise<unknown> = Promise.resolve();
  return {
    provideConnection(consumer) {
      const mine = last.then(() => consumer(connection));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

/** Lets one of several processes migrate at a time by locking a row: no lock outlives its transaction. */
class RowLockAdapter extends PostgresAdapter {
  override async acquireMigrationLock(...[db, { lockTable, lockRowId }]: LockArguments): Promise<void> {
    await sql`select id from ${sql.table(lockTable)} where id = ${lockRowId} for update`.execute(db);
  }

  override async releaseMigrationLock(): Promise<void> {}
}

type LockArguments = Parameters<PostgresAdapter['acquireMigrationLock']>;

const createDriver = (pool: PostgresPool): Driver => ({
  async init() {},
  async acquireConnection() {
    throw new Error('Connections come from the pool.');
  },
  async releaseConnection() {},
  async beginTransaction(connection) {
    await connection.executeQuery(CompiledQuery.raw('begin isolation level read committed'));
  },
  async commitTransaction(connection) {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  },
  async rollbackTransaction(connection) {
    await connection.executeQuery(CompiledQuery.raw('rollback'));
  },
  destroy: () => pool.end(),
});
