import { PangolinError } from '@pangolin/shared/errors';
import type { Commit } from './commit-queue.ts';
import type { Freshness } from './freshness.ts';
import { isLost, isTransient, isUnsent } from './postgres-errors.ts';
import type { PostgresKysely } from './postgres-kysely.ts';
import { OBSERVE, readObservation } from './postgres-observation.ts';
import type { PostgresConnection, PostgresPool } from './postgres-pool.ts';
import { retryWhile } from './retry.ts';
import type { Schema } from './schema.ts';

/**
 * Writers take turns, those of all processes: whoever holds the row sees everything that was committed before, as under
 * SQLite's write lock, and what the rules read stays as they read it until the commit.
 */
const BEGIN = `begin isolation level read committed; ${OBSERVE} for update`;

const COUNT_CHANGE = 'update changes set credentials = credentials + 1 where one = 1';

const LONGEST_PAUSE_MS = 200;

/** Commits to PostgreSQL: again from the beginning after a serialisation failure, or a connection lost before the commit. */
export const createPostgresCommit =
  (pool: PostgresPool, { executorOf, dialect }: PostgresKysely<Schema>, freshness: Freshness): Commit =>
  (work, deadlineMs) => {
    const attempt = () =>
      pool.use(async (connection) => {
        const executor = executorOf(connection);
        // After whatever a unit that was given up still has under way.
        const run = (statement: string) => executor.provideConnection(() => connection.run(statement));
        try {
          const begun = freshness.moment();
          const [, answer] = await run(BEGIN);
          const observation = readObservation(answer);
          freshness.observe(observation, begun);
          const changedCredentials = await work({
            dialect,
            executor,
            // A name may be taken again: the newest is meant. Released ones would only cost an exchange each.
            savepoint: () => run('savepoint unit'),
            async release() {
              if (connection.hasFailed()) throw wentOn();
            },
            rollbackToSavepoint: () => run('rollback to savepoint unit'),
            isLostBy: isTransient,
          });
          await commit(run, observation.credentials, changedCredentials);
        } catch (error) {
          // Wherever it failed: in its turn, its work or its end. What cannot be taken back, nobody uses again.
          if (!connection.isLost()) await run('rollback').catch(() => undefined);
          throw error;
        }
      });

    /** Nobody else writes between the turn and the commit: what was counted then is what is there now. */
    async function commit(run: PostgresConnection['run'], credentials: number, changed: boolean): Promise<void> {
      const asked = freshness.moment();
      const results = await run(changed ? `${COUNT_CHANGE}; commit` : 'commit').catch((error) => {
        if (!isLost(error) || isUnsent(error)) throw error;
        freshness.forget();
        throw outcomeUnknown(error);
      });
      if (results.at(-1)?.command !== 'COMMIT') throw wentOn();
      if (changed) freshness.changed();
      freshness.observe({ credentials: changed ? credentials + 1 : credentials, nowMs: null }, asked);
    }

    return retryWhile(isTransient, attempt, { deadlineMs, longestPauseMs: LONGEST_PAUSE_MS });
  };

/** PostgreSQL rolls a transaction back in which a statement failed, whoever thought nothing of it. */
const wentOn = () => new Error('A unit of work went on after one of its statements had failed.');

const outcomeUnknown = (cause: unknown) =>
  new PangolinError(
    'unavailable',
    'The database was lost in the middle of the commit: the change may have been made, or not.',
    { cause, hint: 'See whether it was made before you try again.', retryAfterSeconds: 1 },
  );
