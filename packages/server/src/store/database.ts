import type { CompiledQuery, Kysely } from 'kysely';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Unit } from './commit-queue.ts';
import type { Schema } from './schema.ts';
import { openSqliteDatabase } from './sqlite-database.ts';
import { readStorageError } from './storage-errors.ts';

export type { Unit };

/** How many connections there are; `waiting` counts the queries that wait for one. */
export interface PoolStats {
  total: number;
  idle: number;
  waiting: number;
}

export interface Database {
  engine: 'sqlite' | 'postgres';
  /** For reading what is committed; never writes. */
  read: Kysely<Schema>;
  /**
   * Runs a unit and resolves once it is durable. Units that arrive together share one commit; each still succeeds or
   * fails alone. `credentials: 'unchanged'` promises that nothing the unit wrote ends or narrows a credential.
   * Units take turns, those of other processes too. Throws `storage_busy` after 5 s, and the other `storage_…` codes.
   */
  transact<T>(unit: Unit<T>, options?: { credentials: 'unchanged' }): Promise<T>;
  /**
   * Prepares a point query for the path of every request: its only parameters are the keys it is built with, in the
   * order it has them. Building a query costs ten times what running one does. An answer is never older than what a
   * `credentialGeneration` vouches for.
   */
  prepareFind<Keys extends string[], Row>(
    build: (...keys: Keys) => { compile(): CompiledQuery<Row> },
  ): (...keys: Keys) => MaybePromise<Row | undefined>;
  /**
   * Prepares a query for many rows at a time, each an array of its columns in their order: as objects they would cost
   * twice as much. Its only parameters are the keys it is built with, in the order it has them.
   */
  prepareRows<Keys extends (string | number)[]>(
    build: (...keys: Keys) => { compile(): CompiledQuery },
  ): (...keys: Keys) => MaybePromise<unknown[][]>;
  /**
   * A number that is the same for as long as no credential can have changed, in this process or another.
   * On SQLite at this moment: it costs two system calls, once for all requests that arrived together. On PostgreSQL less
   * than a second ago: a promise only when nobody has asked for that long. Throws when that cannot be found out.
   */
  credentialGeneration(): MaybePromise<number>;
  /** The same for anything at all: as long as it stays, what was read before is what would be read now. */
  commitGeneration(): number;
  /** The database's own clock, in milliseconds since 1970; undefined: this process's clock is the database's. */
  now: (() => number) | undefined;
  /** Null where there is no pool. */
  poolStats(): PoolStats | null;
  /** Moves the write-ahead log into the database file, as far as other processes let it. Nothing to do on PostgreSQL. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

/** A SQLite file; or a `postgres://` URL, with this process's own clock. */
export type DatabaseTarget = { file: string } | { url: string; wallMs: () => number };

/** Opens a database, creating and migrating its tables as needed. */
export async function openDatabase(target: DatabaseTarget): Promise<Database> {
  try {
    if ('file' in target) return await openSqliteDatabase(target.file);
    const { openPostgresDatabase } = await import('./postgres-database.ts');
    return await openPostgresDatabase(target.url, target.wallMs);
  } catch (error) {
    throw readStorageError(error);
  }
}
