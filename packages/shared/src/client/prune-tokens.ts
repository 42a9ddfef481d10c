import type { PrunedTokens, PruneTokens } from '../contract/index.ts';
import { unexpected } from './answer-shape.ts';
import type { Caller } from './call-server.ts';

const PATH = '/api/v1/tokens/prune';
const MAX_LISTED = 1000;

/** A server looks at some 200,000 tokens per answer, so that nobody waits long for one. */
const MAX_ANSWERS = 10_000;

/** Prunes a part at a time until nothing is left, all by the time that the first answer named, and answers the sum. */
export async function pruneToTheEnd(caller: Caller, input: PruneTokens): Promise<PrunedTokens> {
  const ask = (body: PruneTokens) => caller.call<PrunedTokens>('POST', PATH, body, { tokens: 'list' });
  const first = await ask(input);
  const sum = { ...first };
  for (let answers = 1; sum.next_cursor !== null && sum.next_cursor !== undefined; answers += 1) {
    const next = await ask({
      unused_since: first.unused_since,
      dry_run: first.dry_run,
      cursor: sum.next_cursor,
    });
    if (answers >= MAX_ANSWERS || next.next_cursor === sum.next_cursor)
      throw unexpected(`${caller.server} answered POST ${PATH} without coming to an end`);
    sum.count += next.count;
    sum.revoked_count += next.revoked_count;
    sum.tokens = [...sum.tokens, ...next.tokens].slice(0, MAX_LISTED);
    sum.next_cursor = next.next_cursor;
  }
  return sum;
}
