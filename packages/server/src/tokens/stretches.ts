import type { Executor } from '../store/schema.ts';
import { type Among, findStretchEnd, type Stretch } from '../store/token-stretches.ts';

/** How many tokens are looked at in one query: a few milliseconds, after which other requests have their turn. */
const STRETCH = 1000;

/** Goes through tokens, newest first, in stretches; there may be a million. */
export async function* walkTokens(db: Executor, among: Among, startId?: string): AsyncGenerator<Stretch> {
  let beforeId = startId;
  while (true) {
    const end = await findStretchEnd(db, among, beforeId, STRETCH);
    yield { beforeId, downToId: end?.id };
    if (!end) return;
    beforeId = end.id;
    // SQLite answers without leaving the event loop.
    await new Promise((turn) => setImmediate(turn));
  }
}
