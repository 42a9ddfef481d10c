import { usersApi } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  mint,
  openTestServer,
  standingOf,
  type TestServer,
  UNKNOWN_ID,
} from '../harness.ts';
import { ask, createToken, data, listTokens, problem, refuseToken, userUrn } from './graphql.ts';

const UNAUTHORIZED = {
  message: 'Unauthorized to perform this action. Please contact your DataHub administrator.',
  extensions: { code: 403, type: 'UNAUTHORIZED', classification: 'DataFetchingException' },
};

/** Four people: who may do nothing, who may mint, who manages without minting, who may both. */
async function open() {
  const server = await openTestServer();
  const grants = await server.owner.send('GET', '/api/v1/policies');
  const toUsers = (grants.json as { id: string; grantee: { id: string } }[]).find(
    ({ grantee }) => grantee.id === 'tenant-user',
  );
  await server.owner.send('DELETE', `/api/v1/policies/${toUsers?.id}`);
  const people = {
    nobody: await createLoggedIn(server, 'nobody'),
    minter: await createLoggedIn(server, 'minter'),
    manager: await createLoggedIn(server, 'manager'),
    both: await createLoggedIn(server, 'both'),
  };
  for (const [username, privilege] of [
    ['minter', 'GENERATE_PERSONAL_ACCESS_TOKENS'],
    ['both', 'GENERATE_PERSONAL_ACCESS_TOKENS'],
    ['manager', 'MANAGE_ACCESS_TOKENS'],
    ['both', 'MANAGE_ACCESS_TOKENS'],
  ])
    await server.owner.send('POST', '/api/v1/policies', json({ privilege, username }));
  return { server, people };
}

const json = (body: object) => ({ body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });

const revoke = (id: string) => `mutation { revokeAccessToken(tokenId: "${id}") }`;

async function auditOf(server: TestServer, action: string) {
  await server.deps.refusals.flush();
  const { json: events } = await server.owner.send('GET', `/api/v1/audit?action=${action}`);
  return events as { username: string; resource_name: string | null; details: Record<string, unknown> }[];
}

test('creating takes the privilege to mint for oneself, and the one to manage for others', async () => {
  const { people } = await open();
  for (const [name, mayForSelf, mayForOthers] of [
    ['nobody', false, false],
    ['minter', true, false],
    ['manager', true, true],
    ['both', true, true],
  ] as const) {
    const { caller } = people[name];
    const forSelf = await createToken(caller, userUrn(name)).catch(() => null);
    expect([name, forSelf !== null]).toEqual([name, mayForSelf]);
    if (forSelf) expect(forSelf.metadata).toMatchObject({ actorUrn: userUrn(name), ownerUrn: userUrn(name) });
    else expect(await refuseToken(caller, userUrn(name))).toMatchObject(UNAUTHORIZED);
    if (mayForOthers) {
      const { metadata } = await createToken(caller, userUrn('nobody'));
      expect(metadata).toMatchObject({ actorUrn: userUrn('nobody'), ownerUrn: userUrn(name) });
    } else
      expect(await refuseToken(caller, userUrn(name === 'nobody' ? 'minter' : 'nobody'))).toMatchObject(UNAUTHORIZED);
  }
});

test('whether a principal exists is told to those alone who may mint for it', async () => {
  const { people } = await open();
  const gone = userUrn('nobody-at-all');
  expect(await refuseToken(people.minter.caller, gone)).toMatchObject(UNAUTHORIZED);
  expect(await refuseToken(people.both.caller, gone)).toMatchObject({
    message: expect.stringContaining(`There is no user or service account ${gone}. See who there is: `),
    extensions: { code: 404, type: 'NOT_FOUND' },
  });
  for (const malformed of ['datahub', 'urn:li:corpuser:', 'urn:li:corpGroup:x'])
    expect((await refuseToken(people.both.caller, malformed)).extensions.type).toBe('BAD_REQUEST');
});

test('nobody mints for who stands above them', async () => {
  const { server, people } = await open();
  await createLoggedIn(server, 'boss', 'tenant-admin');
  expect(await refuseToken(people.both.caller, userUrn('boss'))).toMatchObject(UNAUTHORIZED);
  expect(await refuseToken(people.both.caller, userUrn('ada'))).toMatchObject(UNAUTHORIZED);
});

