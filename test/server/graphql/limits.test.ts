import { getIntrospectionQuery } from 'graphql';
import { expect, test } from 'vitest';
import { createLoggedIn, openTestServer } from '../harness.ts';
import { ask, data, type GraphQLAnswer, post, problem, userUrn } from './graphql.ts';

const nest = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

const refusals = ({ errors = [] }: GraphQLAnswer) => errors.map(({ message }) => message);

test('deep, wide and aliased operations are refused before anything is done', async () => {
  const server = await openTestServer();
  const nested = `${'... on Query { '.repeat(200)} me { corpUser { urn } } ${'}'.repeat(200)}`;
  expect((await data(server.owner, `{ ${nested} }`)).me).toBeDefined();
  const deep = `{ __type(name: "Query") { ${'ofType { '.repeat(15)} name ${'}'.repeat(15)} } }`;
  expect(refusals(await ask(server.owner, deep))).toContain(
    'The operation has 17 levels; 15 is the most accepted here.',
  );
  const aliased = Array.from({ length: 31 }, (_, i) => `a${i}: urn`).join(' ');
  expect(refusals(await ask(server.owner, `{ me { corpUser { ${aliased} } } }`))).toEqual([
    'The operation has 31 aliases; 30 is the most accepted here.',
  ]);
  const roots = Array.from({ length: 21 }, (_, i) => `a${i}: createServiceAccount(input: {}) { urn }`).join(' ');
  expect(refusals(await ask(server.owner, `mutation { ${roots} }`))).toEqual([
    'The operation has 21 fields at its root; 20 is the most accepted here.',
  ]);
  expect(await data(server.owner, '{ listServiceAccounts(input: {}) { total } }')).toEqual({
    listServiceAccounts: { total: 0 },
  });
});

test('fragments count where they are spread, however many that makes', async () => {
  const server = await openTestServer();
  const bomb = Array.from({ length: 60 }, (_, i) => `fragment f${i} on CorpUser { ...f${i + 1} ...f${i + 1} }`);
  const document = `{ me { corpUser { ...f0 } } } ${bomb.join(' ')} fragment f60 on CorpUser { urn }`;
  expect(refusals(await ask(server.owner, document))).toEqual([
    'The operation has countless fields; 500 is the most accepted here.',
  ]);
  const cycle = '{ me { corpUser { ...a } } } fragment a on CorpUser { ...b } fragment b on CorpUser { ...a }';
  expect(refusals(await ask(server.owner, cycle))[0]).toContain('Cannot spread fragment "a" within itself');
});

test('fragments that go round in many circles are refused as any that spread themselves', async () => {
  const server = await openTestServer();
  const spread = (i: number) => `...f${i % 190}`;
  const circles = Array.from(
    { length: 190 },
    (_, i) => `fragment f${i} on CorpUser { ${spread(i + 1)} ${spread(i + 2)} }`,
  );
  const { errors = [] } = await ask(server.owner, `{ me { corpUser { ...f0 } } } ${circles.join(' ')}`);
  expect(errors[0]).toMatchObject({
    message: expect.stringContaining('Cannot spread fragment "f0" within itself'),
    extensions: { code: 400, type: 'BAD_REQUEST', classification: 'ValidationError' },
  });
  expect(errors.length).toBeLessThan(12);
  expect(server.logs.filter((line) => line.includes('"level":"error"'))).toEqual([]);
});

test('a document of too many words is not read', async () => {
  const server = await openTestServer();
  const { message, extensions } = await problem(server.owner, `{ me { corpUser { ${'urn '.repeat(2_000)} } } }`);
  expect(message).toContain('2000');
  expect(extensions).toEqual({ code: 400, type: 'BAD_REQUEST', classification: 'InvalidSyntax' });
});

test('a document is neither longer nor of more lines than anybody writes', async () => {
  const server = await openTestServer();
  const me = '{ me { corpUser { urn } } }';
  expect((await data(server.owner, '\n'.repeat(1_999) + me)).me).toBeDefined();
  for (const line of ['\n', '\r', '\r\n'])
    expect(refusals(await ask(server.owner, line.repeat(2_000) + me))).toEqual([
      'The document has more than 2000 lines.',
    ]);
  const { message, extensions } = await problem(server.owner, ' '.repeat(100_000) + me);
  expect(message).toBe('The document has 100027 characters; 100000 is the most accepted here.');
  expect(extensions).toEqual({ code: 400, type: 'BAD_REQUEST', classification: 'ValidationError' });
});

