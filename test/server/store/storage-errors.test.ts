import { PangolinError } from '@pangolin/shared/errors';
import { expect, test } from 'vitest';
import { readStorageError } from '../../../packages/server/src/store/storage-errors.ts';

/** As the driver throws them, with SQLite's extended result codes: https://sqlite.org/rescode.html */
const sqliteError = (errcode: number) => Object.assign(new Error('as SQLite says it'), { errcode });

test.each([
  ['SQLITE_ERROR', 1, 'unavailable'],
  ['SQLITE_BUSY', 5, 'storage_busy'],
  ['SQLITE_BUSY_RECOVERY', 261, 'storage_busy'],
  ['SQLITE_BUSY_SNAPSHOT', 517, 'storage_busy'],
  ['SQLITE_LOCKED_SHAREDCACHE', 262, 'storage_busy'],
  ['SQLITE_NOMEM', 7, 'unavailable'],
  ['SQLITE_READONLY', 8, 'storage_read_only'],
  ['SQLITE_READONLY_DBMOVED', 1032, 'storage_read_only'],
  ['SQLITE_READONLY_DIRECTORY', 1544, 'storage_read_only'],
  ['SQLITE_IOERR_READ', 266, 'storage_damaged'],
  ['SQLITE_IOERR_FSYNC', 1034, 'storage_damaged'],
  ['SQLITE_IOERR_SHMSIZE', 4874, 'storage_damaged'],
  ['SQLITE_CORRUPT', 11, 'storage_damaged'],
  ['SQLITE_FULL', 13, 'storage_full'],
  ['SQLITE_CANTOPEN', 14, 'storage_read_only'],
  ['SQLITE_PROTOCOL', 15, 'unavailable'],
  ['SQLITE_SCHEMA', 17, 'unavailable'],
  ['SQLITE_NOTADB', 26, 'storage_damaged'],
])('%s is a database that cannot, not a mistake of the server', (_, errcode, code) => {
  const error = readStorageError(sqliteError(errcode));
  expect(error).toBeInstanceOf(PangolinError);
  expect(error).toMatchObject({ code, status: 503, retryAfterSeconds: 1 });
});