test('listing takes managing, or a filter for exactly oneself', async () => {
  const { people } = await open();
  await createToken(people.both.caller, userUrn('minter'), { name: 'for minter' });
  await createToken(people.minter.caller, userUrn('minter'), { name: 'own' });
  const self = userUrn('minter');
  const { caller } = people.minter;
  const names = async (...filters: object[]) =>
    (await listTokens(caller, { filters })).tokens.map(({ name }) => name).sort();
  expect(await names({ field: 'ownerUrn', value: self })).toEqual(['own']);
  expect(await names({ field: 'ownerUrn', values: [self] })).toEqual(['own']);
  expect(await names({ field: 'actorUrn', value: self })).toEqual(['for minter', 'own']);
  expect(
    await names({ field: 'actorUrn', values: [self, self], condition: 'IN' }, { field: 'name', value: 'own' }),
  ).toEqual(['own']);
  const others = [
    [],
    [{ field: 'name', value: 'own' }],
    [{ field: 'ownerUrn', value: userUrn('both') }],
    [{ field: 'ownerUrn', values: [self, userUrn('both')] }],
    [{ field: 'ownerUrn', value: self, negated: true }],
    [{ field: 'ownerUrn', value: self, condition: 'START_WITH' }],
    [{ field: 'ownerUrn', value: userUrn('no-such-user') }],
  ];
  const list = 'query ($input: ListAccessTokenInput!) { listAccessTokens(input: $input) { total } }';
  for (const filters of others) expect(await problem(caller, list, { input: { filters } })).toMatchObject(UNAUTHORIZED);
  const own = { input: { filters: [{ field: 'ownerUrn', value: userUrn('nobody') }] } };
  expect(await problem(people.nobody.caller, list, own)).toMatchObject(UNAUTHORIZED);
  expect((await listTokens(people.manager.caller)).total).toBe(2);
});

test('revoking is for managers, who minted it, and whose it is; others are not told whether there is one', async () => {
  const { server, people } = await open();
  const make = () => createToken(people.both.caller, userUrn('minter'));
  const [byManager, byMinter, byOwner, spared] = [await make(), await make(), await make(), await make()];
  for (const id of [spared.metadata.id, UNKNOWN_ID, 'HnMJylxuowJ1FKN74BbGogLvXCS4w+fsd3MZdI35+8A=', '', '\\u0000'])
    expect(await problem(people.nobody.caller, revoke(id))).toMatchObject(UNAUTHORIZED);
  expect((await problem(people.manager.caller, revoke(UNKNOWN_ID))).extensions).toMatchObject({
    code: 404,
    type: 'NOT_FOUND',
  });
  for (const [caller, { metadata, accessToken }] of [
    [people.manager.caller, byManager],
    [people.both.caller, byMinter],
    [people.minter.caller, byOwner],
  ] as const) {
    expect(await standingOf(server.bearer(accessToken))).toBe('ok');
    expect(await data(caller, revoke(metadata.id))).toEqual({ revokeAccessToken: true });
    expect(await standingOf(server.bearer(accessToken))).toBe('token_revoked');
  }
  expect(await data(people.manager.caller, revoke(spared.metadata.urn))).toEqual({ revokeAccessToken: true });
  expect((await auditOf(server, 'token.revoked')).map(({ username }) => username)).toEqual([
    'manager',
    'minter',
    'both',
    'manager',
  ]);
});

test('who minted a token for somebody may end it after losing the privilege', async () => {
  const { server, people } = await open();
  const { metadata } = await createToken(people.both.caller, userUrn('minter'));
  const { json: grants } = await server.owner.send('GET', '/api/v1/policies?privilege=MANAGE_ACCESS_TOKENS');
  for (const { id, grantee } of grants as { id: string; grantee: { name: string } }[])
    if (grantee.name === 'both') await server.owner.send('DELETE', `/api/v1/policies/${id}`);
  expect(await data(people.both.caller, revoke(metadata.id))).toEqual({ revokeAccessToken: true });
});

test('a narrowed credential does what its scopes allow', async () => {
  const server = await openTestServer();
  const { caller } = await createLoggedIn(server, 'alice');
  const reader = (await mint(server, caller, { scopes: ['tokens:read'] })).caller;
  const writer = (await mint(server, caller, { scopes: ['tokens:write'] })).caller;
  const filters = [{ field: 'ownerUrn', value: userUrn('alice') }];
  expect((await listTokens(reader, { filters })).total).toBe(2);
  expect(await refuseToken(reader, userUrn('alice'))).toMatchObject(UNAUTHORIZED);
  expect((await createToken(writer, userUrn('alice'))).metadata.actorUrn).toBe(userUrn('alice'));
});

