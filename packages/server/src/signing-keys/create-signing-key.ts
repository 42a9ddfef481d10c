import { exportJWK, generateKeyPair } from 'jose';
import type { Executor } from '../store/schema.ts';
import { seal } from './sealing.ts';
import { insertSigningKey } from './store.ts';

type NewKey = Awaited<ReturnType<typeof createSigningKey>>;

/** Makes an ES256 key pair; the private JWK is sealed with the master key. */
export async function createSigningKey(masterKey: Buffer, kid: string) {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256', use: 'sig' };
  const privateJwk = await exportJWK(pair.privateKey);
  return { kid, public_key: JSON.stringify(publicJwk), private_key: seal(masterKey, kid, JSON.stringify(privateJwk)) };
}

/** Stores a key that signs from now on. */
export const storeActiveKey = (tx: Executor, key: NewKey, createdAtMs: number) =>
  insertSigningKey(tx, { ...key, state: 'active', created_at: createdAtMs, activated_at: createdAtMs });

/** Stores a key that is published from now on, and signs after the next rotation. */
export const storeNextKey = (tx: Executor, key: NewKey, createdAtMs: number) =>
  insertSigningKey(tx, { ...key, state: 'next', created_at: createdAtMs });
