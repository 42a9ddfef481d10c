import { describe, expect, test } from 'vitest';
import { createFreshness, type Observation } from '../../../packages/server/src/store/freshness.ts';

/** Knowledge of a database that is made up: what it answers, how often it was asked, and a clock that can be set. */
function open() {
  const database = { credentials: 1, nowMs: 1_000_000, asked: 0, isGone: false, slowMs: 0 };
  const wall = { ms: 0 };
  const freshness = createFreshness(
    async (moment) => {
      database.asked += 1;
      const asked = moment();
      await null;
      wall.ms += database.slowMs;
      if (database.isGone) throw new Error('gone');
      return { observation: { credentials: database.credentials, nowMs: database.nowMs }, asked };
    },
    () => wall.ms,
  );
  /** An answer to a question that was sent so much later than now. */
  const answer = (laterMs: number, observation: Observation) => {
    const { monotonicMs, wallMs } = freshness.moment();
    freshness.observe(observation, { monotonicMs: monotonicMs + laterMs, wallMs: wallMs + laterMs });
  };
  return { database, wall, freshness, answer };
}

describe('what is known of a shared database', () => {
  test('is asked for when it is first needed, by one for all who wait', async () => {
    const { database, freshness } = open();
    const waiting = [1, 2, 3].map(() => freshness.generation());
    expect(new Set(await Promise.all(waiting)).size).toBe(1);
    expect(database.asked).toBe(1);
    expect(freshness.generation()).toBeTypeOf('number');
    expect(database.asked).toBe(1);
  });

  test('serves for less than a second, and is asked for again before it has run out', async () => {
    const { database, wall, freshness } = open();
    const first = await freshness.generation();
    wall.ms += 600;
    expect(freshness.generation()).toBe(first);
    await null;
    expect(database.asked).toBe(2);
    database.credentials += 1;
    wall.ms += 1_000;
    const second = freshness.generation();
    expect(second).toBeInstanceOf(Promise);
    expect(await second).not.toBe(first);
  });

  test('does not serve when it cannot be asked for, or only too slowly', async () => {
    const { database, wall, freshness } = open();
    await freshness.generation();
    wall.ms += 1_000;
    database.isGone = true;
    await expect(freshness.generation()).rejects.toThrow('gone');
    database.isGone = false;
    database.slowMs = 1_000;
    await expect(freshness.generation()).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    database.slowMs = 0;
    expect(await freshness.generation()).toBeTypeOf('number');
  });

  test('changes with every change, seen or made here, in whatever order answers arrive', async () => {
    const { freshness, answer } = open();
    const seen = new Set([await freshness.generation()]);
    const isNew = () => {
      const now = freshness.generation();
      const before = seen.size;
      seen.add(now as number);
      return seen.size > before;
    };
    answer(1, { credentials: 2, nowMs: null });
    expect(isNew()).toBe(true);
    answer(2, { credentials: 2, nowMs: null });
    expect(isNew()).toBe(false);
    // A question asked beside a commit of this process is answered with the count before it.
    answer(4, { credentials: 2, nowMs: null });
    freshness.changed();
    answer(3, { credentials: 3, nowMs: null });
    expect(isNew()).toBe(true);
    answer(5, { credentials: 3, nowMs: null });
    expect(isNew()).toBe(true);
    // Restored from a backup, it counts again from where it was.
    answer(6, { credentials: 1, nowMs: null });
    expect(isNew()).toBe(true);
    freshness.forget();
    expect(seen.has(await freshness.generation())).toBe(false);
  });
});

describe('the clock', () => {
  test('is the database’s, whatever this machine’s says, and does not jitter with answers', async () => {
    const { database, wall, freshness } = open();
    wall.ms = 7_777_777;
    const began = performance.now();
    await freshness.generation();
    const first = freshness.now();
    const since = () => performance.now() - began + 1;
    expect(Math.abs(first - database.nowMs)).toBeLessThan(since());
    const asked = freshness.moment();
    // The answer took long: the clock there showed this at some moment meanwhile, and ours is within that.
    const early = { ...asked, monotonicMs: asked.monotonicMs - 5_000 };
    freshness.observe({ credentials: 1, nowMs: database.nowMs - 2_000 }, early);
    expect(Math.abs(freshness.now() - first)).toBeLessThan(since());
  });

  test('follows when the database’s is set', async () => {
    const { database, freshness } = open();
    await freshness.generation();
    const asked = freshness.moment();
    freshness.observe({ credentials: 1, nowMs: database.nowMs + 300_000 }, asked);
    const behindMs = Math.abs(freshness.now() - database.nowMs - 300_000);
    expect(behindMs).toBeLessThan(freshness.moment().monotonicMs - asked.monotonicMs + 1);
  });
});