test('a service account mints for itself with its key, and administrators mint for it', async () => {
  const server = await openTestServer();
  const etl = await createServiceUser(server, { name: 'etl' });
  const urn = userUrn(`service_${etl.id}`);
  const own = await createToken(etl.caller, urn);
  expect(own.metadata).toMatchObject({ actorUrn: urn, ownerUrn: urn });
  const { accessToken } = await createToken(server.owner, urn, { type: 'SERVICE_ACCOUNT' });
  expect((await server.bearer(accessToken).send('GET', '/api/v1/users/me')).json).toMatchObject({ id: etl.id });
  const { caller } = await createLoggedIn(server, 'alice');
  expect(await refuseToken(caller, userUrn('alice'), { type: 'SERVICE_ACCOUNT' })).toMatchObject({
    message: 'A token of type SERVICE_ACCOUNT is for urn:li:corpuser:service_<uuid>, the URN of a service account.',
    extensions: { type: 'BAD_REQUEST' },
  });
  for (const one of [urn, userUrn(`service_${UNKNOWN_ID}`)])
    expect(await refuseToken(caller, one, { type: 'SERVICE_ACCOUNT' })).toMatchObject(UNAUTHORIZED);
  expect(
    (await refuseToken(server.owner, userUrn(`service_${UNKNOWN_ID}`), { type: 'SERVICE_ACCOUNT' })).extensions.type,
  ).toBe('NOT_FOUND');
});

test('a token that a later error keeps from being shown is ended', async () => {
  const { server, people } = await open();
  const create = (name: string) =>
    `${name}: createAccessToken(input: {type: PERSONAL, actorUrn: "${userUrn('minter')}", duration: ONE_HOUR, name: "${name}"}) { accessToken }`;
  const { caller } = people.minter;
  const lost = await ask(caller, `mutation { ${create('lost')} revokeAccessToken(tokenId: "${UNKNOWN_ID}") }`);
  expect(lost.data).toBeNull();
  expect((await listTokens(server.owner)).total).toBe(0);
  const kept = await ask(
    caller,
    `mutation { ${create('kept')} ${create('not')}${create('again').replace('ONE_HOUR', 'NO_EXPIRY')} }`,
  );
  expect(kept.errors).toHaveLength(1);
  expect((await listTokens(server.owner)).tokens.map(({ name }) => name).sort()).toEqual(['kept', 'not']);
});

test('what is refused is on record, and counted', async () => {
  const { server, people } = await open();
  await refuseToken(people.minter.caller, userUrn('both'));
  await problem(people.nobody.caller, revoke(UNKNOWN_ID));
  const [second, first] = await auditOf(server, 'request.refused');
  expect(first).toMatchObject({
    username: 'minter',
    resource_name: 'GraphQL createAccessToken',
    details: { code: 'forbidden' },
  });
  expect(second).toMatchObject({ username: 'nobody', resource_name: 'GraphQL revokeAccessToken' });
});

test('each field that is refused is on record, whatever else its request asks for', async () => {
  const { server, people } = await open();
  const create = (actorUrn: string) =>
    `createAccessToken(input: {type: PERSONAL, actorUrn: "${actorUrn}", duration: ONE_HOUR, name: "x"}) { accessToken }`;
  const fields = `a: ${create('no URN')} b: ${create(userUrn('both'))} c: revokeAccessToken(tokenId: "${UNKNOWN_ID}") d: ${create('no URN')}`;
  await ask(people.minter.caller, `mutation { ${fields} }`);
  const events = await auditOf(server, 'request.refused');
  expect(events.map((event) => event.resource_name).sort()).toEqual([
    'GraphQL createAccessToken',
    'GraphQL revokeAccessToken',
  ]);
});

test('whose principal is deactivated is told so, and not to ask for more rights', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  await server.owner.call(usersApi.update, { params: { id: alice.id }, body: { active: false } });
  expect(await refuseToken(server.owner, userUrn('alice'))).toMatchObject({
    message: expect.stringContaining('alice is deactivated'),
    extensions: { code: 409, type: 'CONFLICT' },
  });
});
