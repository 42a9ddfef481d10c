import { PangolinError } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createLoginThrottle } from '../../../packages/server/src/sessions/login-throttle.ts';
import { createClock } from '../harness.ts';

/** A throttle whose sleepers wake when the test says so. */
function openThrottle() {
  const clock = createClock();
  const delays: number[] = [];
  const sleepers: (() => void)[] = [];
  let asleep = false;
  const throttle = createLoginThrottle({
    now: () => clock.nowMs,
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
    clock,
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
    const { fail, delays } = openThrottle();
    await fail(4);
    expect(delays).toEqual([]);
    await fail(8);
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000].slice(0, delays.length));
    expect(delays).toHaveLength(7);
  });

  test('lets the right password in from the same address after any number of failures, and forgets them', async () => {
    const { fail, attempt, delays } = openThrottle();
    await fail(50);
    expect(await attempt(true)).toBe(true);
    delays.length = 0;
    expect(await attempt(false)).toBe(false);
    expect(delays).toEqual([]);
  });

  test('lets the right password in from another address at once', async () => {
    const { fail, attempt, delays } = openThrottle();
    await fail(50);
    delays.length = 0;
    expect(await attempt(true, 'bob', '198.51.100.7')).toBe(true);
    expect(await attempt(true, 'bob', null)).toBe(true);
    expect(delays).toEqual([]);
  });

  test('keeps account and address apart, whatever characters they hold', async () => {
    const { fail, attempt, delays } = openThrottle();
    await fail(10, 'a","b', 'c');
    delays.length = 0;
    expect(await attempt(true, 'a', 'b","c')).toBe(true);
    expect(delays).toEqual([]);
  });

  test('forgets after a quarter of an hour without failures', async () => {
    const { fail, attempt, clock, delays } = openThrottle();
    await fail(20);
    clock.advance(15 * 60_000);
    delays.length = 0;
    await attempt(false);
    expect(delays).toEqual([]);
  });

  test('lets five wait in line and tells the rest when to come again', async () => {
    const { fail, attempt, holdSleepers, wakeAll } = openThrottle();
    await fail(6);
    holdSleepers();
    const inLine = [attempt(false), attempt(true), attempt(false), attempt(false), attempt(false)];
    expect(await attempt(true)).toBe('too_many_requests');
    wakeAll();
    expect(await Promise.all(inLine)).toEqual([false, true, false, false, false]);
  });

  test('tries guesses that arrive together one after the other', async () => {
    const clock = createClock();
    const throttle = createLoginThrottle({ now: () => clock.nowMs, sleep: async () => undefined });
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
    const { attempt, delays } = openThrottle();
    await Promise.all(Array.from({ length: 40 }, () => attempt(false)));
    await attempt(false);
    expect(delays.at(-1)).toBe(5000);
  });

  test('does not count a check that could not be made', async () => {
    const clock = createClock();
    const delays: number[] = [];
    const throttle = createLoginThrottle({ now: () => clock.nowMs, sleep: async (ms) => void delays.push(ms) });
    for (let i = 0; i < 20; i += 1) {
      await expect(throttle.attempt('bob', 'a', () => Promise.reject(new Error('database gone')))).rejects.toThrow();
    }
    await throttle.attempt('bob', 'a', async () => true);
    expect(delays).toEqual([]);
  });
});
