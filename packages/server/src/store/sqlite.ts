import { PangolinError } from '@pangolin/shared/errors';
import { DatabaseSync, type DatabaseSyncInstance, type StatementSyncInstance } from '@photostructure/sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  Kysely,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteStatement,
} from 'kysely';
import { monotonicMs } from '../times.ts';
import { PATIENCE_MS } from './commit-queue.ts';
import { retryWhile } from './retry.ts';
import { isBusy } from './storage-errors.ts';

/** Older releases can corrupt a WAL database that several processes write. */
const OLDEST_SAFE_SQLITE = [3, 51, 3] as const;

/** Longer would freeze the event loop: the driver is synchronous. */
const BUSY_TIMEOUT_MS = 20;

const MAX_STATEMENTS = 500;

/** One connection: the raw handle for pragmas, Kysely for everything else. */
export interface SqliteConnection<Schema> {
  raw: DatabaseSyncInstance;
  dialect: Dialect;
  kysely: Kysely<Schema>;
}

/** Opens a connection to a SQLite file in WAL mode with durable commits. */
export async function openSqlite<Schema>(
  path: string,
  options: { readOnly: boolean },
): Promise<SqliteConnection<Schema>> {
  const raw = new DatabaseSync(path, { readOnly: options.readOnly });
  try {
    // Where several processes open a new database at once, any first step may find it locked.
    await retryWhileBusy(() => configure(raw, options.readOnly));
  } catch (error) {
    raw.close();
    throw error;
  }
  const dialect = createDialect(raw);
  return { raw, dialect, kysely: new Kysely<Schema>({ dialect }) };
}

function configure(raw: DatabaseSyncInstance, readOnly: boolean): void {
  raw.exec(`pragma busy_timeout = ${BUSY_TIMEOUT_MS}`);
  refuseUnsafeVersion(raw);
  if (readOnly) return;
  const mode = raw.prepare('pragma journal_mode').get() as { journal_mode: string };
  if (mode.journal_mode !== 'wal') raw.exec('pragma journal_mode = wal');
  raw.exec('pragma synchronous = full; pragma foreign_keys = on; pragma trusted_schema = off');
}

/** Runs a step again, with jitter, for as long as another process holds the lock and patience lasts. */
export const retryWhileBusy = <T>(step: () => T | Promise<T>, patienceMs = PATIENCE_MS): Promise<T> =>
  retryWhile(isBusy, step, { deadlineMs: monotonicMs() + patienceMs, longestPauseMs: 15 });

function refuseUnsafeVersion(raw: DatabaseSyncInstance): void {
  const { version } = raw.prepare('select sqlite_version() as version').get() as { version: string };
  const parts = version.split('.').map(Number);
  for (const [i, oldest] of OLDEST_SAFE_SQLITE.entries()) {
    const part = parts[i] ?? 0;
    if (part > oldest) return;
    if (part < oldest) {
      throw new PangolinError(
        'unavailable',
        `SQLite ${version} is too old; ${OLDEST_SAFE_SQLITE.join('.')} or newer is needed.`,
      );
    }
  }
}

function createDialect(raw: DatabaseSyncInstance): Dialect {
  const database = cacheStatements(raw);
  return {
    createAdapter: () => new TransactionalAdapter(),
    createDriver: () => new ImmediateDriver({ database }),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

/**
 * Lets migrations run in one transaction: of several processes at once one runs them, and a process that dies leaves
 * nothing half-made. SQLite can; Kysely's own adapter says no for the sake of pragmas that migrations here do not use.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Takes the write lock when a transaction begins, not at its first write, where waiting is no longer possible. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await retryWhileBusy(() => connection.executeQuery(CompiledQuery.raw('begin immediate')));
  }

  /** A full disk or an I/O error has rolled everything back already: what failed is told, not that this has. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      // Throws at once, and rejects nothing.
      await connection.executeQuery(CompiledQuery.raw('rollback'));
    } catch (error) {
      if (!(error instanceof Error && /no transaction is active/.test(error.message))) throw error;
    }
  }
}

/** Kysely's view of a connection; statements are prepared once. */
function cacheStatements(raw: DatabaseSyncInstance): SqliteDatabase {
  const statements = new Map<string, SqliteStatement>();
  return {
    close: () => raw.close(),
    prepare(sql) {
      let statement = statements.get(sql);
      if (!statement) {
        statement = adaptStatement(raw.prepare(sql));
        if (statements.size >= MAX_STATEMENTS) statements.clear();
        // A statement that changes the schema is prepared against the schema before it: never kept.
        if (!/^\s*(create|drop|alter)/i.test(sql)) statements.set(sql, statement);
      }
      return statement;
    },
  };
}

function adaptStatement(statement: StatementSyncInstance): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...(parameters as never[])),
    run: (parameters) => statement.run(...(parameters as never[])) as { changes: number; lastInsertRowid: number },
    iterate: (parameters) => statement.iterate(...(parameters as never[])) as IterableIterator<unknown>,
  };
}

/** A query for one row by its key. The driver hands over an array in half the time of an object. */
export function preparePointQuery<Row>(raw: DatabaseSyncInstance, sql: string): (...keys: string[]) => Row | undefined {
  const statement = raw.prepare(sql);
  const names = statement.columns().map((column) => column.name);
  statement.setReturnArrays(true);
  return (...keys) => {
    const values = statement.get(...keys) as unknown[] | undefined;
    if (!values) return undefined;
    const row: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i += 1) row[names[i] as string] = values[i];
    return row as Row;
  };
}

/** A query for many rows, each an array of its columns. */
export function prepareRowsQuery<Keys extends (string | number)[]>(
  raw: DatabaseSyncInstance,
  sql: string,
): (...keys: Keys) => unknown[][] {
  const statement = raw.prepare(sql);
  statement.setReturnArrays(true);
  return (...keys) => statement.all(...keys) as unknown[] as unknown[][];
}
