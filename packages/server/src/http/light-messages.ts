import type { EmbeddedRequest } from '../embedded.ts';

/**
 * Requests and responses for a server in the same process. Node's own classes come with the whole of undici, 16 ms at
 * the start of every command; routes and handlers use no more of them than this.
 */

type LightRequest = Pick<Request, 'method' | 'url' | 'text'> & { headers: Pick<Headers, 'get'> };
type LightResponse = Pick<Response, 'status' | 'text'> & { headers: Pick<Headers, 'get'> };

const light = (headers: Record<string, string>): Pick<Headers, 'get'> => ({
  get: (name) => headers[name.toLowerCase()] ?? null,
});

/** A request as the router and the handlers read it. */
export function createLightRequest({ method, path, headers, body }: EmbeddedRequest): Request {
  const request: LightRequest = {
    method,
    url: `http://localhost${path}`,
    headers: light(body === undefined ? headers : { ...headers, 'content-length': String(Buffer.byteLength(body)) }),
    text: async () => body ?? '',
  };
  return request as Request;
}

/** A response as the embedded transport reads it. */
export function createLightResponse(body: string | null, status: number, headers: Record<string, string>): Response {
  const response: LightResponse = { status, headers: light(headers), text: async () => body ?? '' };
  return response as Response;
}
