import { expect, test } from 'vitest';
import { openTestServer } from '../harness.ts';
import { type GraphQLAnswer, post } from './graphql.ts';

const ME = '{ me { corpUser { urn } } }';

test.each([
  [
    'a mutation among queries',
    { query: 'query q { revokeAccessToken(tokenId: "x") }' },
    'Cannot query field "revokeAccessToken" on type "Query". It is a mutation: write mutation { revokeAccessToken … }.',
  ],
  [
    'a query among mutations',
    { query: `mutation ${ME}` },
    'Cannot query field "me" on type "Mutation". It is a query: write query { me … }.',
  ],
  [
    'a misspelt field',
    { query: '{ listAccessToken(input: {}) { total } }' },
    'Cannot query field "listAccessToken" on type "Query". Did you mean "listAccessTokens" or "getAccessToken"?',
  ],
  [
    'a field of DataHub’s that is not served',
    { query: 'mutation { addTag(input: {}) }' },
    'Cannot query field "addTag" on type "Mutation". Of DataHub, this server has access tokens and service accounts, and ' +
      'no metadata. There are createAccessToken, revokeAccessToken, createServiceAccount, deleteServiceAccount.',
  ],
  [
    'a query of which DataHub’s client left nothing',
    { query: 'query search($input: String) {\n  \n}' },
    'Syntax Error: Expected Name, found "}". Of DataHub, this server has access tokens and service accounts, and no ' +
      'metadata.',
  ],
  ['another brace in the wrong place', { query: '{ a: }' }, 'Syntax Error: Expected Name, found "}".'],
  [
    'an operation that is not there',
    { query: `query a ${ME} query b ${ME}`, operationName: 'c' },
    "There is no operation 'c' in the document; there are a, b.",
  ],
  [
    'a name for an operation that has none',
    { query: ME, operationName: 'c' },
    "There is no operation 'c' in the document; what there is has no name, so leave operationName out.",
  ],
  [
    'one of several operations',
    { query: `query a ${ME} query b ${ME}` },
    'The document has 2 operations; say which by operationName: a, b.',
  ],
  [
    'one of several operations, of which one has no name',
    { query: `query a ${ME} ${ME}` },
    'The document has 2 operations; of several, each must have a name.',
  ],
  [
    'fragments alone',
    { query: 'fragment f on CorpUser { urn }' },
    'The document has no operation: no query and no mutation.',
  ],
])('the error of a document says what to write instead: %s', async (_, body, message) => {
  const server = await openTestServer();
  const { json, status } = await post(server.owner, body);
  const { errors, data } = json as GraphQLAnswer;
  expect([status, data]).toEqual([200, undefined]);
  expect(errors?.map((error) => error.message)).toEqual([message]);
  expect(errors?.[0]?.extensions).toMatchObject({ code: 400, type: 'BAD_REQUEST' });
});

test('an operation is chosen by its name, also by that of the one there is', async () => {
  const server = await openTestServer();
  const config = 'query b { appConfig { authConfig { allowNoExpiry } } }';
  const asked = await post(server.owner, { query: `query a ${ME} ${config}`, operationName: 'b' });
  expect(asked.json).toEqual({ data: { appConfig: { authConfig: { allowNoExpiry: false } } } });
  expect((await post(server.owner, { query: config, operationName: 'b' })).json).toEqual(asked.json);
});
