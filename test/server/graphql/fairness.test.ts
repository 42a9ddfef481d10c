import { expect, test } from 'vitest';
import { createLanes } from '../../../packages/server/src/graphql/lanes.ts';
import { createLoggedIn, mint, openTestServer } from '../harness.ts';
import { insertTokens } from './bulk-tokens.ts';
import { data, GRAPHQL_PATH, listTokens, post, userUrn } from './graphql.ts';

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
  const server = await openTestServer({ databaseUrl: null });
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
  const server = await openTestServer({ databaseUrl: null });
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

test('a long list that is asked for under several names is whole under each', async () => {
  const server = await openTestServer({ databaseUrl: null });
  await insertTokens(server, ['alice'], 300);
  const query = '{ listAccessTokens(input: {count: 300}) { one: tokens { id } other: tokens { id } } }';
  const { one, other } = (await data<{ listAccessTokens: Record<'one' | 'other', unknown[]> }>(server.owner, query))
    .listAccessTokens;
  expect(one).toHaveLength(300);
  expect(other).toEqual(one);
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
  expect(turns).toBeGreaterThanOrEqual(10);
});

test('many may wait, but not with much: one more is told to come again', async () => {
  // Where the database is elsewhere, the first may be answered before the last are there.
  const server = await openTestServer({ databaseUrl: null });
  const alice = await createLoggedIn(server, 'alice');
  const bob = await createLoggedIn(server, 'bob');
  const large = `${JSON.stringify(ME)}${' '.repeat(250_000)}`;
  const answers = Promise.all(Array.from({ length: 100 }, () => post(alice.caller, large)));
  expect((await post(bob.caller, large)).status).toBe(200);
  const refused = (await answers).filter(({ status }) => status !== 200);
  expect(100 - refused.length).toBeGreaterThanOrEqual(60);
  const [first] = refused;
  expect(first).toMatchObject({ status: 429, json: { code: 'too_many_requests', exceptionClass: expect.any(String) } });
  expect(first?.headers.get('retry-after')).toBe('1');
  const small = await Promise.all(Array.from({ length: 500 }, () => post(alice.caller, ME)));
  expect(small.map(({ status }) => status)).toEqual(small.map(() => 200));
});

test('a token that waits for its commit lets its owner’s next request begin', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  let isCommitted = false;
  let go = () => {};
  const blocked = new Promise<void>((resolve) => {
    go = resolve;
  });
  const other = server.deps.db.transact(() => blocked);
  const input = `{type: PERSONAL, actorUrn: "${userUrn('alice')}", duration: ONE_HOUR, name: "mine"}`;
  const query = `mutation { createAccessToken(input: ${input}) { metadata { tokenId } } }`;
  const minting = Promise.all(Array.from({ length: 20 }, () => post(caller, { query }))).then((answers) => {
    isCommitted = true;
    return answers;
  });
  expect((await post(caller, ME)).json).toMatchObject({ data: { me: { corpUser: { urn: userUrn('alice') } } } });
  expect(isCommitted).toBe(false);
  go();
  await other;
  for (const { json } of await minting) expect(json).toMatchObject({ data: { createAccessToken: expect.anything() } });
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

test('who waits for requests that do not end is told so, and answered when they have', async () => {
  const lanes = createLanes({ running: 1, waiting: 25, patienceMs: 20 });
  const asked = { principalId: 'alice', size: 10 };
  let end = () => {};
  const running = lanes(asked, () => new Promise<void>((resolve) => (end = resolve)));
  const waiting = await Promise.allSettled([1, 2, 3].map((one) => lanes(asked, async () => one)));
  expect(waiting).toMatchObject([
    { reason: { code: 'unavailable', retryAfterSeconds: 1 } },
    { reason: { code: 'unavailable' } },
    { reason: { code: 'too_many_requests' } },
  ]);
  end();
  await running;
  expect(await Promise.all([1, 2].map((one) => lanes(asked, async () => one)))).toEqual([1, 2]);
});
