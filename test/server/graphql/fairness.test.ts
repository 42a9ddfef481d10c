import { expect, test } from 'vitest';
import { createLoggedIn, mint, openTestServer } from '../harness.ts';
import { insertTokens } from './bulk-tokens.ts';
import { createToken, data, GRAPHQL_PATH, listTokens, post, userUrn } from './graphql.ts';

/** How often others have their turn while something runs. */
async function countTurns(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

test('tokens of several people are gone through a part at a time, each once and in order', async () => {
  const server = await openTestServer();
  const names = ['alice', 'bob', 'carol'];
  await insertTokens(server, names, 3_000);
  await insertTokens(server, ['dan'], 0);
  const urns = [...names, 'dan', 'nobody'].map(userUrn);
  const without = Array.from({ length: 90 }, (_, i) => `nothing ${i}`);
  for (const field of ['actorUrn', 'ownerUrn']) {
    const whose = { field, values: urns };
    const turns = await countTurns(async () => {
      const filters = [whose, { field: 'name', condition: 'CONTAIN', values: without }];
      expect((await listTokens(server.owner, { filters })).total).toBe(0);
    });
    // Looking for them, and counting them again.
    expect(turns).toBeGreaterThan(2 * 5);
    const filters = [whose, { field: 'name', condition: 'CONTAIN', values: without, negated: true }];
    const seen: [number, string][] = [];
    for (let start = 0; ; start += 700) {
      const { total, tokens } = await listTokens(server.owner, { start, count: 700, filters });
      expect(total).toBe(3_000);
      if (tokens.length === 0) break;
      seen.push(...tokens.map(({ id, expiresAt }): [number, string] => [expiresAt ?? 0, id]));
    }
    expect(new Set(seen.map(([, id]) => id)).size).toBe(3_000);
    expect(seen).toEqual([...seen].sort(([a, x], [b, y]) => b - a || (x < y ? 1 : -1)));
  }
});

test('the longer what tokens are compared with, the fewer are looked at in one part', async () => {
  const server = await openTestServer();
  await insertTokens(server, ['alice'], 400);
  const values = Array.from({ length: 90 }, (_, i) => `${'a'.repeat(500 - i)}b`);
  const search = (compared: string[]) => () =>
    listTokens(server.owner, { count: 1, filters: [{ field: 'description', condition: 'CONTAIN', values: compared }] });
  await search(['b'])();
  const few = await countTurns(search(values.slice(0, 1)));
  expect((await countTurns(search(values))) - few).toBeGreaterThan(15);
});

test('a long list is answered a part at a time, a short one at once', async () => {
  // Where the database is elsewhere, others have their turn while it is waited for.
  const server = await openTestServer({ databaseUrl: null });
  await insertTokens(server, ['alice'], 2_000);
  const answer = (count: number) => async () => {
    const query = `{ listAccessTokens(input: {count: ${count}}) { tokens { id owner { username } } } }`;
    const { listAccessTokens } = await data<{ listAccessTokens: { tokens: unknown[] } }>(server.owner, query);
    expect(listAccessTokens.tokens).toHaveLength(count);
    expect(listAccessTokens.tokens.at(-1)).toMatchObject({ owner: { username: 'alice' } });
  };
  await answer(1)();
  const few = await countTurns(answer(100));
  expect((await countTurns(answer(2_000))) - few).toBeGreaterThan(5);
});

const ME = { query: '{ me { corpUser { urn } } }' };

test('requests that somebody sends together are answered a few at a time, with turns for others in between', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  await post(caller, ME);
  const turns = await countTurns(async () => {
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(caller, ME)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  });
  expect(turns).toBeGreaterThanOrEqual(20);
});

test('beyond a hundred requests that wait, one is told to come again', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const bob = await createLoggedIn(server, 'bob');
  const answers = Promise.all(Array.from({ length: 250 }, () => post(alice.caller, ME)));
  expect((await post(bob.caller, ME)).status).toBe(200);
  const refused = (await answers).filter(({ status }) => status !== 200);
  expect(250 - refused.length).toBeGreaterThanOrEqual(104);
  const [first] = refused;
  expect(first).toMatchObject({ status: 429, json: { code: 'too_many_requests', exceptionClass: expect.any(String) } });
  expect(first?.headers.get('retry-after')).toBe('1');
  expect((await post(alice.caller, ME)).status).toBe(200);
});

test('a credential that is ended while the body is on its way is told nothing', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const token = await mint(server, alice.caller);
  await post(token.caller, ME);
  let send = (_: string) => {};
  const body = new ReadableStream({
    start(controller) {
      send = (text) => {
        controller.enqueue(new TextEncoder().encode(text));
        controller.close();
      };
    },
  });
  const answer = token.caller.send('POST', GRAPHQL_PATH, { body, headers: { 'content-type': 'application/json' } });
  await new Promise((turn) => setImmediate(turn));
  await alice.caller.send('DELETE', `/api/v1/tokens/${token.id}`);
  send(JSON.stringify(ME));
  expect(await answer).toMatchObject({ status: 401, json: { code: 'token_revoked' } });
});

test('who waits for requests that do not end is told so after some seconds, and answered when they have', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const { db } = server.deps;
  let mend = () => {};
  const mended = new Promise<void>((resolve) => {
    mend = resolve;
  });
  server.deps.db = { ...db, transact: (...asked) => mended.then(() => db.transact(...asked)) };
  const input = { type: 'PERSONAL', actorUrn: userUrn('alice'), name: 'x', duration: 'ONE_HOUR' };
  const running = Array.from({ length: 4 }, () => createToken(caller, userUrn('alice'), input));
  const waiting = await Promise.all([post(caller, ME), post(caller, ME)]);
  for (const { status, headers, json } of waiting) {
    expect({ status, retryAfter: headers.get('retry-after') }).toEqual({ status: 503, retryAfter: '1' });
    expect(json).toMatchObject({ code: 'unavailable', detail: 'Your GraphQL requests before this one take too long.' });
  }
  mend();
  expect(await Promise.all(running)).toHaveLength(4);
  expect((await post(caller, ME)).status).toBe(200);
});
