import { hash, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { encodeBase62, encodeNumber } from './base62.ts';

/**
 * An API key: `pgl_<key id: 12 base62>_<secret: 43 base62, 256 bit><checksum: 6 base62>`.
 * The checksum is the CRC-32 of all before it: typing errors and random guesses never reach the database.
 */
const SHAPE = /^pgl_([0-9A-Za-z]{12})_[0-9A-Za-z]{49}$/;
const CHECKSUM_LENGTH = 6;

/** Whether a secret claims to be an API key. */
export const looksLikeApiKey = (secret: string): boolean => secret.startsWith('pgl_');

/** Makes a key; `hash` is what is stored, `secret` is shown once. */
export function createApiKey(randomBytes: (size: number) => Buffer): { id: string; secret: string; hash: string } {
  const id = encodeBase62(randomBytes(16), 12);
  const body = `pgl_${id}_${encodeBase62(randomBytes(32), 43)}`;
  const secret = body + checksum(body);
  return { id, secret, hash: hashApiKey(secret) };
}

/** The public id of a well-formed key, or undefined when a character is wrong. */
export function readApiKeyId(secret: string): string | undefined {
  const id = SHAPE.exec(secret)?.[1];
  const body = secret.slice(0, -CHECKSUM_LENGTH);
  return id !== undefined && secret.slice(-CHECKSUM_LENGTH) === checksum(body) ? id : undefined;
}

/** The secret is random, so a slow hash would only serve those who want to exhaust the CPU. */
const hashApiKey = (secret: string): string => hash('sha256', secret);

/** Compares two hashes in constant time. */
export const isSameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** What may be shown of a key. */
export const previewApiKey = (id: string): string => `pgl_${id}_…`;

const checksum = (body: string): string => encodeNumber(crc32(body), CHECKSUM_LENGTH);
