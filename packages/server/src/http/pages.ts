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
  const headers: Record<string, string> = {};
  if (list.items.length > page.limit && last !== undefined)
    headers.link = `<${nextUrl(c, list.cursorOf(last))}>; rel="next"`;
  if (page.count === 'true') headers['x-total-count'] = String(await list.count());
  return replyJson(c, items, 200, headers);
}

function nextUrl(c: Context<Env>, key: string | number): string {
  const url = new URL(c.req.url);
  url.searchParams.delete('offset');
  url.searchParams.set('cursor', Buffer.from(JSON.stringify(key)).toString('base64url'));
  return url.pathname + url.search;
}
