import type { IncomingMessage } from 'node:http';
import { createApp } from '../../packages/server/src/app.ts';
import { createCaller, type TestCaller, type TestServer } from './harness.ts';

/** Somebody who asks over a connection from an address, with a bearer token, an API key or nothing. */
export function fromAddress(
  { deps }: TestServer,
  address: string,
  credential: { bearer?: string; apiKey?: string } = {},
): TestCaller {
  const app = createApp(deps);
  return createCaller(async (request) => {
    const { bearer, apiKey } = credential;
    if (bearer !== undefined) request.headers.set('authorization', `Bearer ${bearer}`);
    if (apiKey !== undefined) request.headers.set('x-api-key', apiKey);
    const headers = Object.fromEntries(request.headers);
    const incoming = { headers, socket: { remoteAddress: address } } as unknown as IncomingMessage;
    return app.fetch(request, { requestId: deps.newId(), incoming });
  });
}
