import { expect, test } from 'vitest';
import { createUser, mint, openTestServer } from '../harness.ts';
import { data, GRAPHQL_PATH, post, problem } from './graphql.ts';

const CREATE = `mutation { createAccessToken(input: {type: PERSONAL, actorUrn: "urn:li:corpuser:datahub", duration: ONE_HOUR, name: "my personal token"}) { accessToken metadata { tokenId tokenName description } } }`;
const LIST_OWN = `{ listAccessTokens(input: {start: 0, count: 100, filters: [{field: "ownerUrn", value: "urn:li:corpuser:datahub"}]}) { start count total tokens { urn tokenId actorUrn } } }`;
const LIST_ALL = `{ listAccessTokens(input: {start: 0, count: 100, filters: []}) { start count total tokens { urn tokenId actorUrn } } }`;
const REVOKE = `mutation { revokeAccessToken(tokenId: "HnMJylxuowJ1FKN74BbGogLvXCS4w+fsd3MZdI35+8A=") }`;

/** The body of the documentation's curl: without the word `mutation`. */
const CURL_BODY = `{ "query":"{ createAccessToken(input: { type: PERSONAL, actorUrn: \\"urn:li:corpuser:datahub\\", duration: ONE_HOUR, name: \\"my personal token\\" } ) { accessToken metadata { tokenId tokenName description} } }", "variables":{}}`;

/** The body of the documentation's curl that revokes: with a brace too many. */
const CURL_REVOKE = `{"query":"mutation {revokeAccessToken(tokenId: \\"HnMJylxuowJ1FKN74BbGogLvXCS4w+fsd3MZdI35+8A=\\")}","variables":{}}}`;

test('the documented requests work word for word', async () => {
  const server = await openTestServer();
  await createUser(server, 'datahub');
  const own = (await mint(server, server.owner, { username: 'datahub' })).caller;
  const created = await data<{ createAccessToken: { accessToken: string; metadata: { tokenId: string } } }>(
    own,
    CREATE,
  );
  const { accessToken, metadata } = created.createAccessToken;
  expect(metadata).toEqual({ tokenId: expect.any(String), tokenName: 'my personal token', description: null });
  expect((await server.bearer(accessToken).send('GET', '/api/v1/users/me')).json).toMatchObject({
    username: 'datahub',
  });
  expect(await data(own, LIST_OWN)).toEqual({
    listAccessTokens: {
      start: 0,
      count: 1,
      total: 1,
      tokens: [
        {
          urn: `urn:li:dataHubAccessToken:${metadata.tokenId}`,
          tokenId: metadata.tokenId,
          actorUrn: 'urn:li:corpuser:datahub',
        },
      ],
    },
  });
  expect(await data(server.owner, LIST_ALL)).toMatchObject({ listAccessTokens: { start: 0, count: 2, total: 2 } });
  expect((await problem(own, LIST_ALL)).extensions).toEqual({
    code: 403,
    type: 'UNAUTHORIZED',
    classification: 'DataFetchingException',
  });
  expect((await problem(own, REVOKE)).message).toBe(
    'Unauthorized to perform this action. Please contact your DataHub administrator.',
  );
  expect(await problem(server.owner, REVOKE)).toMatchObject({
    path: ['revokeAccessToken'],
    locations: [{ line: 1, column: 12 }],
    extensions: { code: 404, type: 'NOT_FOUND' },
  });
  const { status, json } = await post(own, CURL_BODY);
  expect(status).toBe(200);
  expect(json).toMatchObject({ data: { createAccessToken: { metadata: { tokenName: 'my personal token' } } } });
});

test('the documented curl that revokes is understood with its surplus brace, and no other surplus', async () => {
  const server = await openTestServer();
  const { status, json } = await post(server.owner, CURL_REVOKE);
  expect([status, json]).toEqual([
    200,
    { data: null, errors: [expect.objectContaining({ path: ['revokeAccessToken'] })] },
  ]);
  for (const surplus of ['}', ' {}', ']', 'x'])
    expect((await post(server.owner, CURL_REVOKE + surplus)).status).toBe(400);
});

test.each([
  GRAPHQL_PATH,
  '/api/v2/graphql',
  '/api/gms/api/graphql',
  '/api/gms/graphql',
  '/api/gms/api/v2/graphql',
  '/api/graphql/',
])('GraphQL answers at %s', async (path) => {
  const server = await openTestServer();
  const { status, json } = await post(server.owner, { query: '{ me { corpUser { urn username } } }' }, path);
  expect([status, json]).toEqual([
    200,
    { data: { me: { corpUser: { urn: 'urn:li:corpuser:ada', username: 'ada' } } } },
  ]);
});
