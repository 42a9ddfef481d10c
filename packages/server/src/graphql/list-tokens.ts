import type { Executor } from '../store/schema.ts';
import type { Standing } from '../store/token-status.ts';
import {
  type AccessTokenFilter,
  type AccessTokenRow,
  countAccessTokens,
  findStretchEnd,
  listAccessTokens,
  type Stretch,
} from './store.ts';

/** How many tokens are looked at in one query: a few milliseconds, after which other requests have their turn. */
const STRETCH = 2_000;

/** How many comparisons with values of filters are made in one query. */
const COMPARISONS = 40_000;

/** A page of a list, and how many there are in all, which is counted only if somebody asks. */
export interface TokenPage {
  rows: AccessTokenRow[];
  countAll(): Promise<number>;
}

/**
 * Lists tokens from the `start`-th match on, `count` of them; there may be a million. Goes through them in stretches where an
 * index has them in order; of several principals at once.
 */
export async function listPage(
  db: Executor,
  filter: AccessTokenFilter,
  standing: Standing,
  { start, count }: { start: number; count: number },
): Promise<TokenPage> {
  const rows: AccessTokenRow[] = [];
  const walk = walkMatches(db, filter, standing);
  let seen = 0;
  while (rows.length < count) {
    const { value: part, done } = await walk.next();
    if (done) break;
    const wanted = { start: Math.max(0, start - seen), count: count - rows.length };
    if (wanted.start < part.matches) rows.push(...(await listAccessTokens(db, filter, standing, part.stretch, wanted)));
    seen += part.matches;
  }
  return {
    rows,
    async countAll() {
      for await (const { matches } of walk) seen += matches;
      return seen;
    },
  };
}

/** Counts the matches of one stretch after the other. */
async function* walkMatches(
  db: Executor,
  filter: AccessTokenFilter,
  standing: Standing,
): AsyncGenerator<{ stretch: Stretch; matches: number }, undefined> {
  const isWalkable = (filter.ownerIds ?? filter.minterIds ?? ['']).length === 1;
  const size = chooseSize(filter);
  let stretch: Stretch = {};
  while (true) {
    const downTo = isWalkable ? await findStretchEnd(db, filter, stretch.after, size) : undefined;
    stretch = { ...stretch, downTo };
    yield { stretch, matches: await countAccessTokens(db, filter, standing, stretch) };
    if (!downTo) return;
    stretch = { after: downTo };
    // SQLite answers without leaving the event loop.
    await new Promise((turn) => setImmediate(turn));
  }
}

/** Fewer tokens where each is compared with much. */
function chooseSize({ filters }: AccessTokenFilter): number {
  const values = filters.reduce((sum, one) => sum + one.values.length, 0);
  return Math.min(STRETCH, Math.ceil(COMPARISONS / Math.max(1, values)));
}
