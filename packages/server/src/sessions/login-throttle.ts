import { PangolinError } from '@pangolin/shared/errors';

/** So many wrong passwords cost nothing: people mistype. */
const FREE_FAILURES = 4;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/** From here on a wrong password is answered 429 instead of 401. */
const TOLD_AFTER_FAILURES = 9;

const FORGET_AFTER_MS = 15 * 60_000;
const MAX_ENTRIES = 10_000;
const MAX_IN_LINE = 5;

interface Entry {
  failures: number;
  lastFailureMs: number;
  inLine: number;
  tail: Promise<unknown>;
}

/**
 * Slows down whoever guesses passwords, per (account, address): each attempt waits for the one before and for a delay that
 * doubles. The right password is never refused for failures from elsewhere, and after failures from the same place it is
 * only slower: guesses and the rightful user stand in one short line.
 */
export interface LoginThrottle {
  /** Runs a check; false counts as a failure. Throws `too_many_requests`. */
  attempt(account: string, address: string | null, check: () => Promise<boolean>): Promise<boolean>;
}

export function createLoginThrottle(edges: { now(): number; sleep(ms: number): Promise<void> }): LoginThrottle {
  const entries = new Map<string, Entry>();

  function enter(key: string): Entry {
    const known = entries.get(key);
    if (known && (known.inLine > 0 || edges.now() - known.lastFailureMs < FORGET_AFTER_MS)) return known;
    const entry = { failures: 0, lastFailureMs: edges.now(), inLine: 0, tail: Promise.resolve() };
    entries.delete(key);
    entries.set(key, entry);
    forgetOldest();
    return entry;
  }

  function forgetOldest(): void {
    for (const [key, entry] of entries) {
      if (entries.size <= MAX_ENTRIES) return;
      if (entry.inLine === 0) entries.delete(key);
    }
  }

  async function settle(key: string, entry: Entry, check: () => Promise<boolean>): Promise<boolean> {
    const delayMs = delayAfter(entry.failures);
    if (delayMs > 0) await edges.sleep(delayMs);
    if (await check()) {
      entry.failures = 0;
      return true;
    }
    entry.failures += 1;
    entry.lastFailureMs = edges.now();
    // Moved to the end: what is forgotten first is what failed longest ago.
    entries.delete(key);
    entries.set(key, entry);
    if (entry.failures > TOLD_AFTER_FAILURES) throw tooMany(delayAfter(entry.failures));
    return false;
  }

  return {
    async attempt(account, address, check) {
      const key = JSON.stringify([account, address]);
      const entry = enter(key);
      if (delayAfter(entry.failures) > 0 && entry.inLine >= MAX_IN_LINE)
        throw tooMany(delayAfter(entry.failures) * (entry.inLine + 1));
      entry.inLine += 1;
      const before = entry.tail;
      const mine = (async () => {
        if (delayAfter(entry.failures) > 0) await before;
        return settle(key, entry, check);
      })();
      entry.tail = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        entry.inLine -= 1;
        if (entry.inLine === 0 && entry.failures === 0) entries.delete(key);
      }
    },
  };
}

const delayAfter = (failures: number): number =>
  failures <= FREE_FAILURES ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES - 1), LONGEST_DELAY_MS);

const tooMany = (delayMs: number) =>
  new PangolinError('too_many_requests', 'Too many wrong passwords for this account from this address.', {
    hint: 'Wait a little. If the password is lost: pangolin-admin reset-password',
    retryAfterSeconds: Math.ceil(delayMs / 1000),
  });
