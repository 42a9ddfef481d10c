import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';

const MASTER_KEY_BYTES = 32;

/** A data directory that may be used: where its database is, and the key that opens the sealed parts of it. */
export interface DataDirectory {
  path: string;
  databasePath: string;
  masterKey: Buffer;
}

/**
 * Opens a data directory, or makes one (mode 0700, with a master key in a 0600 file) if `create` says so.
 * Throws `no_server` when there is none, `data_directory_refused` when it is not the caller's alone,
 * `master_key_missing`, `storage_read_only` and `storage_full`.
 */
export function openDataDirectory(path: string, create: boolean): DataDirectory {
  const databasePath = join(path, 'pangolin.db');
  try {
    if (!create && !exists(databasePath)) throw noData(path);
    if (!exists(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
    refuseUnlessPrivate(path, statSync(path), 'directory');
    // The key is made before the database, so a database without one has lost it.
    const masterKey = exists(databasePath) ? readMasterKey(path) : (readMasterKeyIfAny(path) ?? createMasterKey(path));
    // SQLite gives its -wal and -shm files the mode of the database file.
    closeSync(openSync(databasePath, 'a', 0o600));
    refuseUnlessPrivate(databasePath, statSync(databasePath), 'file');
    return { path, databasePath, masterKey };
  } catch (error) {
    throw readFileError(error, path);
  }
}

const noData = (path: string) =>
  new PangolinError('no_server', `No server is configured, and there is no data at ${path}.`, {
    hint: 'Set PANGOLIN_URL or log in: pangolin-user login --url https://…   (or mint a first token here: pangolin-user get-token)',
  });

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function refuseUnlessPrivate(path: string, stats: Stats, what: 'directory' | 'file'): void {
  if (what === 'directory' && !stats.isDirectory()) {
    throw new PangolinError('data_directory_refused', `${path} is not a directory.`, {
      hint: 'Set PANGOLIN_DATA_DIR to a directory of your own.',
    });
  }
  // Windows has neither; there the profile folder's access list keeps others out.
  const user = process.geteuid?.();
  if (user === undefined) return;
  if (stats.uid !== user) {
    throw new PangolinError(
      'data_directory_refused',
      `${path} belongs to another user (uid ${stats.uid}; you are ${user}).`,
      {
        hint: 'Run as its owner, or set PANGOLIN_DATA_DIR to a directory of your own.',
      },
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new PangolinError(
      'data_directory_refused',
      `${path} can be used by others (mode ${mode}); whoever reads it owns every credential in it.`,
      {
        hint: `chmod ${what === 'directory' ? '700' : '600'} '${path}'`,
      },
    );
  }
}

function readMasterKey(directory: string): Buffer {
  const key = readMasterKeyIfAny(directory);
  if (key) return key;
  throw new PangolinError(
    'master_key_missing',
    `The master key ${join(directory, 'master.key')} is missing, and the database's signing keys cannot be opened without it.`,
    {
      hint: 'Put the file back from a backup. Without it, set PANGOLIN_DATA_DIR to a new directory and issue new credentials.',
    },
  );
}

function readMasterKeyIfAny(directory: string): Buffer | undefined {
  const path = join(directory, 'master.key');
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) return undefined;
  refuseUnlessPrivate(path, stats, 'file');
  const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'base64url');
  if (key.length === MASTER_KEY_BYTES) return key;
  throw new PangolinError('master_key_missing', `${path} does not hold a master key.`, {
    hint: 'Put the file back from a backup.',
  });
}

/** Of two first commands one wins by link(2) and the other reads: a key file is whole, or is not there. */
function createMasterKey(directory: string): Buffer {
  const path = join(directory, 'master.key');
  const temporary = join(directory, `.master.key.${randomBytes(8).toString('hex')}`);
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeSync(file, `${randomBytes(MASTER_KEY_BYTES).toString('base64url')}\n`);
    fsyncSync(file);
    linkSync(temporary, path);
    syncDirectory(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(file);
    unlinkSync(temporary);
  }
  return readMasterKey(directory);
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function readFileError(error: unknown, path: string): unknown {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new PangolinError('storage_read_only', `The data directory ${path} cannot be written.`, {
        cause: error,
        hint: 'Check its permissions, or set PANGOLIN_DATA_DIR to a directory of your own.',
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new PangolinError('storage_full', `The disk that holds ${path} is full.`, {
        cause: error,
        hint: 'Free some space and try again.',
      });
    case 'ENOTDIR':
    case 'EEXIST':
      return new PangolinError('data_directory_refused', `${path} is not a directory.`, {
        cause: error,
        hint: 'Set PANGOLIN_DATA_DIR to a directory of your own.',
      });
    default:
      return error;
  }
}
