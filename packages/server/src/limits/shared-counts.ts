import { PangolinError } from '@pangolin/shared/errors';
import { monotonicMs } from '../times.ts';

/** What one server adds to a count that others add to as well. */
interface CountChange {
  key: string;
  added: number;
  /** What was counted before is forgotten. */
  cleared: boolean;
}

/** Where the counts of all servers meet. */
interface CountStore {
  load(key: string): Promise<number>;
  /** Adds to the counts in one transaction; answers what they are then. */
  save(changes: readonly CountChange[]): Promise<ReadonlyMap<string, number>>;
}

/** Counts that several servers keep together: each adds in memory, and writes what has gathered about once a second. */
export interface SharedCounts {
  /** All that is known here, what others wrote a second ago at the latest. Throws `storage_…` and `unavailable`. */
  read(key: string): Promise<number>;
  add(key: string): void;
  clear(key: string): void;
  /** Writes what has gathered; resolves when it is stored, or when that failed: then it is tried again. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface SharedCountsOptions {
  store: CountStore;
  /** How often is written at most, and how old a count may be that is not read again; null: written only when asked to. */
  intervalMs: number | null;
  onError(error: unknown): void;
}

const MAX_ENTRIES = 10_000;
const MAX_PER_WRITE = 500;

interface Entry {
  /** What the database said last. */
  known: number;
  readAtMs: number;
  pending: number;
  saving: number;
  cleared: boolean;
}

/** Bounded: where too many counts wait to be written, `read` refuses new ones rather than not count them. */
export function createSharedCounts({ store, intervalMs, onError }: SharedCountsOptions): SharedCounts {
  const entries = new Map<string, Entry>();
  let timer: NodeJS.Timeout | undefined;
  let flushedAtMs = Number.NEGATIVE_INFINITY;
  let flushing = Promise.resolve();

  function enter(key: string): Entry | undefined {
    const known = entries.get(key);
    if (known) return known;
    if (entries.size >= MAX_ENTRIES && !forgetOne()) return undefined;
    const entry = { known: 0, readAtMs: Number.NEGATIVE_INFINITY, pending: 0, saving: 0, cleared: false };
    entries.set(key, entry);
    return entry;
  }

  /** The oldest that the database knows as well. */
  function forgetOne(): boolean {
    for (const [key, entry] of entries) {
      if (isOutstanding(entry) || entry.saving > 0) continue;
      return entries.delete(key);
    }
    return false;
  }

  function schedule(): void {
    if (intervalMs === null || timer) return;
    timer = setTimeout(() => void flush(), Math.max(0, flushedAtMs + intervalMs - monotonicMs())).unref();
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    flushedAtMs = monotonicMs();
    flushing = flushing.then(write);
    return flushing;
  }

  async function write(): Promise<void> {
    const batch = [...entries].filter(([, entry]) => isOutstanding(entry)).slice(0, MAX_PER_WRITE);
    if (batch.length === 0) return;
    const changes = batch.map(([key, entry]) => {
      const change = { key, added: entry.pending, cleared: entry.cleared };
      Object.assign(entry, { saving: entry.pending, pending: 0, cleared: false });
      if (change.cleared) entry.known = 0;
      return change;
    });
    try {
      const totals = await store.save(changes);
      for (const [key, entry] of batch)
        Object.assign(entry, { known: totals.get(key) ?? 0, readAtMs: monotonicMs(), saving: 0 });
    } catch (error) {
      for (const [i, [, entry]] of batch.entries()) {
        // What was cleared meanwhile need not be written any more.
        if (!entry.cleared) entry.pending += entry.saving;
        entry.cleared ||= changes[i]?.cleared ?? false;
        entry.saving = 0;
      }
      onError(error);
    }
    if ([...entries.values()].some(isOutstanding)) schedule();
  }

  return {
    async read(key) {
      const entry = enter(key);
      if (!entry) {
        throw new PangolinError('unavailable', 'Too many failed attempts wait to be written down.', {
          hint: 'Try again in a moment.',
          retryAfterSeconds: 5,
        });
      }
      const askedAtMs = monotonicMs();
      if (askedAtMs - entry.readAtMs >= (intervalMs ?? 0)) {
        const known = await store.load(key);
        // What was written meanwhile is newer.
        if (entry.readAtMs < askedAtMs) Object.assign(entry, { known, readAtMs: askedAtMs });
      }
      return entry.pending + (entry.cleared ? 0 : entry.known + entry.saving);
    },
    add(key) {
      const entry = enter(key);
      if (!entry) return;
      entry.pending += 1;
      schedule();
    },
    clear(key) {
      const entry = entries.get(key);
      if (!entry || entry.known + entry.pending + entry.saving === 0) return;
      entry.pending = 0;
      entry.cleared = true;
      schedule();
    },
    flush,
    async close() {
      for (let i = 0; i < MAX_ENTRIES / MAX_PER_WRITE && [...entries.values()].some(isOutstanding); i += 1)
        await flush();
      clearTimeout(timer);
    },
  };
}

const isOutstanding = ({ pending, cleared }: Entry): boolean => pending > 0 || cleared;
