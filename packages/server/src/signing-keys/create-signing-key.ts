import { exportJWK, generateKeyPair } from 'jose';
import type { MasterKey } from '../installation/master-key.ts';
import type { Executor } from '../store/schema.ts';
import { seal } from './sealing.ts';
import { insertSigningKey } from './store.ts';

/** A key pair that is not stored yet. */
export interface NewSigningKey {
  kid: string;
  publicJwk: string;
  privateJwk: string;
}

/** Makes an ES256 key pair. */
export async function createSigningKey(kid: string): Promise<NewSigningKey> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256', use: 'sig' };
  return { kid, publicJwk: JSON.stringify(publicJwk), privateJwk: JSON.stringify(await exportJWK(pair.privateKey)) };
}

/**
 * Stores a key: `active` signs from now on, `next` is published from now on and signs after the next rotation. It is sealed
 * here, in the transaction, so that the master key cannot be replaced in between.
 */
export async function storeSigningKey(
  tx: Executor,
  masterKey: MasterKey,
  key: NewSigningKey,
  { state, createdAtMs }: { state: 'active' | 'next'; createdAtMs: number },
): Promise<void> {
  await insertSigningKey(tx, {
    kid: key.kid,
    public_key: key.publicJwk,
    private_key: masterKey.use((keys) => seal(keys, key.kid, key.privateJwk)),
    state,
    created_at: createdAtMs,
    activated_at: state === 'active' ? createdAtMs : null,
  });
}
