import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { PangolinError } from '@pangolin/shared/cli';

const MAX_BYTES = 1024 * 1024;

/** Public keys by their `kid`; text says why a key cannot verify, to follow "the key … ". */
export type VerificationKeys = ReadonlyMap<string, KeyObject | string>;

/** Reads a file as saved from /.well-known/jwks.json (RFC 7517 §5). Throws `invalid_argument`. */
export async function readJwksFile(file: string): Promise<VerificationKeys> {
  let value: unknown;
  try {
    if ((await stat(file)).size > MAX_BYTES) throw new Error('too large');
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw refuse(`The key file ${file} cannot be read, or is not JSON.`, cause);
  }
  return readJwks(value, `The file ${file}`);
}

/** Reads a JWK set; `what` begins the message where it is none. Throws `invalid_argument`. */
export function readJwks(value: unknown, what: string): VerificationKeys {
  const keys = isObject(value) && Array.isArray(value.keys) ? value.keys : undefined;
  if (!keys?.every(isKey)) throw refuse(`${what} holds no JWK set: { "keys": [ { "kid": … } ] }.`);
  const read = new Map<string, KeyObject | string>();
  for (const key of keys) {
    if (read.has(key.kid)) throw refuse(`${what} holds two keys with the kid ${key.kid}.`);
    read.set(key.kid, readKey(key));
  }
  return read;
}

/** What signs checkpoints is ES256 (RFC 7518 §3.4) and nothing else. */
function readKey(key: Key): KeyObject | string {
  const { kty, crv, alg = 'ES256', use = 'sig' } = key;
  if (kty !== 'EC' || crv !== 'P-256' || alg !== 'ES256' || use !== 'sig')
    return 'is not one for signatures with ES256 (kty EC, crv P-256)';
  try {
    const { x, y } = key;
    return createPublicKey({ key: { kty, crv, x: String(x), y: String(y) }, format: 'jwk' });
  } catch {
    return 'is damaged';
  }
}

type Key = Record<string, unknown> & { kid: string };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isKey = (value: unknown): value is Key => isObject(value) && typeof value.kid === 'string';

const refuse = (message: string, cause?: unknown) =>
  new PangolinError('invalid_argument', message, {
    cause,
    hint: 'Save the keys of the server: curl -o jwks.json https://…/.well-known/jwks.json',
  });
