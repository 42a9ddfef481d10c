import type { Env } from './env.ts';

/** On every answer: nothing here is for caches, frames or other origins. */
const BASE_HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

/** All that answering takes of a request. */
export interface Replying {
  env: Env['Bindings'];
}

type Headers = Record<string, string>;

/** Answers JSON. */
export const replyJson = (c: Replying, body: unknown, status = 200, headers?: Headers): Response =>
  reply(c, JSON.stringify(body), status, { ...baseHeaders(c), 'content-type': 'application/json', ...headers });

/** 204, or another status that has no body. */
export const replyEmpty = (c: Replying, status = 204, headers?: Headers): Response =>
  reply(c, null, status, { ...baseHeaders(c), ...headers });

/** A plain header record keeps the HTTP adapter's short path: no Headers object is built. */
function reply(c: Replying, body: string | null, status: number, headers: Headers): Response {
  const { createResponse } = c.env;
  return createResponse ? createResponse(body, status, headers) : new Response(body, { status, headers });
}

function baseHeaders(c: Replying): Headers {
  const headers: Headers = { ...BASE_HEADERS, 'x-request-id': c.env.requestId };
  if (c.env.credentialExpires) headers['pangolin-token-expires'] = c.env.credentialExpires;
  return headers;
}
