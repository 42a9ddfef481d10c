import type { ErrorCode } from '@pangolin/shared/errors';

interface Explanation {
  code: ErrorCode;
  message: string;
  hint?: string;
}

const AGAIN = 'Try again in a moment.';
const GONE: Explanation = { code: 'unavailable', message: 'The database does not answer.', hint: AGAIN };
const BUSY: Explanation = { code: 'storage_busy', message: 'The database is busy.', hint: AGAIN };
const DAMAGED: Explanation = {
  code: 'storage_damaged',
  message: 'The database server cannot read or write its files.',
  hint: "Look into PostgreSQL's log.",
};
const UNTRUSTED: Explanation = {
  code: 'unavailable',
  message: 'There is no TLS connection to the database server that could be trusted.',
  hint: 'Name the authority that signed its certificate in the database URL: ?sslmode=verify-full&sslrootcert=ca.pem',
};
const REFUSED: Explanation = {
  code: 'unavailable',
  message: 'The database server refuses the connection.',
  hint: 'Check the user, the password and the name of the database in the database URL.',
};
const UNWRITABLE_TEXT: Explanation = {
  code: 'invalid_request',
  message: 'Text must not contain the character U+0000.',
};
const TOO_LARGE: Explanation = { code: 'invalid_request', message: 'A number is too large.' };
const TOO_LONG: Explanation = {
  code: 'invalid_request',
  message: 'A name, or a namespace with all of its levels, is too long for PostgreSQL to index.',
};
const FAILED: Explanation = {
  code: 'unavailable',
  message: 'The database server failed.',
  hint: "Look into PostgreSQL's log.",
};
const REPLACED: Explanation = {
  code: 'storage_damaged',
  message: 'The database lacks tables or columns of this release: it was emptied, or another one has its name.',
  hint: 'Put its data back. A server that is started on an empty database makes the tables anew.',
};
const POOLED: Explanation = {
  code: 'unavailable',
  message: 'What was prepared on a connection to the database is gone: something in between shares connections.',
  hint: 'Let PgBouncer pool sessions (pool_mode = session), or know prepared statements (max_prepared_statements).',
};

/** configuration_limit_exceeded: here, that every connection of the pool was in use for too long. */
const NO_FREE_CONNECTION = '53400';

/** By SQLSTATE, or its class, the first two characters: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const POSTGRES: Record<string, Explanation> = {
  '08': GONE,
  '08004': UNTRUSTED,
  '0A000': FAILED,
  '22003': TOO_LARGE,
  '22021': UNWRITABLE_TEXT,
  '22P05': UNWRITABLE_TEXT,
  '25006': {
    code: 'storage_read_only',
    message: 'The database takes no changes now.',
    hint: 'The server may be a standby: let the database URL name the primary.',
  },
  '25P03': GONE,
  '25P04': GONE,
  '26000': POOLED,
  '28': REFUSED,
  '3D000': REFUSED,
  '40': BUSY,
  '3F000': REPLACED,
  '42501': {
    code: 'storage_read_only',
    message: 'The database user may not do this.',
    hint: 'Let it own the database: alter database … owner to …',
  },
  '42703': REPLACED,
  '42P01': REPLACED,
  '42P05': POOLED,
  '53': { code: 'unavailable', message: 'The database server has run out of something.', hint: AGAIN },
  '53100': {
    code: 'storage_full',
    message: 'The disk of the database server is full.',
    hint: 'Free some space on it.',
  },
  '53300': { code: 'storage_busy', message: 'The database server has no connection to spare.', hint: AGAIN },
  [NO_FREE_CONNECTION]: { code: 'storage_busy', message: 'All connections to the database are in use.', hint: AGAIN },
  '54000': TOO_LONG,
  '55': FAILED,
  '55P03': BUSY,
  '57': GONE,
  '57014': { code: 'storage_busy', message: 'The database took too long.', hint: AGAIN },
  '58': DAMAGED,
  F0: FAILED,
  XX: FAILED,
  XX001: DAMAGED,
  XX002: DAMAGED,
};

/** How Node and the driver say that a certificate is not trusted, or that there is none. */
const NO_TLS = /^(?:CERT_|UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|ERR_TLS_|ERR_SSL_)|does not support SSL/;

/** The SQLSTATE with which PostgreSQL refused something, or the pool on its behalf. */
function stateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('severity' in error)) return undefined;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}

/**
 * A failure of the connection itself, as SQLSTATE has names for it (class 08): the driver has none, or the system's. Where
 * none could be made (08001), that is what it is, whatever the server, or what stands before it, calls the reason.
 */
export function toConnectionError(error: unknown, state: '08001' | '08006'): unknown {
  if (!(error instanceof Error)) return error;
  if (stateOf(error) !== undefined && (state !== '08001' || explainPostgresError(error))) return error;
  let code: string = state;
  if (NO_TLS.test(`${(error as { code?: unknown }).code} ${error.message}`)) code = '08004';
  if (/not queryable/.test(error.message)) code = '08003';
  if (/^timeout exceeded when trying to connect/.test(error.message)) code = NO_FREE_CONNECTION;
  return Object.assign(new Error(error.message, { cause: error }), { severity: 'FATAL', code });
}

/** An older process's statement, after a newer one has changed the table: prepared anew, it works. */
const isOutdatedPlan = (error: unknown): boolean =>
  stateOf(error) === '0A000' && error instanceof Error && /cached plan/.test(error.message);

/** Whether what was prepared on the connection is of no use any more: others of its age have that in store as well. */
export const isStale = (error: unknown): boolean =>
  /^(?:26000|42P05)$/.test(stateOf(error) ?? '') || isOutdatedPlan(error);

/** Whether the connection is gone, or of no use any more: on a new one the same may work. */
export const isLost = (error: unknown): boolean =>
  /^(?:08(?!004)|25P03|25P04|25006|57P|53300)/.test(stateOf(error) ?? '') || isStale(error);

/** Whether the connection was gone before the statement reached the server. */
export const isUnsent = (error: unknown): boolean => /^(?:08003|25P03)$/.test(stateOf(error) ?? '');

/** Whether the transaction only came at the wrong moment, and may be run again from its beginning. */
export const isTransient = (error: unknown): boolean =>
  isLost(error) || /^(?:40001|40P01|55P03)$/.test(stateOf(error) ?? '');

/**
 * Whether another process was making the same tables at this moment: `if not exists` looks before it makes, and what loses
 * may be a table, its row type or a row of the migrations' own (duplicate_table, duplicate_object, unique_violation).
 */
export const isMadeMeanwhile = (error: unknown): boolean => /^(?:42P07|42710|23505)$/.test(stateOf(error) ?? '');

/** Whether a row was refused because its key exists already. */
export const isPostgresDuplicate = (error: unknown): boolean => stateOf(error) === '23505';

/** Whether a row was refused, or kept, because others refer to it. */
export const isPostgresReferenced = (error: unknown): boolean => stateOf(error) === '23503';

/** What a failure of PostgreSQL, or of reaching it, is called here; undefined: it is none, or the caller's to explain. */
export function explainPostgresError(error: unknown): Explanation | undefined {
  const state = stateOf(error);
  if (state === undefined) return undefined;
  return POSTGRES[state] ?? POSTGRES[state.slice(0, 2)];
}
