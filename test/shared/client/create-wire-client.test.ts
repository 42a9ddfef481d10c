import { describe, expect, onTestFinished, test } from 'vitest';
import { createWireClient } from '../../../packages/shared/src/client/create-wire-client.ts';
import { createHttpTransport } from '../../../packages/shared/src/client/http-transport.ts';
import { type Answer, problem, type Received, startAnsweringServer } from '../answering-server.ts';

const ID = '0190a0a0-0000-7000-8000-000000000001';

const manyRows = (page: number) => Array.from({ length: 200_000 }, (_row, number) => ({ id: `${page}.${number}` }));

async function clientOf(
  answer: (request: Received, count: number) => Answer,
  credential: Record<string, string> = { authorization: 'Bearer t' },
) {
  const server = await startAnsweringServer(answer);
  const transport = createHttpTransport({ origin: server.origin, env: {} });
  onTestFinished(async () => {
    await transport.close();
    await server.close();
  });
  const client = createWireClient({
    transport,
    authorize: async () => credential,
    userAgent: 'pangolin-user/0.1.0',
    onNotice: () => undefined,
    now: () => 0,
  });
  return { client, server };
}

describe('pruning', () => {
  const part = (count: number, next_cursor: string | null, id: string) => ({
    body: {
      dry_run: false,
      unused_since: '2026-01-01T00:00:00Z',
      count,
      revoked_count: count + 1,
      next_cursor,
      tokens: [{ id }],
    },
  });

  test('goes on where an answer left off, by the time the first one named, and answers the sum', async () => {
    const { client, server } = await clientOf((_, count) => (count === 1 ? part(5000, ID, 'a') : part(3, null, 'b')));
    expect(await client.tokens.prune({ unused_for_days: 90 })).toMatchObject({
      count: 5003,
      revoked_count: 5005,
      next_cursor: null,
      tokens: [{ id: 'a' }, { id: 'b' }],
    });
    expect(server.received.map(({ text }) => JSON.parse(text))).toEqual([
      { unused_for_days: 90 },
      { unused_since: '2026-01-01T00:00:00Z', dry_run: false, cursor: ID },
    ]);
  });

  test('does not go round in circles', async () => {
    const { client, server } = await clientOf(() => part(1, ID, 'a'));
    await expect(client.tokens.prune({ unused_for_days: 90 })).rejects.toMatchObject({ code: 'unexpected_answer' });
    expect(server.received).toHaveLength(2);
  });
});

