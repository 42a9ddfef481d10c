import { expect, test } from 'vitest';
import { openTestServer } from '../harness.ts';
import { ask, data, GRAPHQL_PATH, type GraphQLAnswer, post, problem, userUrn } from './graphql.ts';

test('what is left out of a request may be null, and what is unknown in it is ignored', async () => {
  const server = await openTestServer();
  const body = { query: '{ me { corpUser { urn } } }', variables: null, operationName: null, extensions: {}, id: 1 };
  expect((await post(server.owner, body)).json).toEqual({ data: { me: { corpUser: { urn: userUrn('ada') } } } });
});

test('only POST and only JSON are taken, and no page of another site is told anything', async () => {
  const server = await openTestServer();
  const query = encodeURIComponent('{ me { corpUser { urn } } }');
  for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS', 'DELETE']) {
    const { status, headers } = await server.owner.send(method, `${GRAPHQL_PATH}?query=${query}`, {
      headers: { origin: 'https://evil.example', accept: 'text/html', 'access-control-request-method': 'POST' },
    });
    expect([method, status, headers.get('allow')]).toEqual([method, 405, 'POST']);
    expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  }
  const types = [
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/plain',
    'application/graphql',
    '',
  ];
  for (const type of types) {
    const init = { body: `query=${query}`, headers: { 'content-type': type } };
    expect([type, (await server.owner.send('POST', GRAPHQL_PATH, init)).status]).toEqual([type, 415]);
  }
});

test('mutations are never run by what reads, nor without saying so in a document of several operations', async () => {
  const server = await openTestServer();
  const create = 'createServiceAccount(input: {}) { urn }';
  expect(await data(server.owner, `{ ${create} }`)).toMatchObject({
    createServiceAccount: { urn: expect.any(String) },
  });
  for (const document of [
    `query named { ${create} }`,
    `{ ${create} me { corpUser { urn } } }`,
    `{ ... on Query { ${create} } }`,
    `subscription { ${create} }`,
  ])
    expect((await ask(server.owner, document)).errors?.[0]?.extensions).toMatchObject({
      type: 'BAD_REQUEST',
      classification: 'ValidationError',
    });
  expect((await data(server.owner, '{ listServiceAccounts(input: {}) { total } }')).listServiceAccounts).toEqual({
    total: 1,
  });
});

test('a variable that leaves an argument without a value is the fault of who asked, whatever it is called', async () => {
  const server = await openTestServer();
  for (const [query, variables] of [
    ['query ($urn: String = "x") { getServiceAccount(urn: $urn) { urn } }', '{"urn":null}'],
    ['query ($__proto__: String!) { getServiceAccount(urn: $__proto__) { urn } }', '{"__proto__":"x"}'],
  ]) {
    const { json } = await post(server.owner, `{"query":${JSON.stringify(query)},"variables":${variables}}`);
    expect((json as GraphQLAnswer).errors?.map(({ extensions }) => extensions)).toEqual([
      { code: 400, type: 'BAD_REQUEST', classification: 'ValidationError' },
    ]);
  }
  expect(server.logs.filter((line) => line.includes('unexpected'))).toEqual([]);
});

test('errors name where they are, and nothing of the server', async () => {
  const server = await openTestServer();
  const answer = await ask(server.owner, '{ me { corpUser { urn } } getServiceAccount(urn: "x") { urn } }');
  expect(answer).toEqual({
    data: { me: { corpUser: { urn: userUrn('ada') } }, getServiceAccount: null },
    errors: [
      {
        message:
          "'x' is not the URN of a user or a service user. Write urn:li:corpuser:<username>, or for a service user urn:li:corpuser:service_<its id>.",
        locations: [{ line: 1, column: 27 }],
        path: ['getServiceAccount'],
        extensions: { code: 400, type: 'BAD_REQUEST', classification: 'DataFetchingException' },
      },
    ],
  });
  server.deps.db.read.selectFrom = () => {
    throw new Error('the password of the database is 12345678');
  };
  const failed = await problem(server.owner, '{ appConfig { authConfig { allowNoExpiry } } }');
  expect(failed.extensions).toEqual({ code: 500, type: 'SERVER_ERROR', classification: 'DataFetchingException' });
  expect(failed.message).toBe('The server failed; its log has the reason under this request id.');
});
