import type { Actor } from '../credentials/caller.ts';
import type { Database } from '../store/database.ts';
import { type LastUse, writeLastUses } from './store.ts';

/** Remembers when and from where each credential was last used, and writes that in batches. */
export interface LastUsed {
  touch(actor: Actor, atMs: number, address: string | null, client: string | null): void;
  /** Writes what has gathered; resolves when it is stored. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

const MAX_PER_WRITE = 500;

/** `intervalMs: null` writes only when asked to. A failed write is tried again with the next one. */
export function createLastUsed(
  db: Database,
  options: { intervalMs: number | null; onError(error: unknown): void },
): LastUsed {
  let gathered = new Map<string, LastUse>();
  let flushing = Promise.resolve();
  const timer = options.intervalMs === null ? undefined : setInterval(() => void flush(), options.intervalMs).unref();

  function flush(): Promise<void> {
    flushing = flushing.then(async () => {
      const uses = [...gathered.values()];
      gathered = new Map();
      for (let i = 0; i < uses.length; i += MAX_PER_WRITE) {
        const batch = uses.slice(i, i + MAX_PER_WRITE);
        try {
          await db.transact((tx) => writeLastUses(tx, batch), { credentials: 'unchanged' });
        } catch (error) {
          for (const use of batch) if (!gathered.has(use.id)) gathered.set(use.id, use);
          options.onError(error);
        }
      }
    });
    return flushing;
  }

  return {
    touch(actor, atMs, address, client) {
      const { id, type } = actor.credential;
      if (id === null || (gathered.get(id)?.atMs ?? 0) > atMs) return;
      const serviceUserId = actor.kind === 'service_user' ? actor.id : null;
      gathered.set(id, { id, isApiKey: type === 'api_key', serviceUserId, atMs, address, client });
    },
    flush,
    async close() {
      clearInterval(timer);
      await flush();
    },
  };
}
