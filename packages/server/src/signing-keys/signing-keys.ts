import { createPublicKey, type KeyObject } from 'node:crypto';
import { importJWK, type JWTPayload, SignJWT } from 'jose';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';
import { monotonicMs } from '../times.ts';
import { unseal } from './sealing.ts';
import { listSigningKeys } from './store.ts';

/** An unknown `kid` may be a key another process just made, or an attacker's: ask the database at most this often. */
const RELOAD_INTERVAL_MS = 1_000;

export interface SigningKeys {
  /** Unseals the private keys, and keeps nothing of it. Throws `master_key_missing` when the master key does not open them. */
  open(): Promise<void>;
  /** Signs claims as an access token: JWT, `typ: at+jwt` (RFC 9068 §2.1), ES256. */
  sign(claims: JWTPayload): Promise<string>;
  /** The public key of a `kid`, or undefined if there is none. */
  findVerificationKey(kid: string): MaybePromise<KeyObject | undefined>;
  /** RFC 7517 §5. */
  readJwks(): Promise<{ keys: Record<string, unknown>[] }>;
}

interface LoadedKeys {
  rows: Awaited<ReturnType<typeof listSigningKeys>>;
  loadedAtMs: number;
}

/** The installation's signing keys; imported when first needed, then kept. */
export function createSigningKeys(db: Database, masterKey: Buffer): SigningKeys {
  const verificationKeys = new Map<string, KeyObject>();
  let loaded: Promise<LoadedKeys> | undefined;
  let active: Promise<{ kid: string; key: Awaited<ReturnType<typeof importJWK>> }> | undefined;

  function load(): Promise<LoadedKeys> {
    loaded = listSigningKeys(db.read).then((rows) => ({ rows, loadedAtMs: monotonicMs() }));
    loaded.catch(() => {
      loaded = undefined;
    });
    return loaded;
  }

  async function importActive() {
    const { rows } = await (loaded ?? load());
    const row = rows.find((one) => one.state === 'active');
    if (!row) throw new Error('no active signing key');
    return { kid: row.kid, key: await importJWK(JSON.parse(unseal(masterKey, row.kid, row.private_key)), 'ES256') };
  }

  function readActive() {
    active ??= importActive();
    active.catch(() => {
      active = undefined;
    });
    return active;
  }

  async function importVerificationKey(kid: string): Promise<KeyObject | undefined> {
    let keys = await (loaded ?? load());
    let row = keys.rows.find((one) => one.kid === kid);
    if (!row && monotonicMs() - keys.loadedAtMs > RELOAD_INTERVAL_MS) {
      keys = await load();
      row = keys.rows.find((one) => one.kid === kid);
    }
    if (!row) return undefined;
    const key = createPublicKey({ key: JSON.parse(row.public_key), format: 'jwk' });
    verificationKeys.set(kid, key);
    return key;
  }

  return {
    async open() {
      const { rows } = await (loaded ?? load());
      for (const row of rows) unseal(masterKey, row.kid, row.private_key);
    },
    async sign(claims) {
      const { kid, key } = await readActive();
      return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid }).sign(key);
    },
    findVerificationKey(kid) {
      return verificationKeys.get(kid) ?? importVerificationKey(kid);
    },
    async readJwks() {
      const { rows } = await load();
      return { keys: rows.map((row) => JSON.parse(row.public_key)) };
    },
  };
}
