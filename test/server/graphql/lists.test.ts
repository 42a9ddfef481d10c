import { tenantsApi, usersApi } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import { createLoggedIn, HOUR_MS, mint, openTestServer, PASSWORD, standingOf, type TestServer } from '../harness.ts';
import { insertTokens } from './bulk-tokens.ts';
import { createToken, data, listTokens, namesOf, openWithTokens, problem, userUrn } from './graphql.ts';

const LIST = 'query ($input: ListAccessTokenInput!) { listAccessTokens(input: $input) { total } }';

/** The administrator of another tenant. */
async function openOtherTenant(server: TestServer) {
  const { id } = await server.owner.call(tenantsApi.create, { body: { name: 'other' } });
  const body = { username: 'grace', role: 'tenant-admin', password: PASSWORD };
  await server.owner.call(usersApi.create, { body, headers: { 'x-pangolin-tenant': id } });
  const login = { username: 'grace', password: PASSWORD, tenant: 'other' };
  return server.bearer((await server.nobody.call(usersApi.login, { body: login })).token);
}

test('the latest expiry comes first, page after page', async () => {
  const { server } = await openWithTokens();
  expect(await namesOf(server)).toEqual(['100% größe_1', 'weekly', 'nightly', 'for bob']);
  const pages = await Promise.all([0, 1, 3, 4].map((start) => listTokens(server.owner, { start, count: 2 })));
  expect(pages.map(({ start, count, total, tokens }) => [start, count, total, tokens.map(({ name }) => name)])).toEqual(
    [
      [0, 2, 4, ['100% größe_1', 'weekly']],
      [1, 2, 4, ['weekly', 'nightly']],
      [3, 1, 4, ['for bob']],
      [4, 0, 4, []],
    ],
  );
  expect(await listTokens(server.owner, { count: 0 })).toEqual({ start: 0, count: 0, total: 4, tokens: [] });
  await server.owner.send('PUT', '/api/v1/config/settings', {
    body: '{"allow_non_expiring_tokens":true}',
    headers: { 'content-type': 'application/json' },
  });
  await createToken(server.owner, userUrn('alice'), { name: 'for ever', duration: 'NO_EXPIRY' });
  const [first] = (await listTokens(server.owner)).tokens;
  expect(first).toMatchObject({ name: 'for ever', expiresAt: null });
});

test('a page that cannot be says so', async () => {
  const server = await openTestServer();
  for (const input of [{ start: -1 }, { count: -1 }, { count: 10_001 }, { start: 2_000_000_000 }])
    expect((await problem(server.owner, LIST, { input })).extensions).toMatchObject({ code: 400, type: 'BAD_REQUEST' });
});

test('what get-token mints is listed here, and what is made here there; ended on either side it is ended on both', async () => {
  const server = await openTestServer();
  const alice = await createLoggedIn(server, 'alice');
  const there = await mint(server, alice.caller, { name: 'there' });
  const here = await createToken(alice.caller, userUrn('alice'), { name: 'here' });
  const listed = async () =>
    (await alice.caller.send('GET', '/api/v1/users/me/tokens')).json as {
      id: string;
      kind: string;
      is_valid: boolean;
    }[];
  expect(
    (await listed())
      .filter(({ kind }) => kind === 'personal')
      .map(({ id }) => id)
      .sort(),
  ).toEqual([here.metadata.id, there.id].sort());
  expect((await listTokens(server.owner)).tokens.map(({ id }) => id).sort()).toEqual(
    [there.id, here.metadata.id].sort(),
  );
  expect((await listTokens(server.owner)).tokens).toContainEqual(here.metadata);
  await alice.caller.send('DELETE', `/api/v1/tokens/${here.metadata.id}`);
  expect(await standingOf(server.bearer(here.accessToken))).toBe('token_revoked');
  expect((await listTokens(server.owner)).tokens.map(({ id }) => id)).toEqual([there.id]);
  await data(alice.caller, `mutation { revokeAccessToken(tokenId: "${there.id}") }`);
  expect(await standingOf(there.caller)).toBe('token_revoked');
  expect((await listed()).filter(({ is_valid }) => is_valid).map(({ kind }) => kind)).toEqual(['session']);
  expect((await listTokens(server.owner)).total).toBe(0);
});

test('tokens that ended with something else are not listed; expired ones are', async () => {
  const { server, alice } = await openWithTokens();
  await server.owner.send('POST', `/api/v1/users/${alice.id}/tokens/revoke`);
  expect(await namesOf(server)).toEqual(['100% größe_1', 'for bob']);
  server.clock.advance(2 * HOUR_MS);
  expect(await namesOf(server)).toEqual(['100% größe_1', 'for bob']);
  const expired = { field: 'expiresAt', condition: 'LESS_THAN', value: String(server.clock.nowMs) };
  expect(await namesOf(server, expired)).toEqual(['for bob']);
});

test('another tenant’s tokens are not there', async () => {
  const { server } = await openWithTokens();
  const admin = await openOtherTenant(server);
  expect((await listTokens(admin)).total).toBe(0);
  const [token] = (await listTokens(server.owner)).tokens;
  const filters = [{ field: 'id', value: token?.id ?? '' }];
  expect((await listTokens(admin, { filters })).tokens).toEqual([]);
  for (const query of [
    `mutation { revokeAccessToken(tokenId: "${token?.id}") }`,
    `{ getAccessTokenMetadata(token: "${token?.id}") { id } }`,
    `mutation { createAccessToken(input: {type: PERSONAL, actorUrn: "${userUrn('alice')}", duration: ONE_HOUR, name: "x"}) { accessToken } }`,
    `{ debugAccess(userUrn: "${userUrn('alice')}") { roles } }`,
  ])
    expect((await problem(admin, query)).extensions).toMatchObject({ code: 404, type: 'NOT_FOUND' });
});

test('ten thousand tokens come out page by page, each once and in order', { timeout: 60_000 }, async () => {
  const server = await openTestServer();
  await insertTokens(server, ['alice'], 10_000);
  for (const [count, filters] of [
    [1_000, []],
    [997, [{ field: 'ownerUrn', value: userUrn('alice') }]],
    [3_000, [{ field: 'actorUrn', value: userUrn('alice') }]],
  ] as const) {
    const seen: [number, string][] = [];
    for (let start = 0; ; start += count) {
      const page = await listTokens(server.owner, { start, count, filters });
      expect(page.total).toBe(10_000);
      if (page.count === 0) break;
      seen.push(...page.tokens.map(({ id, expiresAt }): [number, string] => [expiresAt ?? 0, id]));
    }
    const inOrder = [...seen].sort(([a, x], [b, y]) => b - a || (x < y ? 1 : -1));
    expect(new Set(seen.map(([, id]) => id)).size).toBe(10_000);
    expect(seen).toEqual(inOrder);
  }
});
