import { expect, test } from 'vitest';
import { createUser, openTestServer, standingOf } from '../harness.ts';
import { createToken, data, listTokens, namesOf, post, problem, refuseToken, userUrn } from './graphql.ts';

const DATAHUB = userUrn('datahub');

/** The body of the documentation's curl. */
const CURL_BODY = `{ "query":"{ createAccessToken(input: { type: PERSONAL, actorUrn: \\"urn:li:corpuser:datahub\\", duration: ONE_HOUR, name: \\"my personal token\\" } ) { accessToken metadata { tokenId tokenName description} } }", "variables":{}}`;

const ownedBy = (value: string) => ({ field: 'ownerUrn', value });

test('without authentication the documented requests work for a name that nobody has', async () => {
  const server = await openTestServer({ noAuth: true });
  const caller = server.actor(DATAHUB);
  const { json } = await post(caller, CURL_BODY);
  expect(json).toMatchObject({ data: { createAccessToken: { metadata: { tokenName: 'my personal token' } } } });
  const { tokens } = await listTokens(caller, { filters: [ownedBy(DATAHUB)] });
  expect(tokens).toEqual([
    expect.objectContaining({ name: 'my personal token', actorUrn: DATAHUB, ownerUrn: DATAHUB }),
  ]);
  expect(await data(caller, '{ me { corpUser { urn } } appConfig { authConfig { tokenAuthEnabled } } }')).toEqual({
    me: { corpUser: { urn: DATAHUB } },
    appConfig: { authConfig: { tokenAuthEnabled: false } },
  });
  expect(await data(caller, `mutation { revokeAccessToken(tokenId: "${tokens[0]?.id}") }`)).toEqual({
    revokeAccessToken: true,
  });
  expect((await listTokens(caller)).total).toBe(0);
});

test('where nobody is named, the owner is whoever is asked for; whose tokens these are is kept', async () => {
  const server = await openTestServer({ noAuth: true });
  await createToken(server.nobody, DATAHUB, { name: 'without a header' });
  await createToken(server.actor(DATAHUB), DATAHUB, { name: 'with it' });
  await createToken(server.actor(userUrn('other')), userUrn('other'), { name: 'by another' });
  for (const caller of [server.nobody, server.actor(DATAHUB), server.actor(userUrn('other'))]) {
    const { tokens } = await listTokens(caller, { filters: [ownedBy(DATAHUB)] });
    expect(tokens.map(({ name }) => name).sort()).toEqual(['with it', 'without a header']);
  }
  expect((await refuseToken(server.actor(DATAHUB), userUrn('other'))).extensions.type).toBe('NOT_FOUND');
  const entity = await server.nobody.send('GET', `/entities/${DATAHUB}`);
  expect([entity.status, entity.text.includes('"username":"datahub"')]).toEqual([200, true]);
});

test('a user who is named is asked what they may', async () => {
  const server = await openTestServer();
  await createUser(server, 'alice');
  const open = await openTestServer({ beside: server, noAuth: true });
  const alice = open.actor(userUrn('alice'));
  expect((await createToken(alice, userUrn('alice'))).metadata.ownerUrn).toBe(userUrn('alice'));
  expect((await refuseToken(alice, DATAHUB)).extensions.type).toBe('UNAUTHORIZED');
  expect((await problem(alice, '{ listAccessTokens(input: {}) { total } }')).extensions.type).toBe('UNAUTHORIZED');
  const account = await data<{ createServiceAccount: { urn: string } }>(
    open.nobody,
    'mutation { createServiceAccount(input: {}) { urn } }',
  );
  await createToken(open.nobody, account.createServiceAccount.urn, { type: 'SERVICE_ACCOUNT' });
});

test('what was made so is refused, and not listed, where authentication is on', async () => {
  const server = await openTestServer();
  const open = await openTestServer({ beside: server, noAuth: true });
  const { accessToken, metadata } = await createToken(open.actor(DATAHUB), DATAHUB, { name: 'unproven' });
  expect(await standingOf(server.bearer(accessToken))).toBe('token_unauthenticated');
  expect(await namesOf(server)).toEqual([]);
  const header = server.bearer(accessToken, { 'x-datahub-actor': DATAHUB });
  expect((await post(header, CURL_BODY)).status).toBe(401);
  expect(
    (await server.nobody.send('GET', `/entities/${DATAHUB}`, { headers: { 'x-datahub-actor': DATAHUB } })).status,
  ).toBe(401);
  expect(await data(server.owner, `mutation { revokeAccessToken(tokenId: "${metadata.id}") }`)).toEqual({
    revokeAccessToken: true,
  });
});
