import { parse } from 'graphql';
import { expect, test } from 'vitest';
import { createDocumentMemory } from '../../../packages/server/src/graphql/document-memory.ts';
import { createLoggedIn, openTestServer } from '../harness.ts';
import { ask, data, post, userUrn } from './graphql.ts';

const named = (name: string) => parse(`{ me { corpUser { ${name}: urn } } }`);

test('a document is read once, whoever sends it, and run for each who does', async () => {
  const server = await openTestServer();
  const who = '{ me { corpUser { username } } }';
  const [grace, lin] = [(await createLoggedIn(server, 'grace')).caller, (await createLoggedIn(server, 'lin')).caller];
  const names = [];
  for (const caller of [grace, lin, grace]) names.push((await data(caller, who)).me);
  const corpUser = (username: string) => ({ corpUser: { username } });
  expect(names).toEqual([corpUser('grace'), corpUser('lin'), corpUser('grace')]);
  const list =
    'query ($start: Int!) { listAccessTokens(input: {start: $start, count: 1, filters: []}) { start count total } }';
  const lists = [];
  for (const start of [0, -1, 1]) lists.push(await ask(server.owner, list, { start }));
  expect(lists).toMatchObject([
    { data: { listAccessTokens: { start: 0 } } },
    { errors: [{ extensions: { code: 400 } }] },
    { data: { listAccessTokens: { start: 1 } } },
  ]);
});

test('the shorthand for a mutation means the same each time', async () => {
  const server = await openTestServer();
  const input = `{type: PERSONAL, actorUrn: "${userUrn('ada')}", duration: ONE_HOUR, name: "mine"}`;
  const mutation = `{ createAccessToken(input: ${input}) { metadata { tokenId } } }`;
  const ids = [];
  for (let i = 0; i < 3; i += 1)
    ids.push(
      (await data<{ createAccessToken: { metadata: { tokenId: string } } }>(server.owner, mutation)).createAccessToken
        .metadata.tokenId,
    );
  expect(new Set(ids).size).toBe(3);
});

test('what is wrong with a document is said every time', async () => {
  const server = await openTestServer();
  const wrong = '{ me { corpUser { urn salary } } }';
  const first = await ask(server.owner, wrong);
  expect(first.errors).toMatchObject([{ message: expect.stringContaining('Cannot query field "salary"') }]);
  expect(await ask(server.owner, wrong)).toEqual(first);
  const two = 'query a { me { corpUser { urn } } } query b { me { corpUser { username } } }';
  const asked = async (operationName: string) => (await post(server.owner, { query: two, operationName })).json;
  const [a, none, b] = [await asked('a'), await asked('c'), await asked('b')];
  expect(a).toMatchObject({ data: { me: { corpUser: { urn: userUrn('ada') } } } });
  expect(none).toMatchObject({ errors: [{ extensions: { code: 400 } }] });
  expect(b).toMatchObject({ data: { me: { corpUser: { username: 'ada' } } } });
});

test('documents are kept while they are used, up to a bound, and long ones not at all', () => {
  const memory = createDocumentMemory();
  const text = (document: ReturnType<typeof named>) => document.loc?.source.body ?? '';
  const used = named('used');
  const others = Array.from({ length: 1_000 }, (_, i) => named(`a${i}_${'x'.repeat(1_000)}`));
  memory.keep(used);
  for (const other of others) {
    memory.keep(other);
    expect(memory.find(text(used))).toBe(used);
  }
  const kept = others.filter((other) => memory.find(text(other)));
  expect(kept.length).toBeGreaterThan(10);
  expect(kept.length).toBeLessThan(100);
  expect(kept.at(-1)).toBe(others.at(-1));
  const long = named('x'.repeat(3_000));
  memory.keep(long);
  expect([memory.find(text(long)), memory.isValid(long)]).toEqual([undefined, false]);
});
