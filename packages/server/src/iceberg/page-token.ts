import { PangolinError } from '@pangolin/shared/errors';
import type { Window } from './store.ts';

const MAX_PAGE_SIZE = 1_000;
const DEFAULT_PAGE_SIZE = 100;

/** What of a list a client asked for; `limit` undefined: all of it. */
export interface ListedPage extends Window {
  /** Of what the list is; page tokens are good for that alone. */
  of: string;
}

/**
 * Reads `pageToken` and `pageSize`. Clients that send neither do not know pages and get everything.
 * Throws `invalid_request`.
 */
export function readPage(query: URLSearchParams, of: string): ListedPage {
  const token = query.get('pageToken');
  const size = query.get('pageSize');
  if (token === null && size === null) return { of, after: undefined, limit: undefined };
  const wanted = size === null || size === '' ? DEFAULT_PAGE_SIZE : Number(size);
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new PangolinError('invalid_request', 'pageSize must be a whole number of at least 1.');
  }
  return { of, after: token ? readToken(token, of) : undefined, limit: Math.min(wanted, MAX_PAGE_SIZE) };
}

/** One row more than a page has tells whether there is a next one. */
export const withOneMore = ({ after, limit }: ListedPage): Window => ({
  after,
  limit: limit === undefined ? undefined : limit + 1,
});

/** Cuts a list that was read with one more to its page, and answers the token of the next one, or null. */
export function cutPage<Row>({ of, limit }: ListedPage, rows: readonly Row[], keyOf: (row: Row) => string) {
  if (limit === undefined || rows.length <= limit) return { rows, nextPageToken: null };
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const nextPageToken =
    last === undefined ? null : Buffer.from(JSON.stringify([of, keyOf(last)])).toString('base64url');
  return { rows: page, nextPageToken };
}

function readToken(token: string, of: string): string {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 2 && parts[0] === of && typeof parts[1] === 'string') return parts[1];
  } catch {
    // Answered below: a token is ours, or it is none.
  }
  throw new PangolinError('invalid_request', 'pageToken is not one this server gave out for this list.');
}
