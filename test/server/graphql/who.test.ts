import { expect, test } from 'vitest';
import { createLoggedIn, createServiceUser, HOUR_MS, mint, openTestServer, UNKNOWN_ID } from '../harness.ts';
import { createToken, data, listTokens, problem, userUrn } from './graphql.ts';

const ME =
  '{ me { corpUser { urn type username } platformPrivileges { generatePersonalAccessTokens manageTokens manageServiceAccounts } } }';

test('everybody may ask who they are and what they may do', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const etl = await createServiceUser(server, { name: 'etl', role: 'tenant-admin' });
  expect(await data(alice.caller, ME)).toEqual({
    me: {
      corpUser: { urn: userUrn('alice'), type: 'CORP_USER', username: 'alice' },
      platformPrivileges: { generatePersonalAccessTokens: true, manageTokens: false, manageServiceAccounts: false },
    },
  });
  expect(await data(etl.caller, ME)).toMatchObject({
    me: {
      corpUser: { urn: userUrn(`service_${etl.id}`), username: `service_${etl.id}` },
      platformPrivileges: { generatePersonalAccessTokens: true, manageTokens: true, manageServiceAccounts: true },
    },
  });
});

test('the properties that DataHub’s command line asks of oneself are told, and nobody else’s', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const fields = 'properties { active displayName email firstName lastName title fullName }';
  const missing = { email: null, firstName: null, lastName: null, title: null };
  const properties = { active: true, displayName: 'alice', fullName: 'alice', ...missing };
  expect(await data(caller, `{ me { corpUser { ${fields} } } }`)).toEqual({ me: { corpUser: { properties } } });
  expect(await data(server.owner, `{ me { corpUser { ${fields} } } }`)).toEqual({
    me: { corpUser: { properties: { ...properties, displayName: 'ada', fullName: 'ada' } } },
  });
  await createToken(caller, userUrn('alice'));
  const listed = `{ listAccessTokens(input: {}) { tokens { owner { username ${fields} } } } }`;
  expect(await data(server.owner, listed)).toEqual({
    listAccessTokens: { tokens: [{ owner: { username: 'alice', properties: null } }] },
  });
});

const DEBUG =
  'query ($userUrn: String!) { debugAccess(userUrn: $userUrn) { roles groups groupsWithRoles rolesViaGroups allRoles policies privileges } }';

test('what somebody may do is told to themselves, and to who manages users', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const boss = await createLoggedIn(server, 'boss', 'tenant-admin');
  const body = {
    body: '{"privilege":"VIEW_AUDIT","username":"alice"}',
    headers: { 'content-type': 'application/json' },
  };
  const { json: grant } = await server.owner.send('POST', '/api/v1/policies', body);
  const asked = { userUrn: userUrn('alice') };
  const { debugAccess: own } = await data<{ debugAccess: { policies: string[] } }>(alice.caller, DEBUG, asked);
  expect(own).toEqual({
    roles: ['urn:li:dataHubRole:tenant-user'],
    groups: [],
    groupsWithRoles: [],
    rolesViaGroups: [],
    allRoles: ['urn:li:dataHubRole:tenant-user'],
    policies: expect.arrayContaining([`urn:li:dataHubPolicy:${(grant as { id: string }).id}`]),
    privileges: ['GENERATE_PERSONAL_ACCESS_TOKENS', 'VIEW_AUDIT'],
  });
  expect(own.policies).toHaveLength(2);
  expect((await data(boss.caller, DEBUG, asked)).debugAccess).toEqual(own);
  for (const urn of [userUrn('boss'), userUrn('unknown'), userUrn(`service_${UNKNOWN_ID}`)])
    expect((await problem(alice.caller, DEBUG, { userUrn: urn })).extensions.type).toBe('UNAUTHORIZED');
  expect((await problem(boss.caller, DEBUG, { userUrn: userUrn('unknown') })).extensions.type).toBe('NOT_FOUND');
  const { debugAccess: root } = await data<{ debugAccess: { privileges: string[] } }>(server.owner, DEBUG, {
    userUrn: userUrn('ada'),
  });
  expect(root.privileges).toHaveLength(6);
});

const METADATA =
  'query ($of: String!) { getAccessTokenMetadata(token: $of) { id name actorUrn ownerUrn expiresAt owner { urn username } } }';

test('a token’s metadata is told by the token or its id, to whom it concerns', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const bob = await createLoggedIn(server, 'bob');
  const { accessToken, metadata } = await createToken(server.owner, userUrn('alice'), { name: 'x' });
  const known = {
    id: metadata.id,
    name: 'x',
    actorUrn: userUrn('alice'),
    ownerUrn: userUrn('ada'),
    expiresAt: metadata.expiresAt,
    owner: { urn: userUrn('ada'), username: 'ada' },
  };
  for (const token of [accessToken, metadata.id, metadata.urn])
    for (const caller of [alice.caller, server.owner])
      expect((await data(caller, METADATA, { of: token })).getAccessTokenMetadata).toEqual(known);
  server.clock.advance(2 * HOUR_MS);
  expect((await data(server.owner, METADATA, { of: accessToken })).getAccessTokenMetadata).toEqual(known);
  for (const token of [accessToken, 'a.b.c', `${accessToken.slice(0, -4)}AAAA`, UNKNOWN_ID, '']) {
    expect((await problem(bob.caller, METADATA, { of: token })).extensions.type).toBe('UNAUTHORIZED');
    if (token !== accessToken)
      expect((await problem(server.owner, METADATA, { of: token })).extensions.type).toBe('NOT_FOUND');
  }
});

test('nothing is told of a token that was ended, by itself or with whose it is', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const ended = await createToken(alice.caller, userUrn('alice'));
  const orphaned = await createToken(server.owner, userUrn('alice'));
  await data(alice.caller, `mutation { revokeAccessToken(tokenId: "${ended.metadata.id}") }`);
  await server.owner.send('POST', `/api/v1/users/${alice.id}/tokens/revoke`);
  for (const { accessToken, metadata } of [ended, orphaned])
    for (const of of [accessToken, metadata.id])
      expect((await problem(server.owner, METADATA, { of })).extensions.type).toBe('NOT_FOUND');
});

test('the deprecated getAccessToken makes a token without a name', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const query = `{ getAccessToken(input: {type: PERSONAL, actorUrn: "${userUrn('alice')}", duration: ONE_HOUR}) { accessToken metadata { id name } } }`;
  const made = (
    await data<{ getAccessToken: { accessToken: string; metadata: { id: string; name: string } } }>(caller, query)
  ).getAccessToken;
  expect(made.metadata.name).toBe(made.metadata.id);
  expect((await server.bearer(made.accessToken).send('GET', '/api/v1/users/me')).status).toBe(200);
});

test('a token without a name is called by its description', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  await mint(server, caller, { description: 'alice@laptop' });
  const filters = [{ field: 'ownerUrn', value: userUrn('alice') }];
  expect((await listTokens(caller, { filters })).tokens.map(({ name }) => name)).toEqual(['alice@laptop']);
});