test('what is wrong is told of the first few places, and not by repeating all that was sent', async () => {
  const server = await openTestServer();
  const unknown = Array.from({ length: 20 }, (_, i) => `unknown${i}`).join(' ');
  expect(refusals(await ask(server.owner, `{ ${unknown} }`))).toHaveLength(11);
  const query = 'query ($input: ListAccessTokenInput!) { listAccessTokens(input: $input) { total } }';
  const wrong = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, 'x'.repeat(5_000)]));
  const { text } = await post(server.owner, { query, variables: { input: wrong } });
  expect(text).toContain('got invalid value');
  expect(text.length).toBeLessThan(100_000);
});

test('what is in fragments that nobody spreads counts as well', async () => {
  const server = await openTestServer();
  const fragment = `fragment f on CorpUser { ${'urn '.repeat(501)} }`;
  expect(refusals(await ask(server.owner, `{ me { corpUser { urn } } } ${fragment}`))).toEqual([
    'The fragment has 501 fields; 500 is the most accepted here.',
  ]);
});

test('the lists of one request share how many fields of all their rows they may answer', async () => {
  const server = await openTestServer();
  const fields = Array.from({ length: 10 }, (_, i) => `a${i}: owner { urn type }`).join(' ');
  expect(
    (await problem(server.owner, `{ listAccessTokens(input: {count: 9000}) { tokens { ${fields} } } }`)).message,
  ).toBe(
    '9000 rows of 31 fields each are more than one request answers: 200,000 fields in all its lists together. ' +
      'Ask for fewer rows at once.',
  );
});

test('the lists of one request share how many rows they may have', async () => {
  const server = await openTestServer();
  const lists = Array.from({ length: 3 }, (_, i) => `a${i}: listAccessTokens(input: {count: 4000}) { count }`);
  const { errors } = await ask(server.owner, `{ ${lists.join(' ')} }`);
  expect(errors?.map(({ message }) => message)).toEqual([
    'count is 4000: a request lists at most 10,000 rows in all its lists together, of which 2,000 are left here.',
  ]);
});

test('the lists of one request share how many values they may filter by, whoever asks', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const values = Array.from({ length: 25 }, (_, i) => userUrn(`nobody-${i}`));
  const input = {
    count: 0,
    filters: [
      { field: 'ownerUrn', values },
      { field: 'actorUrn', values },
    ],
  };
  const lists = Array.from({ length: 3 }, (_, i) => `a${i}: listAccessTokens(input: $input) { total }`);
  const query = `query ($input: ListAccessTokenInput!) { ${lists.join(' ')} }`;
  const tooMany = 'A request filters by at most 100 values, all its lists together.';
  expect(refusals(await ask(server.owner, query, { input }))).toEqual([tooMany]);
  const more = { ...input, filters: [...input.filters, ...input.filters, { field: 'name', value: 'x' }] };
  expect(refusals(await ask(caller, query, { input: more }))).toEqual([tooMany]);
});

test('clients may look at the schema, once they are authenticated', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const { __schema: schema } = await data<{ __schema: { mutationType: { name: string } } }>(
    caller,
    getIntrospectionQuery(),
  );
  expect(schema.mutationType.name).toBe('Mutation');
  expect((await post(server.nobody, { query: getIntrospectionQuery() })).status).toBe(401);
});

test.each([
  ['not JSON', '{"query": ', 400],
  ['nothing', '', 400],
  ['no object', '"{ me }"', 400],
  ['null', 'null', 400],
  ['a batch', '[{"query":"{ me { corpUser { urn } } }"}]', 400],
  ['no query', '{"variables":{}}', 400],
  ['an empty query', '{"query":""}', 400],
  ['a query that is no text', '{"query":{"kind":"Document"}}', 400],
  ['variables that are no object', '{"query":"{ me { corpUser { urn } } }","variables":[1]}', 400],
  ['a name that is no text', '{"query":"{ me { corpUser { urn } } }","operationName":1}', 400],
  ['more than a quarter of a megabyte', JSON.stringify({ query: '#'.repeat(256 * 1024) }), 413],
  ['variables within variables', `{"query":"{ me { corpUser { urn } } }","variables":${nest(21)}}`, 400],
  [
    'countless variables',
    JSON.stringify({ query: '{ me { corpUser { urn } } }', variables: { a: Array(2_001).fill(1) } }),
    400,
  ],
])('%s is refused by its status', async (_, body, status) => {
  const server = await openTestServer();
  const answer = await post(server.owner, body);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
});
