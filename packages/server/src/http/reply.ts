import type { Env } from './env.ts';

/** All that answering takes of a request. */
export interface Replying {
  env: Env['Bindings'];
}

type Headers = Record<string, string>;

/** Answers JSON. */
export const replyJson = (c: Replying, body: unknown, status = 200, headers?: Headers): Response =>
  replyText(c, JSON.stringify(body), status, headers);

/** Answers JSON that is text already. */
export const replyText = (c: Replying, json: string, status = 200, headers?: Headers): Response =>
  reply(c, json, status, addHeaders(c, 'application/json', headers));

/** 204, or another status that has no body. */
export const replyEmpty = (c: Replying, status = 204, headers?: Headers): Response =>
  reply(c, null, status, addHeaders(c, undefined, headers));

/** A plain header record keeps the HTTP adapter's short path: no Headers object is built. */
function reply(c: Replying, body: string | null, status: number, headers: Headers): Response {
  const { createResponse } = c.env;
  return createResponse ? createResponse(body, status, headers) : new Response(body, { status, headers });
}

/** On every answer: nothing here is for caches, frames or other origins. One literal: this runs for every request. */
function addHeaders({ env }: Replying, contentType: string | undefined, more: Headers | undefined): Headers {
  const headers: Headers = {
    'cache-control': 'no-store',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'x-request-id': env.requestId,
  };
  if (contentType !== undefined) headers['content-type'] = contentType;
  if (env.credentialExpires !== undefined) headers['pangolin-token-expires'] = env.credentialExpires;
  return more === undefined ? headers : Object.assign(headers, more);
}
