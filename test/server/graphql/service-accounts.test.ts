import { expect, test } from 'vitest';
import { createLoggedIn, createServiceUser, openTestServer, standingOf, UNKNOWN_ID } from '../harness.ts';
import { createToken, data, problem, userUrn } from './graphql.ts';

const FIELDS = 'urn type name displayName description createdBy createdAt updatedAt';

interface Account {
  urn: string;
  name: string;
  displayName: string;
  updatedAt: number;
}

const CREATE = `mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { ${FIELDS} } }`;
const LIST = `query ($input: ListServiceAccountsInput!) {
  listServiceAccounts(input: $input) { start count total serviceAccounts { ${FIELDS} } }
}`;

test('a service account is a service user without a key, for which tokens are minted', async () => {
  const server = await openTestServer();
  const { createServiceAccount: made } = await data<{ createServiceAccount: Account }>(server.owner, CREATE, {
    input: { displayName: 'etl', description: 'nightly' },
  });
  const id = made.name.slice('service_'.length);
  const created = server.clock.nowMs;
  expect(made).toEqual({
    urn: userUrn(`service_${id}`),
    type: 'CORP_USER',
    name: `service_${id}`,
    displayName: 'etl',
    description: 'nightly',
    createdBy: userUrn('ada'),
    createdAt: created,
    updatedAt: created,
  });
  const there = await server.owner.send('GET', `/api/v1/service-users/${id}`);
  expect(there.json).toMatchObject({ name: 'etl', role: 'tenant-user', active: true, keys: [] });
  server.clock.advance(1_000);
  const body = '{"description":"hourly"}';
  await server.owner.send('PUT', `/api/v1/service-users/${id}`, {
    body,
    headers: { 'content-type': 'application/json' },
  });
  const { getServiceAccount } = await data(server.owner, `{ getServiceAccount(urn: "${made.urn}") { ${FIELDS} } }`);
  expect(getServiceAccount).toEqual({ ...made, description: 'hourly', updatedAt: created + 1_000 });
  const { accessToken } = await createToken(server.owner, made.urn, { type: 'SERVICE_ACCOUNT' });
  expect(await standingOf(server.bearer(accessToken))).toBe('ok');
  expect(await data(server.owner, `mutation { deleteServiceAccount(urn: "${made.urn}") }`)).toEqual({
    deleteServiceAccount: true,
  });
  expect(await standingOf(server.bearer(accessToken))).toBe('principal_inactive');
  expect(await data(server.owner, `{ getServiceAccount(urn: "${made.urn}") { urn } }`)).toEqual({
    getServiceAccount: null,
  });
  const { json: events } = await server.owner.send('GET', '/api/v1/audit');
  expect((events as { action: string }[]).map(({ action }) => action)).toEqual(
    expect.arrayContaining(['service_user.created', 'service_user.deleted']),
  );
});

test('without a name it is called by its id, and a name is given once', async () => {
  const server = await openTestServer();
  const { createServiceAccount: made } = await data<{ createServiceAccount: Account }>(server.owner, CREATE, {
    input: {},
  });
  expect(made.displayName).toBe(made.name);
  await data(server.owner, CREATE, { input: { displayName: 'etl' } });
  expect(await problem(server.owner, CREATE, { input: { displayName: 'etl' } })).toMatchObject({
    message: expect.stringMatching(/^There is a service user named "etl" already\. Choose another name/),
    extensions: { code: 409, type: 'CONFLICT', classification: 'DataFetchingException' },
  });
  expect((await problem(server.owner, CREATE, { input: { displayName: ' ' } })).message).toMatch(
    /^The field 'displayName' must/,
  );
});

test('service accounts are listed by name, and found by a part of it or of the description', async () => {
  const server = await openTestServer();
  for (const name of ['beta', 'alpha', 'gamma'])
    await createServiceUser(server, { name, description: `the ${name} JOB` });
  const list = async (input: object) =>
    (
      await data<{ listServiceAccounts: { start: number; count: number; total: number; serviceAccounts: Account[] } }>(
        server.owner,
        LIST,
        { input },
      )
    ).listServiceAccounts;
  const names = async (input: object) => (await list(input)).serviceAccounts.map(({ displayName }) => displayName);
  expect(await names({})).toEqual(['alpha', 'beta', 'gamma']);
  expect(await list({ start: 1, count: 1 })).toMatchObject({
    start: 1,
    count: 1,
    total: 3,
    serviceAccounts: [{ displayName: 'beta' }],
  });
  expect(await names({ query: 'GAM' })).toEqual(['gamma']);
  expect(await names({ query: 'job' })).toEqual(['alpha', 'beta', 'gamma']);
  expect(await names({ query: '%' })).toEqual([]);
  expect(await list({ query: 'nothing like it' })).toEqual({ start: 0, count: 0, total: 0, serviceAccounts: [] });
});

test('service accounts are for who manages them, and another tenant’s are not there', async () => {
  const server = await openTestServer();
  const etl = await createServiceUser(server, { name: 'etl' });
  const urn = userUrn(`service_${etl.id}`);
  const { caller } = await createLoggedIn(server, 'alice');
  for (const query of [
    '{ listServiceAccounts(input: {}) { total } }',
    `{ getServiceAccount(urn: "${urn}") { urn } }`,
    'mutation { createServiceAccount(input: {}) { urn } }',
    `mutation { deleteServiceAccount(urn: "${urn}") }`,
  ])
    expect((await problem(caller, query)).extensions).toMatchObject({ code: 403, type: 'UNAUTHORIZED' });
  const gone = userUrn(`service_${UNKNOWN_ID}`);
  expect((await problem(server.owner, `mutation { deleteServiceAccount(urn: "${gone}") }`)).extensions.type).toBe(
    'NOT_FOUND',
  );
  const user = `mutation { deleteServiceAccount(urn: "${userUrn('alice')}") }`;
  expect(await problem(server.owner, user)).toMatchObject({
    message: 'The URN of a service account is urn:li:corpuser:service_<uuid>.',
    extensions: { type: 'BAD_REQUEST' },
  });
});
