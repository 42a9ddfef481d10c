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
  const walk = walkStretches(db, filter);
  const countMatches = (stretch: Stretch) => countAccessTokens(db, filter, standing, stretch);
  const uncounted: Stretch[] = [];
  let counted = 0;
  while (rows.length < count) {
    const { value: stretch, done } = await walk.next();
    if (done) break;
    const skip = Math.max(0, start - counted);
    // How many match is of interest only while some are to be skipped.
    const matches = skip > 0 ? await countMatches(stretch) : null;
    if (matches === null) uncounted.push(stretch);
    else counted += matches;
    if (matches !== null && matches <= skip) continue;
    rows.push(...(await listAccessTokens(db, filter, standing, stretch, { start: skip, count: count - rows.length })));
  }
  return {
    rows,
    async countAll() {
      let total = counted;
      for (const stretch of uncounted) total += await countMatches(stretch);
      for await (const stretch of walk) total += await countMatches(stretch);
      return total;
    },
  };
}

/** Goes through the tokens that an index has in order, a part at a time; what no index has, in one part. */
async function* walkStretches(db: Executor, filter: AccessTokenFilter): AsyncGenerator<Stretch, undefined> {
  const isWalkable = (filter.ownerIds ?? filter.minterIds ?? ['']).length === 1;
  const size = chooseSize(filter);
  let after: Stretch['after'];
  while (true) {
    const downTo = isWalkable ? await findStretchEnd(db, filter, after, size) : undefined;
    yield { after, downTo };
    if (!downTo) return;
    after = downTo;
    // SQLite answers without leaving the event loop.
    await new Promise((turn) => setImmediate(turn));
  }
}

/** Fewer tokens where each is compared with much. */
function chooseSize({ filters }: AccessTokenFilter): number {
  const values = filters.reduce((sum, one) => sum + one.values.length, 0);
  return Math.min(STRETCH, Math.ceil(COMPARISONS / Math.max(1, values)));
}
