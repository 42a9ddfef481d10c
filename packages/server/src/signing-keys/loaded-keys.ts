import { createPublicKey, type KeyObject } from 'node:crypto';
import { andThen, type MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';
import { MINUTE_MS, monotonicMs } from '../times.ts';
import { listKeysInUse } from './store.ts';

/** An unknown `kid` may be a key another process just made, or an attacker's: ask the database at most this often. */
const RELOAD_INTERVAL_MS = 1_000;

/** A token is good a minute longer than it says, for clocks that differ; so is the key that signed it. */
export const VERIFY_TOLERANCE_MS = MINUTE_MS;

type KeyRow = Awaited<ReturnType<typeof listKeysInUse>>[number];

/** The signing keys as of one state of the database. */
export interface LoadedKeys {
  rows: readonly KeyRow[];
  generation: number;
  loadedAtMs: number;
}

/** What checks signatures, and until when it does, in milliseconds since 1970; Infinity for the key that signs. */
export interface VerificationKey {
  key: KeyObject;
  endsAtMs: number;
}

/** Keeps the signing keys at hand for as long as no credential can have changed, in this process or another. */
export function createLoadedKeys(db: Database, now: () => number) {
  const publicKeys = new Map<string, KeyObject>();
  let loaded: LoadedKeys | undefined;
  let loading: { generation: number; keys: Promise<LoadedKeys> } | undefined;

  function load(generation: number): Promise<LoadedKeys> {
    if (loading?.generation === generation) return loading.keys;
    const loadedAtMs = monotonicMs();
    const keys = listKeysInUse(db.read, now() - VERIFY_TOLERANCE_MS).then((rows) => {
      loaded = { rows, generation, loadedAtMs };
      return loaded;
    });
    const mine = { generation, keys };
    loading = mine;
    const forget = () => {
      if (loading === mine) loading = undefined;
    };
    keys.then(forget, forget);
    return keys;
  }

  /** As the database has them: on one machine now, on a replica at most a second ago. */
  const current = (): MaybePromise<LoadedKeys> =>
    andThen(db.credentialGeneration(), (generation) => (loaded?.generation === generation ? loaded : load(generation)));

  /** Read once more, but no sooner than a second after the last time. */
  const again = (keys: LoadedKeys): MaybePromise<LoadedKeys> =>
    monotonicMs() - keys.loadedAtMs > RELOAD_INTERVAL_MS ? load(keys.generation) : keys;

  function findIn(keys: LoadedKeys, kid: string): VerificationKey | undefined {
    const row = keys.rows.find((one) => one.kid === kid);
    // Nothing was signed by a key before its time.
    if (!row || row.state === 'next') return undefined;
    const endsAtMs =
      row.state === 'active' ? Number.POSITIVE_INFINITY : Number(row.verify_until ?? 0) + VERIFY_TOLERANCE_MS;
    if (endsAtMs <= now()) return undefined;
    let key = publicKeys.get(kid);
    if (!key) {
      key = createPublicKey({ key: JSON.parse(row.public_key), format: 'jwk' });
      publicKeys.set(kid, key);
    }
    return { key, endsAtMs };
  }

  return {
    current,
    /** Past the interval too: what was read did not do. */
    reload: async (): Promise<LoadedKeys> => load(await db.credentialGeneration()),
    /** What verifies the signatures of a key now. */
    find: (kid: string): MaybePromise<VerificationKey | undefined> =>
      andThen(
        current(),
        (keys) =>
          findIn(keys, kid) ?? andThen(again(keys), (fresh) => (fresh === keys ? undefined : findIn(fresh, kid))),
      ),
  };
}
