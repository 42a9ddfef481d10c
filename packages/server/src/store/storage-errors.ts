import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import { explainPostgresError, isPostgresDuplicate, isPostgresReferenced } from './postgres-errors.ts';

/** SQLite's primary result codes (the low byte of the extended ones), https://sqlite.org/rescode.html */
const SQLITE: Record<number, { code: ErrorCode; message: string; hint?: string }> = {
  5: { code: 'storage_busy', message: 'The database is locked by another process.', hint: 'Try again in a moment.' },
  6: { code: 'storage_busy', message: 'The database is locked by another process.', hint: 'Try again in a moment.' },
  8: {
    code: 'storage_read_only',
    message: 'The database cannot be written.',
    hint: 'Check the permissions of the data directory and whether its disk is mounted read-only.',
  },
  10: {
    code: 'storage_damaged',
    message: 'The disk failed while the database was read or written.',
    hint: 'Check the disk that holds the data directory.',
  },
  11: {
    code: 'storage_damaged',
    message: 'The database file is damaged.',
    hint: 'Restore the data directory from a backup.',
  },
  13: {
    code: 'storage_full',
    message: 'The disk that holds the database is full.',
    hint: 'Free some space and try again.',
  },
  14: {
    code: 'storage_read_only',
    message: 'The database file cannot be opened.',
    hint: 'Check the permissions of the data directory.',
  },
  26: {
    code: 'storage_damaged',
    message: 'The database file is not a Pangolin database.',
    hint: 'Restore the data directory from a backup, or set PANGOLIN_DATA_DIR to another one.',
  },
};

const SQLITE_CONSTRAINT = 19;

const primaryCode = (error: unknown): number | undefined => {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
};

/** Whether another process holds the lock right now, so that trying again makes sense. */
export const isBusy = (error: unknown): boolean => primaryCode(error) === 5 || primaryCode(error) === 6;

/** Whether a row was refused because its key exists already. */
export const isDuplicate = (error: unknown): boolean =>
  (primaryCode(error) === SQLITE_CONSTRAINT && error instanceof Error && /unique/i.test(error.message)) ||
  isPostgresDuplicate(error);

/** Whether a row was refused, or kept, because others refer to it. */
export const isReferenced = (error: unknown): boolean =>
  (primaryCode(error) === SQLITE_CONSTRAINT && error instanceof Error && /foreign key/i.test(error.message)) ||
  isPostgresReferenced(error);

/** Whether the database was closed under a request that came too late: by SQLite's word, Kysely's, or the pool's. */
const isClosed = (error: unknown): boolean =>
  error instanceof Error &&
  ((error as NodeJS.ErrnoException).code === 'ERR_INVALID_STATE' ||
    /driver has already been destroyed|Cannot use a pool after calling end/.test(error.message));

/** A storage failure as PangolinError; anything else unchanged. */
export function readStorageError(error: unknown): unknown {
  if (isClosed(error)) {
    return new PangolinError('unavailable', 'The server is shutting down.', { cause: error, retryAfterSeconds: 1 });
  }
  const explained = explainPostgresError(error);
  if (explained) {
    const { code, message, hint } = explained;
    const options = code === 'invalid_request' ? {} : { retryAfterSeconds: 1 };
    return new PangolinError(code, message, { cause: error, hint, ...options });
  }
  const code = primaryCode(error);
  // A constraint is the caller's to explain.
  if (code === undefined || code === SQLITE_CONSTRAINT) return error;
  const known = SQLITE[code] ?? { code: 'unavailable', message: 'The database failed.' };
  return new PangolinError(known.code, known.message, { cause: error, hint: known.hint, retryAfterSeconds: 1 });
}
