const KEY_BYTES = 32;
const HEX = /^[0-9a-f]{64}$/i;
const BASE64 = /^[A-Za-z0-9+/_-]{43}=?$/;

/** What a master key is, and how one is made. */
export const MASTER_KEY_FORM = '32 random bytes, as base64 or as 64 hexadecimal digits';
export const MASTER_KEY_HINT = 'Make one: openssl rand -base64 32';

/**
 * Reads master keys, one or several, between commas, spaces or line ends: 32 bytes each, as base64, base64url or hex.
 * Undefined when any of it is something else, or there is none.
 */
export function readMasterKeys(text: string): Buffer[] | undefined {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const keys = [...new Set(words)].map(readKey);
  return keys.length > 0 && keys.every((key) => key !== undefined) ? keys : undefined;
}

function readKey(word: string): Buffer | undefined {
  if (HEX.test(word)) return Buffer.from(word, 'hex');
  const key = BASE64.test(word) ? Buffer.from(word, 'base64') : undefined;
  return key?.length === KEY_BYTES ? key : undefined;
}

/** The keys as a file holds them, one a line. */
export const formatMasterKeys = (keys: readonly Buffer[]): string =>
  keys.map((key) => `${key.toString('base64url')}\n`).join('');
