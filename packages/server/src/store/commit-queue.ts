import { PangolinError } from '@pangolin/shared/errors';
import type { Dialect, QueryExecutor, Transaction } from 'kysely';
import { monotonicMs } from '../times.ts';
import type { Schema } from './schema.ts';
import { readStorageError } from './storage-errors.ts';
import { openUnitTransaction } from './unit-transaction.ts';

/**
 * A unit of work: all of it is committed, or none. Takes its transaction; the read connection would not see its changes.
 * It may be run again, after a serialisation failure, and so changes nothing outside its transaction.
 */
export type Unit<T> = (tx: Transaction<Schema>) => Promise<T>;

/** How long a change waits for its turn before it gives up, in milliseconds. */
export const PATIENCE_MS = 5_000;

const MAX_UNITS_PER_COMMIT = 64;

/** The transaction that a batch of units shares. */
interface SharedTransaction {
  dialect: Dialect;
  /** Runs queries one after another on the transaction's connection. */
  executor: QueryExecutor;
  savepoint(): Promise<unknown>;
  /** Ends the last savepoint, keeping what was done since. */
  release(): Promise<unknown>;
  rollbackToSavepoint(): Promise<unknown>;
  /** Whether the whole transaction is over by this error, so that running it again is all there is left to do. */
  isLostBy(error: unknown): boolean;
}

/**
 * Runs work in a transaction and resolves once it is durable; work answers whether it may have ended or narrowed a
 * credential, and may run several times until `deadlineMs` (of the monotonic clock).
 */
export type Commit = (work: (shared: SharedTransaction) => Promise<boolean>, deadlineMs: number) => Promise<void>;

export interface CommitQueue {
  transact<T>(unit: Unit<T>, options?: { credentials: 'unchanged' }): Promise<T>;
  /** Resolves when nothing waits and nothing runs. */
  idle(): Promise<void>;
}

interface Waiting {
  unit: Unit<unknown>;
  changesCredentials: boolean;
  deadline: number;
  resolve(value: unknown): void;
  reject(reason: unknown): void;
}

/** Lets units that arrive together share one commit; each of them still succeeds or fails alone. */
export function createCommitQueue(commit: Commit): CommitQueue {
  const waiting: Waiting[] = [];
  let running: Promise<void> | null = null;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_UNITS_PER_COMMIT).filter((one) => {
        if (!isLate(one)) return true;
        one.reject(busy());
        return false;
      });
      if (batch.length > 0) await commitTogether(batch);
    }
    // In the same turn as the look above: a unit that arrives a microtask later must find nobody running.
    running = null;
  }

  async function commitTogether(batch: Waiting[]): Promise<void> {
    let settle: (() => void)[] = [];
    try {
      await commit(
        async (shared) => {
          settle = [];
          let changedCredentials = false;
          for (const one of batch) {
            const outcome = batch.length === 1 ? await runAlone(shared, one) : await takeTurn(shared, one);
            changedCredentials ||= outcome.hasWritten && one.changesCredentials;
            settle.push(outcome.settle);
          }
          return changedCredentials;
        },
        Math.max(...batch.map(({ deadline }) => deadline)),
      );
    } catch (error) {
      for (const one of batch) one.reject(readStorageError(error));
      return;
    }
    for (const done of settle) done();
  }

  return {
    transact<T>(unit: Unit<T>, options?: { credentials: 'unchanged' }): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        waiting.push({
          unit,
          changesCredentials: options?.credentials !== 'unchanged',
          deadline: monotonicMs() + PATIENCE_MS,
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

interface Outcome {
  hasWritten: boolean;
  /** Tells whoever asked, once the commit is durable. */
  settle(): void;
}

/** A unit with the transaction to itself needs no savepoint: with it everything is rolled back. */
async function runAlone(shared: SharedTransaction, one: Waiting): Promise<Outcome> {
  const value = await runUnit(shared, one.unit);
  return { hasWritten: true, settle: () => one.resolve(value) };
}

/** Where every statement takes its time, those before it may have taken all of a unit's. */
const takeTurn = (shared: SharedTransaction, one: Waiting): Outcome | Promise<Outcome> =>
  isLate(one) ? { hasWritten: false, settle: () => one.reject(busy()) } : runBeside(shared, one);

const isLate = (one: Waiting): boolean => one.deadline <= monotonicMs();

const busy = () =>
  new PangolinError('storage_busy', 'The database is busy.', { hint: 'Try again in a moment.', retryAfterSeconds: 1 });

async function runBeside(shared: SharedTransaction, one: Waiting): Promise<Outcome> {
  await shared.savepoint();
  try {
    const value = await runUnit(shared, one.unit);
    await shared.release();
    return { hasWritten: true, settle: () => one.resolve(value) };
  } catch (error) {
    if (shared.isLostBy(error)) throw error;
    try {
      await shared.rollbackToSavepoint();
    } catch {
      // A full disk or an I/O error has already rolled everything back: the whole commit fails with that error.
      throw error;
    }
    return { hasWritten: false, settle: () => one.reject(readStorageError(error)) };
  }
}

async function runUnit(shared: SharedTransaction, unit: Unit<unknown>): Promise<unknown> {
  const { tx, end } = openUnitTransaction(shared.dialect, shared.executor);
  try {
    return await within(PATIENCE_MS, unit(tx));
  } finally {
    end();
  }
}

/** A unit that waits for something outside its transaction would keep everybody else waiting for ever. */
async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new PangolinError('unavailable', 'A transaction took too long.', { retryAfterSeconds: 1 })),
      timeoutMs,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
