import { exportJWK, generateKeyPair } from 'jose';
import { seal } from './sealing.ts';

/** Makes an ES256 key pair; the private JWK is sealed with the master key. */
export async function createSigningKey(masterKey: Buffer, kid: string) {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256', use: 'sig' };
  const privateJwk = await exportJWK(pair.privateKey);
  return { kid, public_key: JSON.stringify(publicJwk), private_key: seal(masterKey, kid, JSON.stringify(privateJwk)) };
}