describe('the wire client', () => {
  test('says who it is, presents its credential, and reads kebab-case keys as snake_case, but not inside details', async () => {
    const body = [
      { 'resource-type': 'token', nested: [{ 'a-b': 1 }], details: { 'kept-so': { 'a-b': 1 } } },
      // Names of roles are no fields.
      { role_limits: { 'tenant-admin': { 'max-token-days': 30 } } },
    ];
    const { client, server } = await clientOf(() => ({ body }));
    expect(await client.audit.list()).toEqual([
      { resource_type: 'token', nested: [{ a_b: 1 }], details: { 'kept-so': { 'a-b': 1 } } },
      { role_limits: { 'tenant-admin': { max_token_days: 30 } } },
    ]);
    expect(server.received[0]?.headers).toMatchObject({
      authorization: 'Bearer t',
      'user-agent': 'pangolin-user/0.1.0',
    });
  });

  test("a problem becomes a PangolinError with the server's code, detail, hint, fields and Retry-After", async () => {
    const errors = [{ field: 'name', message: 'must not be empty' }];
    const { client, server } = await clientOf((_request, count) =>
      count === 1
        ? problem(400, 'invalid_request', 'name must not be empty', { errors, hint: 'Give --name' })
        : {
            ...problem(429, 'too_many_requests', 'slow down'),
            headers: { 'content-type': 'application/problem+json', 'retry-after': '7' },
          },
    );
    await expect(client.tokens.create({})).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'name must not be empty',
      hint: 'Give --name',
      fields: errors,
    });
    await expect(client.tokens.create({})).rejects.toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 7 });
    expect(server.received).toHaveLength(2);
  });

  test.each([
    [401, 'token_unknown', 3],
    [403, 'forbidden', 4],
    [404, 'not_found', 1],
    [409, 'conflict', 1],
    [418, 'invalid_request', 2],
    [422, 'policy_refused', 6],
    [500, 'server_error', 1],
  ])('a code it does not know is taken by its status: %i is %s', async (status, code, exitCode) => {
    const { client } = await clientOf(() => problem(status, 'invented_later', 'text'));
    await expect(client.users.me()).rejects.toMatchObject({ code, exitCode, message: 'text' });
  });

  test('an HTML page is unexpected_answer, with status 200 and with 404', async () => {
    const { client } = await clientOf((_request, count) => ({
      status: count === 1 ? 200 : 404,
      body: '<html>Welcome</html>',
    }));
    await expect(client.users.me()).rejects.toMatchObject({ code: 'unexpected_answer' });
    await expect(client.users.me()).rejects.toMatchObject({ code: 'unexpected_answer' });
  });

  test('a redirect is unexpected_answer and names where it leads', async () => {
    const { client } = await clientOf(() => ({
      status: 307,
      headers: { location: 'https://elsewhere.example/x?secret=1' },
    }));
    const error = await client.users.me().catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: 'unexpected_answer',
      message: expect.stringContaining('https://elsewhere.example (HTTP 307)'),
    });
    expect(String(error)).not.toContain('secret');
  });

  test('a list follows Link rel="next" on the same server only when all of it is asked for', async () => {
    const { client, server } = await clientOf(({ path }) =>
      path.includes('cursor')
        ? { body: [{ id: '2' }] }
        : { body: [{ id: '1' }], headers: { link: '<https://elsewhere.example/api/v1/users?cursor=abc>; rel="next"' } },
    );
    expect(await client.users.list({ all: true, username: 'a b' })).toEqual([{ id: '1' }, { id: '2' }]);
    expect(server.received.map(({ path }) => path)).toEqual([
      '/api/v1/users?limit=1000&username=a+b',
      '/api/v1/users?cursor=abc',
    ]);
    expect(await client.users.list({ limit: 1 })).toEqual([{ id: '1' }]);
    expect(server.received).toHaveLength(3);
  });

  test('a list goes on where pages are empty, because little of it matches', async () => {
    const pages: Record<string, object[]> = {
      first: [],
      second: [],
      third: [{ id: '1' }],
      fourth: [],
      fifth: [{ id: '2' }],
    };
    const names = Object.keys(pages);
    const { client } = await clientOf(({ path }) => {
      const at = Math.max(
        0,
        names.findIndex((name) => path.includes(name)),
      );
      const next = names[at + 1];
      return {
        body: pages[names[at] ?? ''] ?? [],
        ...(next && { headers: { link: `</api/v1/tokens?cursor=${next}>; rel="next"` } }),
      };
    });
    expect(await client.tokens.listOfTenant({ all: true, status: 'expired' })).toEqual([{ id: '1' }, { id: '2' }]);
  });

  test.each([
    ['always the same page', () => [{ id: '1' }], () => 'same', 2],
    ['the same rows under ever new cursors', () => [{ id: '1' }, { name: 'x' }], (count: number) => count, 2],
    ['empty pages', () => [], (count: number) => count, 1_001],
    ['always the same empty page', () => [], () => 'same', 2],
    ['a new row for ever', (count: number) => [{ id: `${count}` }], (count: number) => count, 10_000],
    ['more rows than fit', (count: number) => manyRows(count), (count: number) => count, 5],
  ])('a list that does not end is unexpected_answer: %s', async (_title, pageOf, cursorOf, requests) => {
    let count = 0;
    const client = createWireClient({
      transport: {
        origin: 'https://pangolin.example',
        async send() {
          count += 1;
          const link = `</api/v1/users?cursor=${cursorOf(count)}>; rel="next"`;
          return {
            status: 200,
            header: (name) => (name === 'link' ? link : null),
            text: JSON.stringify(pageOf(count)),
          };
        },
        close: async () => undefined,
      },
      authorize: async () => ({}),
      userAgent: 'pangolin-user/0.1.0',
      onNotice: () => undefined,
      now: () => 0,
    });
    await expect(client.users.list({ all: true })).rejects.toMatchObject({ code: 'unexpected_answer' });
    expect(count).toBe(requests);
  });

  test('names go into a path as one segment, and what would leave it is refused', async () => {
    const { client, server } = await clientOf(() => ({ body: {} }));
    await client.catalogs.get('a/b c');
    expect(server.received[0]?.path).toBe('/api/v1/catalogs/a%2Fb%20c');
    for (const name of ['', '.', '..']) {
      await expect(async () => client.catalogs.get(name)).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    expect(server.received).toHaveLength(1);
  });

  test('a rotation names the current key, so that of two at once one fails', async () => {
    const { client, server } = await clientOf(({ method }) => ({
      body: method === 'GET' ? { keys: [{ id: 'new' }, { id: 'old' }] } : { id: ID, api_key: 'k', role: 'root' },
    }));
    await client.serviceUsers.rotate(ID, { grace_hours: 24 });
    expect(JSON.parse(server.received[1]?.text ?? '')).toEqual({ grace_hours: 24, expected_key_id: 'new' });
  });

  test('our own server is never asked what it is', async () => {
    const { client, server } = await clientOf(() => problem(404, 'not_found', 'no such token'));
    await expect(client.tokens.revoke(ID)).rejects.toMatchObject({ code: 'not_found' });
    expect(server.received.map(({ path }) => path)).toEqual([`/api/v1/auth/revoke/${ID}`]);
  });

  test('without a credential a refusal tells how to log in', async () => {
    const { client } = await clientOf(() => problem(401, 'authentication_required', 'No credential'), {});
    await expect(client.users.me()).rejects.toMatchObject({
      hint: expect.stringContaining('pangolin-user login --url http://127.0.0.1'),
    });
  });

  test('a 204 is no answer', async () => {
    const { client } = await clientOf(() => ({ status: 204 }));
    expect(await client.tokens.delete(ID)).toBeUndefined();
  });
});
