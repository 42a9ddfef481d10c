import type { Page } from '@pangolin/shared/contract/fields';
import { PangolinError } from '@pangolin/shared/errors';
import type { Context } from 'hono';
import type { Env } from './env.ts';
import { replyJson } from './reply.ts';

/** Where a list goes on: the sort key of the last item that was answered. */
export function readCursor(cursor: string | undefined, type: 'string'): string | undefined;
export function readCursor(cursor: string | undefined, type: 'number'): number | undefined;
export function readCursor(cursor: string | undefined, type: 'string' | 'number'): string | number | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    // A number is a place in a sequence; text is what a database can compare.
    if (type === 'number' && Number.isSafeInteger(key)) return key as number;
    if (type === 'string' && typeof key === 'string' && /^[^\p{Cc}\p{Cs}]*$/u.test(key)) return key;
  } catch {
    // Answered below: a cursor is ours, or it is none.
  }
  throw new PangolinError('invalid_request', "The field 'cursor' is not one this server gave out.", {
    fields: [{ field: 'cursor', message: 'is not one this server gave out' }],
  });
}

/** One row more than asked for tells whether there is a next page. */
export const withOneMore = ({ limit, offset }: Pick<Page, 'limit' | 'offset'>) => ({ limit: limit + 1, offset });

/**
 * Answers a list as a plain array, with `Link: rel="next"` (RFC 8288) when there is more, and `X-Total-Count` when asked.
 * `items` were read by `withOneMore`.
 */
export async function replyPage<Item>(
  c: Context<Env>,
  page: Page,
  list: { items: Item[]; cursorOf(item: Item): string | number; count(): Promise<number> },
): Promise<Response> {
  const items = list.items.slice(0, page.limit);
  const last = items.at(-1);
  const next = list.items.length > page.limit && last !== undefined ? { key: list.cursorOf(last), offset: 0 } : null;
  return replyPart(c, page, { items, next, count: list.count });
}

/** The same for a list that knows itself where it goes on, and how much is to be skipped there. */
export async function replyPart<Item>(
  c: Context<Env>,
  page: Page,
  list: { items: Item[]; next: { key: string | number; offset: number } | null; count(): Promise<number> },
): Promise<Response> {
  const headers: Record<string, string> = {};
  if (list.next) headers.link = `<${nextUrl(c, list.next)}>; rel="next"`;
  if (page.count === 'true') headers['x-total-count'] = String(await list.count());
  return replyJson(c, list.items, 200, headers);
}

function nextUrl(c: Context<Env>, { key, offset }: { key: string | number; offset: number }): string {
  const url = new URL(c.req.url);
  url.searchParams.delete('offset');
  if (offset > 0) url.searchParams.set('offset', String(offset));
  url.searchParams.set('cursor', Buffer.from(JSON.stringify(key)).toString('base64url'));
  return url.pathname + url.search;
}
