import { hash } from 'node:crypto';
import { createSharedCounts, type SharedCounts, type SharedCountsOptions } from '../limits/shared-counts.ts';
import { limitedPart } from '../networks.ts';
import type { Database } from '../store/database.ts';
import { MINUTE_MS } from '../times.ts';
import { addLoginFailures, deleteLoginFailures, findLoginFailures, pruneLoginFailures } from './store.ts';

const FORGET_AFTER_MS = 15 * MINUTE_MS;

/** However many addresses an attacker has, this many are remembered. */
const MAX_ROWS = 50_000;

/** Wrong passwords per (account, address), counted by all servers together and forgotten a quarter of an hour later. */
export interface LoginFailures extends SharedCounts {
  prune(): Promise<void>;
}

export function createLoginFailures(
  db: Database,
  options: Omit<SharedCountsOptions, 'store'> & { now(): number },
): LoginFailures {
  const since = () => options.now() - FORGET_AFTER_MS;
  const counts = createSharedCounts({
    ...options,
    store: {
      load: (key) => findLoginFailures(db.read, readKey(key), since()),
      async save(changes) {
        const nowMs = options.now();
        // In one order on every server, so that two never wait for each other.
        const sorted = [...changes].sort((a, b) => (a.key < b.key ? -1 : 1));
        const rows = sorted
          .filter(({ added }) => added > 0)
          .map(({ key, added }) => ({ ...readKey(key), failures: added, last_failure_at: nowMs }));
        return db.transact(
          async (tx) => {
            for (const { key, cleared } of sorted) if (cleared) await deleteLoginFailures(tx, readKey(key));
            const sums = rows.length > 0 ? await addLoginFailures(tx, rows, since()) : [];
            return new Map(sums.map((row) => [toKey(row), Number(row.failures)]));
          },
          { credentials: 'unchanged' },
        );
      },
    },
  });
  return {
    ...counts,
    prune: () => db.transact((tx) => pruneLoginFailures(tx, since(), MAX_ROWS), { credentials: 'unchanged' }),
  };
}

/** The key of an account and where it is tried from. No name is kept: what is typed there may be a password. */
export const loginKey = (account: string, address: string | null): string =>
  toKey({ account: hash('sha256', account, 'base64url'), address: address === null ? '' : limitedPart(address) });

const toKey = ({ account, address }: { account: string; address: string }): string => `${account} ${address}`;

function readKey(key: string): { account: string; address: string } {
  const [account = '', address = ''] = key.split(' ');
  return { account, address };
}
