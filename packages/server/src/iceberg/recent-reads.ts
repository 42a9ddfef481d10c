import type { MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';

const MAX_ENTRIES = 10_000;

/** Answers of the database, kept for as long as nobody commits anything. */
export interface RecentReads {
  recall<T>(key: string, read: () => MaybePromise<T>): MaybePromise<T>;
}

/** Remembers reads of one database; asking whether something was committed costs less than any query. */
export function createRecentReads(db: Pick<Database, 'commitGeneration'>): RecentReads {
  let generation = 0;
  const known = new Map<string, unknown>();

  return {
    recall<T>(key: string, read: () => MaybePromise<T>) {
      const now = db.commitGeneration();
      if (now !== generation) {
        known.clear();
        generation = now;
      }
      if (known.has(key)) return known.get(key) as T;
      const keep = (value: T): T => {
        // What was read before a commit must not be taken for what is there after it.
        if (generation === now && value !== undefined && known.size < MAX_ENTRIES) known.set(key, value);
        return value;
      };
      const value = read();
      return value instanceof Promise ? value.then(keep) : keep(value);
    },
  };
}
