import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { formatMasterKeys, MASTER_KEY_FORM, MASTER_KEY_HINT, readMasterKeys } from './master-key-text.ts';
import { formatMode, refuseUnlessPrivate, syncDirectory } from './private-files.ts';

const KEY_BYTES = 32;

/** Keys are short; whatever is longer is another file. */
const MAX_FILE_BYTES = 64 * 1024;

/** Where a data directory keeps its master key. */
export const masterKeyPath = (directory: string): string => join(directory, 'master.key');

/** What a replacement is written to; one that lies there was interrupted before it took effect. */
const replacementPath = (directory: string): string => join(directory, '.master.key.new');

/** The keys of a data directory's own file, or undefined if there is none. Throws `data_directory_refused`, `master_key_missing`. */
export function readOwnMasterKeys(directory: string): Buffer[] | undefined {
  const path = masterKeyPath(directory);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  refuseUnlessPrivate(path, stats, 'file');
  const keys = stats.isFile() && stats.size <= MAX_FILE_BYTES ? readMasterKeys(readFileSync(path, 'utf8')) : undefined;
  if (keys) return keys;
  throw new PangolinError('master_key_missing', `${path} does not hold a master key.`, {
    hint: 'Put the file back from a backup.',
  });
}

/**
 * The keys of a file elsewhere, that PANGOLIN_MASTER_KEY_FILE names. It must be the user's own and nobody else's to read; a
 * secret that systemd, Docker or Kubernetes mounts may also be root's, and then readable by a group it was given to.
 * Throws `master_key_missing`.
 */
export function readForeignMasterKeys(path: string): Buffer[] {
  const refuse = (problem: string, hint: string) =>
    new PangolinError('master_key_missing', `PANGOLIN_MASTER_KEY_FILE: ${problem}`, { hint });
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) throw refuse(`there is no ${path}.`, 'Check the path, and that the secret is mounted.');
    if (!stats.isFile())
      throw refuse(`${path} is not a file.`, 'Name a file, or give the key itself in PANGOLIN_MASTER_KEY.');
    const problem = findExposure(stats);
    if (problem)
      throw refuse(
        `${path} ${problem}.`,
        `chmod 400 '${path}', as the user the server runs as; for a mounted secret set mode 0400 (Docker: mode, Kubernetes: defaultMode).`,
      );
    const keys = stats.size <= MAX_FILE_BYTES ? readMasterKeys(readFileSync(path, 'utf8')) : undefined;
    if (keys) return keys;
    throw refuse(`${path} does not hold a master key: ${MASTER_KEY_FORM}.`, MASTER_KEY_HINT);
  } catch (error) {
    if (error instanceof PangolinError) throw error;
    throw refuse(`${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, 'Check who may read it.');
  }
}

function findExposure(stats: Stats): string | undefined {
  const user = process.geteuid?.();
  if (user === undefined) return undefined;
  if (stats.uid !== user && stats.uid !== 0) return `belongs to another user (uid ${stats.uid}; you are ${user})`;
  const allowed = stats.uid === 0 ? 0o740 : 0o700;
  return (stats.mode & 0o777 & ~allowed) === 0 ? undefined : `can be used by others (mode ${formatMode(stats)})`;
}

/**
 * Puts keys, a new one unless told otherwise, into a data directory that has none. Of two first commands one wins by link(2)
 * and the other reads: a key file is whole, or is not there.
 */
export function createMasterKeyFile(directory: string, keys: readonly Buffer[] = [randomBytes(KEY_BYTES)]): void {
  const temporary = join(directory, `.master.key.${randomBytes(8).toString('hex')}`);
  writeKeys(temporary, keys);
  try {
    linkSync(temporary, masterKeyPath(directory));
    syncDirectory(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(temporary);
  }
}

/** Puts other keys into a data directory's file: before it, a reader finds the old ones, and after it, the new. */
export function replaceMasterKeyFile(directory: string, keys: readonly Buffer[]): void {
  const replacement = replacementPath(directory);
  rmSync(replacement, { force: true });
  writeKeys(replacement, keys);
  renameSync(replacement, masterKeyPath(directory));
  syncDirectory(directory);
}

/** Whether a replacement was interrupted; the next one takes it away. */
export const hasInterruptedReplacement = (directory: string): boolean =>
  statSync(replacementPath(directory), { throwIfNoEntry: false }) !== undefined;

function writeKeys(path: string, keys: readonly Buffer[]): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, formatMasterKeys(keys));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
