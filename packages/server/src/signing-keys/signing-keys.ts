import { importJWK, type JWTPayload, SignJWT } from 'jose';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';
import { createSigningKey, storeNextKey } from './create-signing-key.ts';
import { createLoadedKeys, type LoadedKeys, VERIFY_TOLERANCE_MS, type VerificationKey } from './loaded-keys.ts';
import { unseal } from './sealing.ts';
import { findNextKey, listPublishedKeys } from './store.ts';

/** A JWS in compact serialisation (RFC 7515 §7.1), and the key that signed it. */
export interface Signed {
  jws: string;
  kid: string;
}

export interface SigningKeys {
  /**
   * Unseals the private keys, and keeps nothing of it; makes the key that will sign next where there is none yet.
   * Throws `master_key_missing` when the master key does not open them.
   */
  open(): Promise<void>;
  /** Signs claims as an access token: JWT, `typ: at+jwt` (RFC 9068 §2.1), ES256. */
  sign(claims: JWTPayload): Promise<Signed>;
  /** Signs something that is no token, and is told from one by its `typ` (RFC 8725 §3.11): `pangolin-checkpoint+jwt`. */
  signAs(typ: `pangolin-${string}`, claims: JWTPayload): Promise<Signed>;
  /** What verifies the tokens of a `kid` now, or undefined if nothing does any more, or yet. */
  findVerificationKey(kid: string): MaybePromise<VerificationKey | undefined>;
  /** RFC 7517 §5: the keys that sign now and next, those whose tokens are still good, those that signed the audit log. */
  readJwks(): Promise<{ keys: Record<string, unknown>[] }>;
}

export interface SigningKeysOptions {
  db: Database;
  masterKey: Buffer;
  now(): number;
  newId(): string;
}

/** The installation's signing keys; imported when first needed, and kept until others take their place. */
export function createSigningKeys({ db, masterKey, now, newId }: SigningKeysOptions): SigningKeys {
  const keys = createLoadedKeys(db, now);
  let active: { kid: string; key: ReturnType<typeof importJWK> } | undefined;

  function importActive(loaded: LoadedKeys) {
    const row = loaded.rows.find((one) => one.state === 'active');
    if (!row) throw new Error('no active signing key');
    if (active?.kid === row.kid) return active;
    const key = importJWK(JSON.parse(unseal(masterKey, row.kid, row.private_key)), 'ES256');
    active = { kid: row.kid, key };
    return active;
  }

  async function signAs(typ: string, claims: JWTPayload): Promise<Signed> {
    const { kid, key } = importActive(await keys.current());
    const jws = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid }).sign(await key);
    return { jws, kid };
  }

  /** An installation of before there were next keys gets one. */
  async function makeNext(): Promise<void> {
    const key = await createSigningKey(masterKey, newId());
    await db.transact(async (tx) => {
      if (!(await findNextKey(tx))) await storeNextKey(tx, key, now());
    });
  }

  return {
    async open() {
      const { rows } = await keys.current();
      for (const row of rows) if (row.private_key !== '') unseal(masterKey, row.kid, row.private_key);
      if (!rows.some((row) => row.state === 'next')) await makeNext();
    },
    sign: (claims) => signAs('at+jwt', claims),
    signAs,
    findVerificationKey: keys.find,
    async readJwks() {
      const rows = await listPublishedKeys(db.read, now() - VERIFY_TOLERANCE_MS);
      // A client that takes the first key it sees takes the right one.
      const published = [...rows].sort((a, b) => Number(b.state === 'active') - Number(a.state === 'active'));
      return { keys: published.map((row) => JSON.parse(row.public_key)) };
    },
  };
}
