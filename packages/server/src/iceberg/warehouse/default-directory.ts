import { createHash } from 'node:crypto';

const MAX_BYTES = 100;
const HASH_DIGITS = 8;

/** `CON`, `nul.txt` and their like are devices on Windows, wherever they are. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Where a table (or, without a name, a namespace) is put when nobody says: `<root>/<level>/…/<name>`. Each part is what
 * `directoryName` makes of it, so no name leads anywhere else and no two of them to one place.
 */
export function defaultDirectory(root: string, levels: readonly string[], name?: string): string {
  const parts = name === undefined ? levels : [...levels, name];
  return [root.replace(/\/$/, ''), ...parts.map(directoryName)].join('/');
}

/**
 * A name made of letters, digits, `_`, `-` and `.` that every storage takes. A name of that kind stays as it is; any
 * other ends with the first 8 digits of its SHA-256, and so does one that looks as if it did. Case is kept: on a file
 * system that ignores it, names that differ in nothing else meet.
 */
export function directoryName(name: string): string {
  const safe = name
    .replace(/[^A-Za-z0-9_.-]/gu, '_')
    .replace(/^\.|^$/, '_')
    .replace(DEVICE, '_$&');
  if (safe === name && name.length <= MAX_BYTES && !/-[0-9a-f]{8}$|\.$/.test(name)) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_DIGITS);
  return `${safe.slice(0, MAX_BYTES - HASH_DIGITS - 1)}-${hash}`;
}
