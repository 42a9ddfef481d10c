import type { Executor } from '../store/schema.ts';
import type { Standing } from '../store/token-status.ts';
import { giveWay } from '../turns.ts';
import {
  type AccessTokenFilter,
  type AccessTokenRow,
  countAccessTokens,
  findStretchEnd,
  listAccessTokens,
  type Place,
  type Stretch,
  type TokenFilter,
} from './store.ts';

/** How many tokens are looked at in one query: a few milliseconds, after which other requests have their turn. */
const STRETCH = 2_000;

/** How many comparisons with values of filters are made in one query, of short texts. */
const COMPARISONS = 40_000;

/** A page of a list, and how many there are in all, which is counted only if somebody asks. */
export interface TokenPage {
  rows: AccessTokenRow[];
  countAll(): Promise<number>;
}

/**
 * Lists tokens from the `start`-th match on, `count` of them; there may be a million. Goes through them in stretches.
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
      for (const stretch of uncounted) {
        total += await countMatches(stretch);
        await giveWay();
      }
      for await (const stretch of walk) total += await countMatches(stretch);
      return total;
    },
  };
}

/**
 * Goes through the tokens that filters look at, a part at a time. An index has a tenant's in order, and each principal's; of
 * several principals each has its share of a part.
 */
async function* walkStretches(db: Executor, filter: AccessTokenFilter): AsyncGenerator<Stretch, undefined> {
  const size = chooseSize(filter);
  let among = splitByPrincipal(filter);
  let after: Stretch['after'];
  while (true) {
    const share = Math.ceil(size / Math.max(1, among.length));
    let downTo: Stretch['downTo'];
    const left: typeof among = [];
    for (const one of among) {
      const end = await findStretchEnd(db, one, after, share);
      // Who has less than a share left is within every part from now on.
      if (!end) continue;
      left.push(one);
      if (!downTo || isBefore(end, downTo)) downTo = end;
    }
    yield { after, downTo };
    if (!downTo) return;
    after = downTo;
    among = left;
    await giveWay();
  }
}

/** The tokens that an index has in order each: those of one owner, what one principal minted, or all of a tenant's. */
function splitByPrincipal({
  tenantId,
  ownerIds,
  minterIds,
}: AccessTokenFilter): Parameters<typeof findStretchEnd>[1][] {
  if (ownerIds) return ownerIds.map((id) => ({ tenantId, ownerIds: [id] }));
  if (minterIds) return minterIds.map((id) => ({ tenantId, minterIds: [id] }));
  return [{ tenantId }];
}

/** In the order of the list, which ids decide by their bytes where ends do not. */
const isBefore = (one: Place, other: Place): boolean =>
  one.expires_at === other.expires_at ? one.id > other.id : one.expires_at > other.expires_at;

/** Fewer tokens where each is compared with much. */
function chooseSize({ filters }: AccessTokenFilter): number {
  const weight = filters.reduce((sum, one) => sum + weigh(one), 0);
  return Math.min(STRETCH, Math.ceil(COMPARISONS / Math.max(1, weight)));
}

/** What a filter costs, in comparisons with short texts: a long value is compared at every place of a text. */
function weigh({ holds, field, condition, values }: TokenFilter): number {
  if (holds === 'number' || condition === 'EQUAL' || condition === 'IN') return values.length;
  const each = field === 'description' ? 4 : 1;
  return values.reduce((sum, value) => sum + each + value.length / 32, 0);
}
