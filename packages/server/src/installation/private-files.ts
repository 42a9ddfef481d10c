import { closeSync, fsyncSync, openSync, type Stats } from 'node:fs';
import { PangolinError } from '@pangolin/shared/errors';

/** Throws `data_directory_refused` when a directory or a file in it is not the effective user's alone. */
export function refuseUnlessPrivate(path: string, stats: Stats, what: 'directory' | 'file'): void {
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
    throw new PangolinError(
      'data_directory_refused',
      `${path} can be used by others (mode ${formatMode(stats)}); whoever reads it owns every credential in it.`,
      {
        hint: `chmod ${what === 'directory' ? '700' : '600'} '${path}'`,
      },
    );
  }
}

/** A file's permissions as chmod takes them: `0640`. */
export const formatMode = (stats: Stats): string => (stats.mode & 0o777).toString(8).padStart(4, '0');

/** Makes what was renamed, linked or removed in a directory durable; Windows has no such call. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

/** The error of a file operation in the data directory, in words that name the directory and the way out. */
export function readFileError(error: unknown, path: string): unknown {
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
