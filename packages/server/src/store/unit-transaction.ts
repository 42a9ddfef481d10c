import { PangolinError } from '@pangolin/shared/errors';
import { type Dialect, DummyDriver, type QueryExecutor, Transaction } from 'kysely';
import type { Schema } from './schema.ts';

/** A unit's view of the transaction it runs in. */
export interface UnitTransaction {
  tx: Transaction<Schema>;
  /** From now on nothing runs on it any more: a unit that was given up cannot write into somebody else's commit. */
  end(): void;
}

/** Opens a view of a transaction for one unit, over the executor that holds the transaction's connection. */
export function openUnitTransaction(dialect: Dialect, executor: QueryExecutor): UnitTransaction {
  let isOver = false;
  const refuse = () => {
    if (isOver) throw new PangolinError('unavailable', 'A transaction took too long.', { retryAfterSeconds: 1 });
  };
  const guarded = executor.withConnectionProvider({
    async provideConnection(consumer) {
      refuse();
      return executor.provideConnection((connection) => {
        // It may have waited for another query to end.
        refuse();
        return consumer(connection);
      });
    },
  });
  return {
    tx: new Transaction<Schema>({ config: { dialect }, dialect, driver: new DummyDriver(), executor: guarded }),
    end() {
      isOver = true;
    },
  };
}
