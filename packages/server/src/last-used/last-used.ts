import type { Actor } from '../credentials/caller.ts';
import type { Database } from '../store/database.ts';
import { MINUTE_MS } from '../times.ts';
import { type LastUse, writeLastUses } from './store.ts';

/** Remembers when and from where each credential was last used, and writes that in batches. */
export interface LastUsed {
  touch(actor: Actor, atMs: number, address: string | null, client: string | null): void;
  /** Writes all that has gathered; resolves when it is stored. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Entry extends LastUse {
  /** The use that the database knows; null: none of this process. */
  writtenMs: number | null;
}

/** A credential in steady use is written this often: ten thousand of them would keep the disk busy otherwise. */
const REWRITE_AFTER_MS = MINUTE_MS;
const MAX_PER_WRITE = 500;
const MAX_PER_TICK = 2_000;
const MAX_ENTRIES = 50_000;

/** `intervalMs: null` writes only when asked to. A failed write is tried again with the next one. */
export function createLastUsed(
  db: Database,
  options: { intervalMs: number | null; onError(error: unknown): void },
): LastUsed {
  const entries = new Map<string, Entry>();
  let writing = Promise.resolve();
  const tick = () => {
    forgetWritten();
    void write(isDue, entries.size > MAX_ENTRIES ? entries.size : MAX_PER_TICK);
  };
  const timer = options.intervalMs === null ? undefined : setInterval(tick, options.intervalMs).unref();

  function write(wanted: (entry: Entry) => boolean, atMost: number): Promise<void> {
    writing = writing.then(async () => {
      const uses: LastUse[] = [];
      for (const entry of entries.values()) {
        if (uses.length >= atMost) break;
        // As it is now: what comes in while it is written stays to be written.
        if (wanted(entry)) uses.push({ ...entry });
      }
      for (let i = 0; i < uses.length; i += MAX_PER_WRITE) await writeBatch(uses.slice(i, i + MAX_PER_WRITE));
    });
    return writing;
  }

  async function writeBatch(batch: readonly LastUse[]): Promise<void> {
    try {
      await db.transact((tx) => writeLastUses(tx, batch), { credentials: 'unchanged' });
    } catch (error) {
      return options.onError(error);
    }
    for (const { id, atMs } of batch) {
      const entry = entries.get(id);
      if (!entry) continue;
      entry.writtenMs = atMs;
      // Written last, so looked at last: of more than fit into one tick each has its turn.
      entries.delete(id);
      entries.set(id, entry);
    }
  }

  function forgetWritten(): void {
    if (entries.size <= MAX_ENTRIES) return;
    for (const [id, entry] of entries) if (!isNew(entry)) entries.delete(id);
  }

  return {
    touch(actor, atMs, address, client) {
      const { id, type } = actor.credential;
      if (id === null) return;
      const known = entries.get(id);
      if (!known) {
        const serviceUserId = actor.kind === 'service_user' ? actor.id : null;
        entries.set(id, { id, isApiKey: type === 'api_key', serviceUserId, atMs, address, client, writtenMs: null });
      } else if (known.atMs <= atMs) {
        known.atMs = atMs;
        known.address = address;
        known.client = client;
      }
    },
    flush: () => write(isNew, Number.POSITIVE_INFINITY),
    async close() {
      clearInterval(timer);
      await write(isNew, Number.POSITIVE_INFINITY);
    },
  };
}

const isNew = ({ atMs, writtenMs }: Entry): boolean => writtenMs === null || atMs > writtenMs;

const isDue = ({ atMs, writtenMs }: Entry): boolean => writtenMs === null || atMs >= writtenMs + REWRITE_AFTER_MS;
