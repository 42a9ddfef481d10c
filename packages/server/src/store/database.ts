import { PangolinError } from '@pangolin/shared/errors';
import { type CompiledQuery, type Kysely, sql, type Transaction } from 'kysely';
import type { MaybePromise } from '../maybe-promise.ts';
import { monotonicMs } from '../times.ts';
import { migrate } from './migrate.ts';
import type { Schema } from './schema.ts';
import { LOCK_PATIENCE_MS, openSqlite, preparePointQuery, prepareRowsQuery, retryWhileBusy } from './sqlite.ts';
import { readStorageError } from './storage-errors.ts';

/** A unit of work: all of it is committed, or none. Takes its transaction; the read connection would not see its changes. */
export type Unit<T> = (tx: Transaction<Schema>) => Promise<T>;

export interface Database {
  /** For reading what is committed; never writes. */
  read: Kysely<Schema>;
  /**
   * Runs a unit and resolves once it is durable. Units that arrive together share one commit; each still succeeds or
   * fails alone. `credentials: 'unchanged'` promises that nothing the unit wrote ends or narrows a credential.
   * Throws `storage_busy` after 5 s, and the other `storage_…` codes.
   */
  transact<T>(unit: Unit<T>, options?: { credentials: 'unchanged' }): Promise<T>;
  /**
   * Prepares a point query for the path of every request: its only parameters are the keys it is built with, in the
   * order it has them. Building a query costs ten times what running one does.
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
   * Costs two system calls, once for all requests that arrived together.
   */
  credentialGeneration(): number;
  /** The same for anything at all: as long as it stays, what was read before is what would be read now. */
  commitGeneration(): number;
  /** Moves the write-ahead log into the database file, as far as other processes let it. */
  checkpoint(): Promise<void>;
  close(): Promise<void>;
}

interface Waiting {
  unit: Unit<unknown>;
  changesCredentials: boolean;
  deadline: number;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

const MAX_UNITS_PER_COMMIT = 64;

const MAX_CHECK_AGE_MS = 1;

/** Opens a SQLite database file, creating and migrating it as needed. */
export async function openDatabase(path: string): Promise<Database> {
  try {
    const writer = await openSqlite<Schema>(path, { readOnly: false });
    await retryWhileBusy(() => migrate(writer.kysely as Kysely<unknown>));
    const reader = await openSqlite<Schema>(path, { readOnly: true });
    const dataVersion = writer.raw.prepare('pragma data_version');
    let seenVersion = readVersion();
    let credentialChanges = 1;
    let commits = 1;
    let checkedAtMs = Number.NEGATIVE_INFINITY;

    function readVersion(): unknown {
      return (dataVersion.get() as { data_version: number }).data_version;
    }

    const forgetCheck = () => {
      checkedAtMs = Number.NEGATIVE_INFINITY;
    };

    /** Notices commits of other processes. */
    function look(): void {
      // What one poll of the event loop delivered was sent before that poll: one look serves all of it. The bound in
      // time is for calls from elsewhere in the loop, whose look would otherwise last past the next poll.
      const now = monotonicMs();
      if (now - checkedAtMs < MAX_CHECK_AGE_MS) return;
      // On the writing connection this pragma moves only with other processes' commits.
      const version = readVersion();
      if (version !== seenVersion) {
        seenVersion = version;
        credentialChanges += 1;
        commits += 1;
      }
      checkedAtMs = now;
      setImmediate(forgetCheck);
    }

    const queue = createCommitQueue(writer.kysely, (changedCredentials) => {
      commits += 1;
      if (changedCredentials) credentialChanges += 1;
    });

    return {
      read: reader.kysely,
      transact: queue.transact,
      prepareFind<Keys extends string[], Row>(build: (...keys: Keys) => { compile(): CompiledQuery<Row> }) {
        let find: ((...keys: string[]) => Row | undefined) | undefined;
        return (...keys: Keys) => {
          find ??= preparePointQuery<Row>(reader.raw, build(...keys).compile().sql);
          return find(...keys);
        };
      },
      prepareRows<Keys extends (string | number)[]>(build: (...keys: Keys) => { compile(): CompiledQuery }) {
        let read: ((...keys: Keys) => unknown[][]) | undefined;
        return (...keys: Keys) => {
          read ??= prepareRowsQuery<Keys>(reader.raw, build(...keys).compile().sql);
          return read(...keys);
        };
      },
      credentialGeneration() {
        look();
        return credentialChanges;
      },
      commitGeneration() {
        look();
        return commits;
      },
      async checkpoint() {
        await queue.idle();
        writer.raw.exec('pragma wal_checkpoint(truncate)');
      },
      async close() {
        await queue.idle();
        await reader.kysely.destroy();
        await writer.kysely.destroy();
      },
    };
  } catch (error) {
    throw readStorageError(error);
  }
}

function createCommitQueue(db: Kysely<Schema>, committed: (changedCredentials: boolean) => void) {
  const waiting: Waiting[] = [];
  let running: Promise<void> | null = null;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const late = monotonicMs();
      const batch = waiting.splice(0, MAX_UNITS_PER_COMMIT).filter((one) => {
        if (one.deadline > late) return true;
        one.reject(
          new PangolinError('storage_busy', 'The database is busy.', {
            hint: 'Try again in a moment.',
            retryAfterSeconds: 1,
          }),
        );
        return false;
      });
      if (batch.length > 0) await commitTogether(batch);
    }
    // In the same turn as the look above: a unit that arrives a microtask later must find nobody running.
    running = null;
  }

  async function commitTogether(batch: Waiting[]): Promise<void> {
    const settle: (() => void)[] = [];
    try {
      await db.transaction().execute(async (tx) => {
        for (const one of batch) settle.push(await runUnit(tx, one));
      });
    } catch (error) {
      for (const one of batch) one.reject(readStorageError(error));
      return;
    }
    committed(batch.some((one) => one.changesCredentials));
    for (const done of settle) done();
  }

  return {
    transact<T>(unit: Unit<T>, options?: { credentials: 'unchanged' }): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting.push({
          unit,
          changesCredentials: options?.credentials !== 'unchanged',
          deadline: monotonicMs() + LOCK_PATIENCE_MS,
          resolve: resolve as (value: unknown) => void,
          reject,
        });
        // Started in the next turn, so that requests which arrived together join the same commit.
        running ??= new Promise<void>((turn) => setImmediate(turn)).then(drain);
      });
    },
    async idle() {
      while (running) await running;
    },
  };
}

/** Runs one unit under a savepoint of its own; answers how to settle it once the commit is durable. */
async function runUnit(tx: Transaction<Schema>, one: Waiting): Promise<() => void> {
  await sql`savepoint unit`.execute(tx);
  try {
    const value = await within(LOCK_PATIENCE_MS, one.unit(tx));
    await sql`release savepoint unit`.execute(tx);
    return () => one.resolve(value);
  } catch (error) {
    try {
      await sql`rollback to savepoint unit`.execute(tx);
      await sql`release savepoint unit`.execute(tx);
    } catch {
      // A full disk or an I/O error has already rolled everything back: the whole commit fails with that error.
      throw error;
    }
    return () => one.reject(readStorageError(error));
  }
}

/** A unit that waits for something outside its transaction would hold the write lock for ever. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PangolinError('unavailable', 'A transaction took too long.')), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
