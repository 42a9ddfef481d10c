import { PangolinError } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createLoginFailures } from '../../../packages/server/src/sessions/login-failures.ts';
import { createLoginThrottle } from '../../../packages/server/src/sessions/login-throttle.ts';
import { openTestServer, type TestServer } from '../harness.ts';

/** The failures as one more server over the same database counts them. */
const countFailures = ({ deps }: TestServer) =>
  createLoginFailures(deps.db, {
    now: deps.now,
    intervalMs: null,
    onError: (error) => {
      throw error;
    },
  });

/** A throttle whose sleepers wake when the test says so. */
async function openThrottle() {
  const server = await openTestServer();
  const failures = countFailures(server);
  const delays: number[] = [];
  const sleepers: (() => void)[] = [];
  let asleep = false;
  const throttle = createLoginThrottle({
    failures,
    sleep: (ms) => {
      delays.push(ms);
      return asleep ? new Promise((wake) => sleepers.push(wake)) : Promise.resolve();
    },
  });
  const attempt = (right: boolean, account = 'bob', address: string | null = '192.0.2.1') =>
    throttle
      .attempt(account, address, async () => right)
      .catch((error) => {
        if (error instanceof PangolinError) return error.code;
        throw error;
      });
  return {
    server,
    failures,
    clock: server.clock,
    delays,
    attempt,
    async fail(times: number, account?: string, address?: string) {
      for (let i = 0; i < times; i += 1) await attempt(false, account, address);
    },
    holdSleepers() {
      asleep = true;
    },
    wakeAll() {
      asleep = false;
      for (const wake of sleepers.splice(0)) wake();
    },
  };
}

describe('the login throttle', () => {
  test('lets four wrong passwords pass, then doubles the delay up to 5 s', async () => {
    const { fail, delays } = await openThrottle();
    await fail(4);
    expect(delays).toEqual([]);
    await fail(8);
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000].slice(0, delays.length));
    expect(delays).toHaveLength(7);
  });

  test('lets the right password in from the same address after any number of failures, and forgets them', async () => {
    const { fail, attempt, delays } = await openThrottle();
    await fail(50);
    expect(await attempt(true)).toBe(true);
    delays.length = 0;
    expect(await attempt(false)).toBe(false);
    expect(delays).toEqual([]);
  });

  test('lets the right password in from another address at once', async () => {
    const { fail, attempt, delays } = await openThrottle();
    await fail(50);
    delays.length = 0;
    expect(await attempt(true, 'bob', '198.51.100.7')).toBe(true);
    expect(await attempt(true, 'bob', null)).toBe(true);
    expect(delays).toEqual([]);
  });

  test('keeps account and address apart, whatever characters they hold', async () => {
    const { fail, attempt, delays } = await openThrottle();
    await fail(10, 'a","b', 'c');
    delays.length = 0;
    expect(await attempt(true, 'a', 'b","c')).toBe(true);
    expect(delays).toEqual([]);
  });

  test('forgets after a quarter of an hour without failures', async () => {
    const { fail, attempt, failures, clock, delays } = await openThrottle();
    await fail(20);
    await failures.flush();
    clock.advance(15 * 60_000);
    delays.length = 0;
    await attempt(false);
    expect(delays).toEqual([]);
  });

  test('lets five wait in line and tells the rest when to come again', async () => {
    const { fail, attempt, holdSleepers, wakeAll } = await openThrottle();
    await fail(6);
    holdSleepers();
    const outcomes: unknown[] = [];
    const asked = Array.from({ length: 6 }, () => attempt(true).then((outcome) => outcomes.push(outcome)));
    await expect.poll(() => outcomes).toEqual(['too_many_requests']);
    wakeAll();
    await Promise.all(asked);
    expect(outcomes).toEqual(['too_many_requests', true, true, true, true, true]);
  });

  test('tries guesses that arrive together one after the other', async () => {
    const failures = countFailures(await openTestServer());
    const throttle = createLoginThrottle({ failures, sleep: async () => undefined });
    for (let i = 0; i < 5; i += 1) await throttle.attempt('bob', 'a', async () => false);
    let running = 0;
    let most = 0;
    const check = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((next) => setImmediate(next));
      running -= 1;
      return false;
    };
    await Promise.all([1, 2, 3].map(() => throttle.attempt('bob', 'a', check)));
    expect(most).toBe(1);
  });

  test('counts guesses that arrive together before any has failed', async () => {
    const { attempt, delays } = await openThrottle();
    await Promise.all(Array.from({ length: 40 }, () => attempt(false)));
    await attempt(false);
    expect(delays.at(-1)).toBe(5000);
  });

  test('does not count a check that could not be made', async () => {
    const failures = countFailures(await openTestServer());
    const delays: number[] = [];
    const throttle = createLoginThrottle({ failures, sleep: async (ms) => void delays.push(ms) });
    for (let i = 0; i < 20; i += 1) {
      await expect(throttle.attempt('bob', 'a', () => Promise.reject(new Error('database gone')))).rejects.toThrow();
    }
    await throttle.attempt('bob', 'a', async () => true);
    expect(delays).toEqual([]);
  });

  test('counts what other servers counted, and forgets on all of them after a success', async () => {
    const { fail, failures, server } = await openThrottle();
    await fail(12);
    await failures.flush();
    const beside = await openTestServer({ beside: server });
    const others = countFailures(beside);
    const delays: number[] = [];
    const throttle = createLoginThrottle({ failures: others, sleep: async (ms) => void delays.push(ms) });
    expect(await throttle.attempt('bob', '192.0.2.1', async () => true)).toBe(true);
    expect(delays).toEqual([5000]);
    await others.flush();
    const after = await openThrottle();
    expect(await server.deps.db.read.selectFrom('login_failures').selectAll().execute()).toEqual([]);
    expect(after.delays).toEqual([]);
  });

  test('counts a /64 of IPv6 as one address', async () => {
    const { fail, attempt, delays } = await openThrottle();
    await fail(3, 'bob', '2001:db8:1:2::1');
    await fail(3, 'bob', '2001:db8:1:2:ffff::7');
    expect(delays).toEqual([250]);
    expect(await attempt(true, 'bob', '2001:db8:1:3::1')).toBe(true);
    expect(delays).toEqual([250]);
  });

  test('keeps neither names nor more rows than its bound, and forgets them after a quarter of an hour', async () => {
    const { fail, failures, server } = await openThrottle();
    await fail(1, 'a-password-typed-as-name', '192.0.2.7');
    await failures.flush();
    const rows = () => server.deps.db.read.selectFrom('login_failures').selectAll().execute();
    expect(JSON.stringify(await rows())).not.toContain('a-password-typed-as-name');
    await failures.prune();
    expect(await rows()).toHaveLength(1);
    server.clock.advance(15 * 60_000);
    await failures.prune();
    expect(await rows()).toEqual([]);
  });

  test('refuses to guess on where the database cannot say how often it was wrong', async () => {
    const { attempt, server } = await openThrottle();
    await server.close();
    await expect(attempt(true)).rejects.toThrow();
  });
});
