import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import { limitedPart } from '../networks.ts';
import type { Database } from '../store/database.ts';
import { MINUTE_MS } from '../times.ts';
import { createSharedCounts, type SharedCountsOptions } from './shared-counts.ts';
import { addCredentialFailures, deleteCredentialFailuresBefore, findCredentialFailures } from './store.ts';

/** So many wrong credentials a minute are told apart from each other; a burst of honest mistakes is fine. */
export const DEFAULT_FAILURES_PER_MINUTE = 60;

/** What somebody who guesses is told. What was good once, and has expired or was ended, nobody guesses: it is always told so. */
const GUESSES: ReadonlySet<ErrorCode> = new Set([
  'api_key_invalid',
  'credential_malformed',
  'login_failed',
  'token_signature_invalid',
  'token_unknown',
  'token_wrong_issuer',
]);

/**
 * Counts refused credentials per address and minute. They are verified first, so a good one is let through whatever its
 * neighbours do; above the limit a bad one is answered 429 instead of 401.
 */
export interface FailedCredentials {
  /** Verifies; a refusal counts against the address (null: nobody's). Throws `too_many_requests` in its place. */
  judge<T>(address: string | null, verify: () => MaybePromise<T>): MaybePromise<T>;
  /** The same for a password, which has limits of its own besides. */
  judgeLogin<T>(address: string | null, logIn: () => Promise<T>): Promise<T>;
  flush(): Promise<void>;
  prune(): Promise<void>;
  close(): Promise<void>;
}

export function createFailedCredentials(
  db: Database,
  options: Omit<SharedCountsOptions, 'store'> & { perMinute: number; now(): number; onUndecided(): void },
): FailedCredentials {
  const { perMinute, now } = options;
  const counts = createSharedCounts({ ...options, store: createStore(db) });

  async function refuse(address: string, error: PangolinError): Promise<never> {
    const minute = Math.floor(now() / MINUTE_MS);
    const key = toKey({ address: limitedPart(address), minute });
    counts.add(key);
    // A database that cannot say leaves the refusal as it is.
    const failures = await counts.read(key).catch(() => 0);
    if (failures <= perMinute) throw error;
    throw tooMany(error, Math.ceil(((minute + 1) * MINUTE_MS - now()) / 1000));
  }

  function judgeRefusal(address: string | null, error: unknown): Promise<never> {
    const isGuess = error instanceof PangolinError && GUESSES.has(error.code);
    if (!isGuess || address === null) throw error;
    return refuse(address, error);
  }

  function judgeError(address: string | null, error: unknown): Promise<never> {
    if (!(error instanceof PangolinError) || error.status >= 500) options.onUndecided();
    return judgeRefusal(address, error);
  }

  return {
    judge(address, verify) {
      try {
        const verified = verify();
        return verified instanceof Promise ? verified.catch((error) => judgeError(address, error)) : verified;
      } catch (error) {
        return judgeError(address, error);
      }
    },
    judgeLogin: (address, logIn) => logIn().catch((error) => judgeRefusal(address, error)),
    flush: counts.flush,
    async prune() {
      const minute = Math.floor(now() / MINUTE_MS);
      await db.transact((tx) => deleteCredentialFailuresBefore(tx, minute), { credentials: 'unchanged' });
    },
    close: counts.close,
  };
}

const toKey = ({ address, minute }: { address: string; minute: number }): string => `${minute} ${address}`;

function readKey(key: string): { address: string; minute: number } {
  const [minute = '', address = ''] = key.split(' ');
  return { address, minute: Number(minute) };
}

const createStore = (db: Database): SharedCountsOptions['store'] => ({
  load(key) {
    const { address, minute } = readKey(key);
    return findCredentialFailures(db.read, address, minute);
  },
  async save(changes) {
    // In one order on every server, so that two never wait for each other.
    const rows = changes.map(({ key, added }) => ({ ...readKey(key), failures: added })).sort(byAddress);
    const sums = await db.transact((tx) => addCredentialFailures(tx, rows), { credentials: 'unchanged' });
    return new Map(sums.map((row) => [toKey(row), Number(row.failures)]));
  },
});

const byAddress = (a: { address: string; minute: number }, b: { address: string; minute: number }): number =>
  a.address < b.address ? -1 : a.address > b.address ? 1 : a.minute - b.minute;

/** Still says what was wrong: whoever made an honest mistake must find it. */
const tooMany = (error: PangolinError, retryAfterSeconds: number) =>
  new PangolinError('too_many_requests', `${error.message} Too many credentials from this address were refused.`, {
    cause: error,
    hint: `Wait before trying again; a valid credential is accepted at any time. ${error.hint ?? ''}`.trim(),
    retryAfterSeconds: Math.max(1, retryAfterSeconds),
  });
