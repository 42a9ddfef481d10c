import { PangolinError } from '@pangolin/shared/errors';
import { type CompiledQuery, type Kysely, type QueryExecutor, sql } from 'kysely';
import { monotonicMs } from '../times.ts';
import { type Commit, createCommitQueue } from './commit-queue.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import type { Schema } from './schema.ts';
import { openSqlite, preparePointQuery, prepareRowsQuery, retryWhileBusy, type SqliteConnection } from './sqlite.ts';

const MAX_CHECK_AGE_MS = 1;

/** Opens a SQLite database file, creating and migrating it as needed. */
export async function openSqliteDatabase(path: string): Promise<Database> {
  const { writer, reader } = await openBoth(path);
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

  const queue = createCommitQueue(async (work) => {
    const changedCredentials = await commitTo(writer, work);
    commits += 1;
    if (changedCredentials) credentialChanges += 1;
  });

  return {
    engine: 'sqlite',
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
    now: undefined,
    poolStats: () => null,
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
}

async function openBoth(path: string): Promise<Record<'writer' | 'reader', SqliteConnection<Schema>>> {
  const writer = await openSqlite<Schema>(path, { readOnly: false });
  try {
    await retryWhileBusy(() => migrate(writer.kysely as Kysely<unknown>));
    return { writer, reader: await openSqlite<Schema>(path, { readOnly: true }) };
  } catch (error) {
    await writer.kysely.destroy();
    throw error;
  }
}

/** Commits to a SQLite file: the write lock is taken first, so that nothing fails for what others write meanwhile. */
const commitTo = ({ raw, kysely, dialect }: SqliteConnection<Schema>, work: Parameters<Commit>[0]): Promise<boolean> =>
  kysely.transaction().execute((tx) =>
    work({
      dialect,
      executor: refuseOutside(raw, tx.getExecutor()),
      savepoint: () => sql`savepoint unit`.execute(tx),
      release: () => sql`release savepoint unit`.execute(tx),
      async rollbackToSavepoint() {
        await sql`rollback to savepoint unit`.execute(tx);
        await sql`release savepoint unit`.execute(tx);
      },
      isLostBy: () => false,
    }),
  );

/**
 * A full disk, an I/O error or a want of memory has SQLite take the whole transaction back by itself. What a unit still has
 * to say then would be committed statement by statement.
 */
function refuseOutside(raw: SqliteConnection<Schema>['raw'], executor: QueryExecutor): QueryExecutor {
  return executor.withConnectionProvider({
    provideConnection: (consumer) =>
      executor.provideConnection((connection) => {
        if (raw.isTransaction) return consumer(connection);
        throw new PangolinError('unavailable', 'The database has taken the transaction back.', {
          hint: 'Try again in a moment.',
          retryAfterSeconds: 1,
        });
      }),
  });
}
