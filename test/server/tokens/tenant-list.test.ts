import { oauthApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  DAY_MS,
  mint,
  openTestServer,
  type TestServer,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

const list = (server: TestServer, query: Record<string, string | number> = {}) =>
  server.owner.call(tokensApi.listOfTenant, { query });
const namesOf = (tokens: { name: string | null }[]) => tokens.map(({ name }) => name);
const nextOf = (headers: Headers) => /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];

/** Puts personal tokens straight into the database, `age` days old, made one millisecond after the other. */
async function insertTokens({ deps, clock }: TestServer, count: number, row: { ownerId: string; days: number }) {
  const { defaultTenantId } = deps.installation;
  const created_at = clock.nowMs;
  for (let from = 0; from < count; from += 1_000) {
    const rows = Array.from({ length: Math.min(1_000, count - from) }, () => {
      const id = deps.newId();
      return {
        id,
        tenant_id: defaultTenantId,
        kind: 'personal' as const,
        owner_kind: 'user' as const,
        owner_id: row.ownerId,
        actor_id: row.ownerId,
        epoch: 1,
        role: 'tenant-user' as const,
        scopes: '[]',
        created_at,
        expires_at: created_at + row.days * DAY_MS,
        root_kind: 'token' as const,
        root_id: id,
      };
    });
    await deps.db.transact((tx) => tx.insertInto('tokens').values(rows).execute());
    clock.advance(1);
  }
}

