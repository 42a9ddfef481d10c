import { PangolinError } from '@pangolin/shared/errors';
import type { SharedCounts } from '../limits/shared-counts.ts';
import { loginKey } from './login-failures.ts';

/** So many wrong passwords cost nothing: people mistype. */
const FREE_FAILURES = 4;
const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/** From here on a wrong password is answered 429 instead of 401. */
const TOLD_AFTER_FAILURES = 9;

const MAX_IN_LINE = 5;

/** Who waits to try one account from one address. */
interface Line {
  length: number;
  tail: Promise<unknown>;
}

/**
 * Slows down whoever guesses passwords, per (account, address): each attempt waits for the one before and for a delay that
 * doubles. The right password is never refused for failures from elsewhere, and after failures from the same place it is
 * only slower: guesses and the rightful user stand in one short line.
 */
export interface LoginThrottle {
  /** Runs a check; false counts as a failure. Throws `too_many_requests`, and `storage_…` where failures cannot be counted. */
  attempt(account: string, address: string | null, check: () => Promise<boolean>): Promise<boolean>;
}

export function createLoginThrottle(edges: {
  failures: Pick<SharedCounts, 'read' | 'add' | 'clear'>;
  sleep(ms: number): Promise<void>;
}): LoginThrottle {
  const { failures, sleep } = edges;
  const lines = new Map<string, Line>();

  async function settle(key: string, check: () => Promise<boolean>): Promise<boolean> {
    const delayMs = delayAfter(await failures.read(key));
    if (delayMs > 0) await sleep(delayMs);
    if (await check()) {
      failures.clear(key);
      return true;
    }
    failures.add(key);
    const count = await failures.read(key);
    if (count > TOLD_AFTER_FAILURES) throw tooMany(delayAfter(count));
    return false;
  }

  return {
    async attempt(account, address, check) {
      const key = loginKey(account, address);
      const delayMs = delayAfter(await failures.read(key));
      const line = lines.get(key) ?? { length: 0, tail: Promise.resolve() };
      if (delayMs > 0 && line.length >= MAX_IN_LINE) throw tooMany(delayMs * (line.length + 1));
      lines.set(key, line);
      line.length += 1;
      const before = line.tail;
      const mine = (async () => {
        if (delayMs > 0) await before;
        return settle(key, check);
      })();
      line.tail = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        line.length -= 1;
        if (line.length === 0) lines.delete(key);
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
