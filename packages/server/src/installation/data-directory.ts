import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { readFileError, refuseUnlessPrivate } from './private-files.ts';

/** A data directory that may be used, and where its database is. */
export interface DataDirectory {
  path: string;
  databasePath: string;
}

/**
 * Opens a data directory, or makes one (mode 0700) if `create` says so.
 * Throws `no_server` when there is none, `data_directory_refused` when it is not the caller's alone, `storage_read_only`
 * and `storage_full`.
 */
export function openDataDirectory(path: string, create: boolean): DataDirectory {
  const databasePath = join(path, 'pangolin.db');
  try {
    if (!create && !exists(databasePath)) throw noData(path);
    if (!exists(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
    refuseUnlessPrivate(path, statSync(path), 'directory');
    // SQLite gives its -wal and -shm files the mode of the database file.
    closeSync(openSync(databasePath, 'a', 0o600));
    refuseUnlessPrivate(databasePath, statSync(databasePath), 'file');
    return { path, databasePath };
  } catch (error) {
    throw readFileError(error, path);
  }
}

/** Makes, and checks, the data directory of a server whose database is elsewhere: it holds the master key, and warehouses. */
export function ensureDataDirectory(path: string): void {
  try {
    if (!exists(path)) mkdirSync(path, { recursive: true, mode: 0o700 });
    refuseUnlessPrivate(path, statSync(path), 'directory');
  } catch (error) {
    throw readFileError(error, path);
  }
}

const noData = (path: string) =>
  new PangolinError('no_server', `No server is configured, and there is no data at ${path}.`, {
    hint: 'Set PANGOLIN_URL or log in: pangolin-user login --url https://…   (or mint a first token here: pangolin-user get-token)',
  });

/** Throws `data_directory_refused` when a directory is there that is not the caller's alone. */
export function requirePrivateDirectory(path: string): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) refuseUnlessPrivate(path, stats, 'directory');
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
