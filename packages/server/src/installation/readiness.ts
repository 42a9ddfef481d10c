import { access, constants } from 'node:fs/promises';
import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { refuseTooNew } from '../store/migrate.ts';
import { readStorageError } from '../store/storage-errors.ts';
import { monotonicMs } from '../times.ts';
import { probeWriting } from './store.ts';

const PATIENCE_MS = 1_000;

/** However often it is asked, the database is checked twice a second at most. */
const KEEP_MS = 500;

/** Why a server is not ready, in a word. */
type Reason = 'shutting_down' | `database_${'slow' | 'busy' | 'full' | 'read_only' | 'too_new' | 'unavailable'}`;

const REASONS: Partial<Record<ErrorCode, Reason>> = {
  storage_busy: 'database_busy',
  storage_full: 'database_full',
  storage_read_only: 'database_read_only',
  database_too_new: 'database_too_new',
};

const MESSAGES: Record<Reason, string> = {
  shutting_down: 'The server is shutting down.',
  database_slow: 'The database did not answer within a second.',
  database_busy: 'The database is busy.',
  database_full: 'The disk of the database is full.',
  database_read_only: 'The database cannot be written.',
  database_too_new: 'A newer release has changed the database.',
  database_unavailable: 'The database does not answer.',
};

/** Why requests should go elsewhere, as the error to answer, or null. */
export interface Unready {
  reason: Reason;
  error: PangolinError;
}

/** Answers whether this server can read and write its database, within about a second and whoever asks. */
export function createReadiness(deps: Deps): () => Promise<Unready | null> {
  let last: { atMs: number; reason: Promise<Reason | null> } | undefined;
  return async () => {
    const nowMs = monotonicMs();
    if (!last || nowMs - last.atMs > KEEP_MS) last = { atMs: nowMs, reason: check(deps) };
    const reason = deps.serving.stopping ? 'shutting_down' : await last.reason;
    if (reason === null) return null;
    return { reason, error: new PangolinError('unavailable', MESSAGES[reason], { retryAfterSeconds: 1 }) };
  };
}

async function check(deps: Deps): Promise<Reason | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Reason>((resolve) => {
    timer = setTimeout(() => resolve('database_slow'), PATIENCE_MS);
  });
  try {
    return await Promise.race([probe(deps), late]);
  } catch (thrown) {
    const error = readStorageError(thrown);
    deps.log.warn({ err: error }, 'not ready');
    return (error instanceof PangolinError && REASONS[error.code]) || 'database_unavailable';
  } finally {
    clearTimeout(timer);
  }
}

async function probe(deps: Deps): Promise<null> {
  if (deps.db.poolStats() === null) await refuseReadOnly(deps.dataDir);
  await deps.db.transact(
    async (tx) => {
      await refuseTooNew(tx);
      await probeWriting(tx);
    },
    { credentials: 'unchanged' },
  );
  return null;
}

/** Of a database that is a file: a disk that was mounted read-only meanwhile shows in no statement that changes nothing. */
async function refuseReadOnly(dataDir: string): Promise<void> {
  await access(dataDir, constants.W_OK).catch((cause) => {
    throw new PangolinError('storage_read_only', 'The data directory cannot be written.', { cause });
  });
}
