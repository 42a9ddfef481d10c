import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { type SigningKey, signingKeysApi } from '@pangolin/shared/contract';
import { expect } from 'vitest';
import { unseal } from '../../../packages/server/src/signing-keys/sealing.ts';
import type { TestServer } from '../harness.ts';

export const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;

export const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

export const rotate = (server: TestServer) => server.owner.call(signingKeysApi.rotate);

export const listKeys = (server: TestServer): Promise<SigningKey[]> => server.owner.call(signingKeysApi.list);

/** How many keys are in each state. */
export async function countStates(server: TestServer): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { state } of await listKeys(server)) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

export async function publishedKids(server: TestServer): Promise<string[]> {
  const { json, headers } = await server.nobody.send('GET', '/.well-known/jwks.json');
  expect(headers.get('cache-control')).toBe('public, max-age=300');
  return (json as { keys: { kid: string }[] }).keys.map((key) => key.kid);
}

/** A signing key's private part in the hands of a thief who has the data directory. */
export async function stealKey({ deps }: TestServer, state: 'active' | 'next') {
  const row = await deps.db.read
    .selectFrom('signing_keys')
    .select(['kid', 'private_key'])
    .where('state', '=', state)
    .executeTakeFirstOrThrow();
  const opened = deps.masterKey.use((keys) => unseal(keys, row.kid, row.private_key));
  const key: KeyObject = createPrivateKey({ key: JSON.parse(opened?.secret ?? ''), format: 'jwk' });
  return {
    kid: row.kid,
    forge(token: string, changes: object = {}): string {
      const parts = [
        { alg: 'ES256', typ: 'at+jwt', kid: row.kid },
        { ...claimsOf(token), ...changes },
      ];
      const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${signed}.${sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
    },
  };
}
