import { PangolinError } from '@pangolin/shared/errors';
import { importJWK, type JWTPayload, SignJWT } from 'jose';
import type { MasterKey } from '../installation/master-key.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';
import { createSigningKey, storeSigningKey } from './create-signing-key.ts';
import { keyMissing } from './key-missing.ts';
import { createLoadedKeys, type LoadedKeys, VERIFY_TOLERANCE_MS, type VerificationKey } from './loaded-keys.ts';
import { opensAll } from './rotate-master-key.ts';
import { unseal } from './sealing.ts';
import { findKeyIn, listPublishedKeys } from './store.ts';

/** A JWS in compact serialisation (RFC 7515 §7.1), and the key that signed it. */
interface Signed {
  jws: string;
  kid: string;
}

export interface SigningKeys {
  /**
   * Sees that the master key opens the private keys, and keeps nothing of it; makes the key that will sign next where there
   * is none yet. Throws `master_key_missing`, saying what to do.
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

interface SigningKeysOptions {
  db: Database;
  masterKey: MasterKey;
  now(): number;
  newId(): string;
}

/** How often rows and master key are read together, while another process replaces both. */
const ATTEMPTS = 4;

/** The installation's signing keys; imported when first needed, and kept until others take their place. */
export function createSigningKeys({ db, masterKey, now, newId }: SigningKeysOptions): SigningKeys {
  const keys = createLoadedKeys(db, now);
  let signer: { kid: string; ready: Promise<Signer> } | undefined;

  /**
   * Does what takes both the sealed keys and the master key. Another process may replace the master key between the two
   * reads: `work` answers undefined when one does not open the other, and both are read again.
   */
  async function withMasterKey<T>(
    work: (loaded: LoadedKeys, masterKeys: readonly Buffer[]) => T | undefined,
  ): Promise<T> {
    let loaded = await keys.current();
    for (let attempt = 1; ; attempt += 1) {
      const found = masterKey.use((masterKeys) => work(loaded, masterKeys));
      if (found !== undefined) return found;
      if (attempt === ATTEMPTS) throw masterKey.explain((others) => opensAll(others, sealedIn(loaded)));
      loaded = await keys.reload();
    }
  }

  async function importSigner(): Promise<Signer> {
    try {
      const { kid, secret } = await withMasterKey((loaded, masterKeys) => {
        const row = activeIn(loaded);
        const opened = unseal(masterKeys, row.kid, row.private_key);
        return opened && { kid: row.kid, secret: opened.secret };
      });
      return { kid, key: await importJWK(JSON.parse(secret), 'ES256') };
    } catch (cause) {
      if (!(cause instanceof PangolinError) || cause.status !== 500) throw cause;
      throw new PangolinError('master_key_missing', 'The signing key cannot be opened.', {
        cause,
        hint: 'Whoever runs the server finds the reason in its log.',
      });
    }
  }

  function readSigner(loaded: LoadedKeys): Promise<Signer> {
    const { kid } = activeIn(loaded);
    if (signer?.kid === kid) return signer.ready;
    const mine = { kid, ready: importSigner() };
    signer = mine;
    mine.ready.catch(() => {
      if (signer === mine) signer = undefined;
    });
    return mine.ready;
  }

  async function signAs(typ: string, claims: JWTPayload): Promise<Signed> {
    const { kid, key } = await readSigner(await keys.current());
    return { jws: await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', typ, kid }).sign(key), kid };
  }

  return {
    async open() {
      await withMasterKey((loaded, masterKeys) => opensAll(masterKeys, sealedIn(loaded)) || undefined);
      if ((await keys.current()).rows.some((row) => row.state === 'next')) return;
      const key = await createSigningKey(newId());
      await db.transact(async (tx) => {
        if (!(await findKeyIn(tx, 'next')))
          await storeSigningKey(tx, masterKey, key, { state: 'next', createdAtMs: now() });
      });
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

interface Signer {
  kid: string;
  key: Awaited<ReturnType<typeof importJWK>>;
}

function activeIn({ rows }: LoadedKeys): LoadedKeys['rows'][number] {
  const row = rows.find((one) => one.state === 'active');
  if (!row) throw keyMissing('active');
  return row;
}

/** A retired key has no private part any more. */
const sealedIn = ({ rows }: LoadedKeys) => rows.filter((row) => row.private_key !== '');
