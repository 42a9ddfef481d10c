import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { Page, time, uuid } from './fields.ts';

/**
 * A key that tokens are signed with; its private part never leaves the server. `next` is published and signs after the next
 * rotation; `retired` verifies what it signed until `verify_until`, or without end (null) where a token has none.
 * `signed_checkpoint`: it vouches for a part of the audit log, and stays published.
 */
export const SigningKey = z.object({
  kid: uuid,
  state: z.enum(['next', 'active', 'retired']),
  algorithm: z.literal('ES256'),
  created_at: time,
  activated_at: z.nullable(time),
  retired_at: z.nullable(time),
  verify_until: z.nullable(time),
  signed_checkpoint: z.boolean(),
});
export type SigningKey = z.output<typeof SigningKey>;

export const SigningKeyRotation = z.object({ retired: SigningKey, active: SigningKey, next: SigningKey });
export type SigningKeyRotation = z.output<typeof SigningKeyRotation>;

/**
 * `source` is where the master key is; `replaced`: a new one was made there, and the old one taken away. Otherwise the first
 * key there took the place of the others, which may now be taken away by hand. `resealed` counts private keys.
 */
export const MasterKeyRotation = z.object({
  source: z.enum(['data-directory', 'PANGOLIN_MASTER_KEY', 'PANGOLIN_MASTER_KEY_FILE']),
  replaced: z.boolean(),
  resealed: z.int(),
});
export type MasterKeyRotation = z.output<typeof MasterKeyRotation>;

const tag = 'Signing keys';
const path = '/api/v1/signing-keys';

export const signingKeysApi = {
  list: endpoint({
    method: 'get',
    path,
    summary: 'List signing keys, newest first; for root',
    tag,
    access: 'credential',
    query: Page,
    status: 200,
    answer: z.array(SigningKey),
  }),
  rotate: endpoint({
    method: 'post',
    path: `${path}/rotate`,
    summary: 'Sign with the next key from now on; no token is invalidated. For root',
    tag,
    access: 'credential',
    status: 200,
    answer: SigningKeyRotation,
  }),
  reseal: endpoint({
    method: 'post',
    path: `${path}/reseal`,
    summary: 'Rotate the master key: seal the private parts of the signing keys with another one. For root',
    tag,
    access: 'credential',
    status: 200,
    refusals: [409],
    answer: MasterKeyRotation,
  }),
};