describe("the list of a tenant's tokens", () => {
  test('shows the personal ones of users and service users, newest first, whose each is and who made it', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const etl = await createServiceUser(server, { name: 'etl' });
    await server.nobody.call(oauthApi.token, {
      body: { grant_type: 'client_credentials', client_id: etl.id, client_secret: etl.api_key },
    });
    const own = await mint(server, bob.caller, { name: 'own', expires_in_days: 1 });
    server.clock.advance(1_000);
    await mint(server, server.owner, { name: 'given', username: 'bob' });
    server.clock.advance(1_000);
    await mint(server, server.owner, { name: 'nightly', username: 'etl' });
    const before = (await readAuditChain(server)).length;
    const tokens = await list(server);
    expect(tokens.map((one) => [one.name, one.username, one.user_id, one.created_by])).toEqual([
      ['nightly', 'etl', etl.id, 'ada'],
      ['given', 'bob', bob.id, 'ada'],
      ['own', 'bob', bob.id, 'bob'],
    ]);
    expect(tokens[2]).toEqual({
      id: own.id,
      token_id: own.id,
      kind: 'personal',
      name: 'own',
      description: null,
      user_id: bob.id,
      username: 'bob',
      role: 'tenant-user',
      tenant_id: bob.tenant_id,
      scopes: [],
      created_at: '2026-11-22T12:00:00Z',
      created_by_id: bob.id,
      created_by: 'bob',
      expires_at: '2026-11-23T12:00:00Z',
      last_used_at: null,
      last_used_ip: null,
      last_used_client: null,
      is_valid: true,
      revoked_at: null,
      revoked_reason: null,
    });
    expect(await readAuditChain(server)).toHaveLength(before);
  });

  test('takes whose by id or by name; what no user is called may be a service user, or the caller', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    const etl = await createServiceUser(server, { name: 'etl' });
    await createServiceUser(server, { name: 'bob' });
    await mint(server, server.owner, { name: 'of bob', username: 'bob' });
    await mint(server, server.owner, { name: 'of etl', user_id: etl.id });
    await mint(server, server.owner, { name: 'of the owner' });
    expect(namesOf(await list(server, { username: 'bob' }))).toEqual(['of bob']);
    expect(namesOf(await list(server, { user_id: bob.id.toUpperCase() }))).toEqual(['of bob']);
    expect(namesOf(await list(server, { username: 'etl' }))).toEqual(['of etl']);
    expect(namesOf(await list(server, { user_id: etl.id }))).toEqual(['of etl']);
    expect(namesOf(await list(server, { username: 'ada' }))).toEqual(['of the owner']);
  });

  test('filters by what a token is now, and counts what is asked for', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    await mint(server, server.owner, { name: 'short', username: 'bob', expires_in_minutes: 1 });
    const gone = await mint(server, server.owner, { name: 'gone', username: 'bob' });
    await mint(server, server.owner, { name: 'good', username: 'bob' });
    await mint(server, server.owner, { name: 'other' });
    await gone.caller.call(tokensApi.revokeSelf);
    server.clock.advance(60_000);
    for (const [query, names] of [
      [{ status: 'valid', username: 'bob' }, ['good']],
      [{ status: 'expired' }, ['short']],
      [{ status: 'revoked', username: 'bob' }, ['gone']],
      [{ username: 'bob' }, ['good', 'gone', 'short']],
      [{}, ['other', 'good', 'gone', 'short']],
    ] as const) {
      const page = await server.owner.ask(tokensApi.listOfTenant, { query: { ...query, count: 'true' } });
      expect(namesOf(page.json as { name: string }[]).sort(), JSON.stringify(query)).toEqual([...names].sort());
      expect(page.headers.get('x-total-count')).toBe(String(names.length));
    }
  });

  test('follows Link to the end, each token once, in order, and skips by offset', async () => {
    const server = await openTestServer();
    for (let i = 0; i < 7; i += 1) {
      await mint(server, server.owner, { name: `token-${i}` });
      server.clock.advance(1_000);
    }
    const names: (string | null)[] = [];
    let path: string | undefined = '/api/v1/tokens?limit=3&offset=1&count=true&status=valid';
    while (path !== undefined) {
      const page = await server.owner.send('GET', path);
      expect(page.headers.get('x-total-count')).toBe('7');
      names.push(...namesOf(page.json as { name: string }[]));
      path = nextOf(page.headers);
    }
    expect(names).toEqual([5, 4, 3, 2, 1, 0].map((i) => `token-${i}`));
  });

  test('keeps the tokens of deleted owners and of deleted makers, under their ids', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const etl = await createServiceUser(server, { name: 'etl' });
    await createUser(server, 'bob');
    await mint(server, eve.caller, { name: 'by eve', username: 'bob' });
    await mint(server, server.owner, { name: 'of etl', username: 'etl' });
    await server.owner.call(usersApi.delete, { params: { id: eve.id } });
    await server.owner.call(serviceUsersApi.delete, { params: { id: etl.id } });
    const byName = new Map((await list(server)).map((one) => [one.name, one]));
    expect(byName.get('by eve')).toMatchObject({ created_by_id: eve.id, created_by: null, username: 'bob' });
    expect(byName.get('of etl')).toMatchObject({ created_by: 'ada', user_id: etl.id, username: '(deleted)' });
    expect(await server.owner.refused(tokensApi.listOfTenant, { query: { user_id: etl.id } })).toMatchObject({
      status: 404,
    });
  });

  test('is for who holds MANAGE_ACCESS_TOKENS, with a credential that is not narrowed', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const narrow = await mint(server, server.owner, { roles: ['root'], scopes: ['tokens:read'] });
    expect(await server.nobody.refused(tokensApi.listOfTenant)).toMatchObject({ status: 401 });
    expect(await bob.caller.refused(tokensApi.listOfTenant)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await bob.caller.refused(tokensApi.listOfTenant, { query: { user_id: bob.id } })).toMatchObject({
      status: 403,
    });
    expect(await narrow.caller.refused(tokensApi.listOfTenant)).toMatchObject({ code: 'insufficient_scope' });
  });

  test("does not find another tenant's, nor tokens of theirs", async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    expect(await list(server)).toEqual([]);
    for (const query of [
      { user_id: other.userId },
      { user_id: other.serviceUserId },
      { username: 'grace' },
      { username: 'their-etl' },
      { username: 'nobody' },
    ]) {
      expect(await server.owner.refused(tokensApi.listOfTenant, { query })).toMatchObject({
        status: 404,
        code: 'not_found',
        detail: `There is no user or service user "${Object.values(query)[0]}".`,
      });
    }
    const headers = { 'x-pangolin-tenant': other.tenantId };
    const theirs = await server.owner.call(tokensApi.listOfTenant, { headers });
    expect(theirs).toMatchObject([{ id: other.tokenId, username: 'grace', created_by: 'grace' }]);
  });

  test('shows what root made for itself in another tenant there, and by root’s own name', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    await mint(server, server.owner, { name: 'visiting', tenant_id: other.tenantId, roles: ['root'] });
    await mint(server, server.owner, { name: 'at home' });
    const headers = { 'x-pangolin-tenant': other.tenantId };
    const query = { username: 'ada' };
    expect(namesOf(await server.owner.call(tokensApi.listOfTenant, { headers, query }))).toEqual(['visiting']);
    expect(namesOf(await list(server, query))).toEqual(['at home']);
  });

  test('refuses what is no filter, by the name of the field', async () => {
    const server = await openTestServer();
    const { id } = await createUser(server, 'bob');
    for (const [field, query] of [
      ['status', { status: 'lost' }],
      ['user_id', { user_id: 'bob' }],
      ['username', { username: '' }],
      ['username', { username: 'bob', user_id: id }],
      ['limit', { limit: '1001' }],
      ['cursor', { cursor: 'nonsense' }],
      ['kind', { kind: 'session' }],
    ] as const) {
      const problem = await server.owner.refused(tokensApi.listOfTenant, { query });
      expect(problem, JSON.stringify(query)).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.[0]?.field).toBe(field);
    }
  });

  test('answers at some point though little matches, and says where to go on', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    for (const name of ['first', 'second', 'third'])
      await mint(server, server.owner, { name, username: 'bob', expires_in_minutes: 1 });
    server.clock.advance(60_000);
    await insertTokens(server, 51_000, { ownerId: bob.id, days: 10 });
    for (const whose of ['', '&username=bob']) {
      let page = await server.owner.send('GET', `/api/v1/tokens?status=expired&offset=1&limit=2${whose}`);
      expect({ status: page.status, json: page.json }).toEqual({ status: 200, json: [] });
      const next = nextOf(page.headers) ?? '';
      expect(next).toContain('offset=1');
      page = await server.owner.send('GET', next);
      expect(page.json).toMatchObject([{ is_valid: false }, { is_valid: false }]);
      expect(nextOf(page.headers)).toBeUndefined();
    }
    const counted = await server.owner.ask(tokensApi.listOfTenant, { query: { limit: 1, count: 'true' } });
    expect(counted.headers.get('x-total-count')).toBe('51003');
  }, 60_000);
});
