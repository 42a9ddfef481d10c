import { tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  mint,
  openTestServer,
  standingOf,
  UNKNOWN_ID,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

const readClaims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('POST /api/v1/tokens', () => {
  test('mints a token that works at once, and records who minted it with which credential', async () => {
    const server = await openTestServer();
    const user = await createLoggedIn(server, 'bob');
    const token = await mint(server, user.caller, { name: 'ci', description: 'nightly', expires_in_days: 30 });
    expect(token).toMatchObject({
      name: 'ci',
      description: 'nightly',
      role: 'tenant-user',
      scopes: [],
      tenant_id: user.tenant_id,
      created_at: '2026-11-22T12:00:00Z',
      expires_at: '2026-12-22T12:00:00Z',
      expiry_source: 'requested',
    });
    expect(token.jti).toBe(token.id);
    expect(await standingOf(token.caller)).toBe('ok');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'token.created',
      result: 'success',
      user_id: user.id,
      username: 'bob',
      resource_type: 'token',
      resource_id: token.id,
      resource_name: 'ci',
      credential_type: 'session',
      credential_id: readClaims(user.token).jti,
      details: { kind: 'personal', owner_id: user.id, expires_at: '2026-12-22T12:00:00Z' },
    });
  });

  test('signs ES256 with typ at+jwt, a kid of the JWKS and the claims of the architecture', async () => {
    const server = await openTestServer();
    const { token, id } = await mint(server, server.owner, { scopes: ['catalog:read'] });
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    const { keys } = (await server.nobody.send('GET', '/.well-known/jwks.json')).json as { keys: { kid: string }[] };
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: keys[0]?.kid });
    const { issuer, ownerId, defaultTenantId } = server.deps.installation;
    expect(issuer).toMatch(/^urn:pangolin:[0-9a-f-]{36}$/);
    const iat = server.clock.nowMs / 1000;
    expect(readClaims(token)).toEqual({
      iss: issuer,
      aud: issuer,
      sub: ownerId,
      jti: id,
      iat,
      nbf: iat,
      exp: iat + 90 * 86_400,
      tenant_id: defaultTenantId,
      username: 'ada',
      role: 'tenant-user',
      scope: 'catalog:read',
      kind: 'personal',
    });
  });

  test('keeps nothing of the token but its id and what is known about it', async () => {
    const server = await openTestServer();
    const { token, id } = await mint(server, server.owner);
    const row = await server.deps.db.read.selectFrom('tokens').selectAll().where('id', '=', id).executeTakeFirst();
    expect(row).toBeDefined();
    for (const part of token.split('.')) expect(JSON.stringify(row)).not.toContain(part);
  });

  test('gives the embedded owner an ordinary token unless a role is asked for', async () => {
    const server = await openTestServer();
    expect((await mint(server, server.owner)).role).toBe('tenant-user');
    expect((await mint(server, server.owner, { roles: ['TenantAdmin'] })).role).toBe('tenant-admin');
    expect((await mint(server, server.owner, { roles: ['tenant_user', 'Root'] })).role).toBe('root');
  });

  test("never gives a role above the caller's, and the caller's own by default", async () => {
    const server = await openTestServer();
    const user = await createLoggedIn(server, 'bob');
    const admin = await createLoggedIn(server, 'eve', 'tenant-admin');
    expect((await mint(server, admin.caller)).role).toBe('tenant-admin');
    for (const [caller, role] of [
      [user.caller, 'tenant-admin'],
      [user.caller, 'root'],
      [admin.caller, 'root'],
    ] as const) {
      const problem = await caller.refused(tokensApi.create, { body: { roles: [role] } });
      expect(problem).toMatchObject({ status: 403, code: 'forbidden' });
      expect(problem.detail).toContain(role);
    }
  });

  test("never gives a role above the owner's, whoever mints", async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const problem = await server.owner.refused(tokensApi.create, {
      body: { username: 'bob', roles: ['tenant-admin'] },
    });
    expect(problem).toMatchObject({ status: 403, code: 'forbidden' });
    const root = await mint(server, server.owner, { roles: ['root'] });
    expect((await mint(server, root.caller, { username: 'bob' })).role).toBe('tenant-user');
  });

  test('hands out the scopes of a narrowed caller or fewer, never more', async () => {
    const server = await openTestServer();
    const narrow = await mint(server, server.owner, { scopes: ['tokens:write', 'catalog:read'] });
    expect((await mint(server, narrow.caller)).scopes).toEqual(['catalog:read', 'tokens:write']);
    expect((await mint(server, narrow.caller, { scopes: ['catalog:read:default.sales'] })).scopes).toEqual([
      'catalog:read:default.sales',
    ]);
    for (const scopes of [['catalog:write'], ['catalog'], ['tokens:read'], []]) {
      const problem = await narrow.caller.refused(tokensApi.create, { body: { scopes } });
      expect(problem).toMatchObject({ status: 403, code: 'insufficient_scope' });
    }
    expect((await mint(server, server.owner, { scopes: ['catalog'] })).scopes).toEqual([
      'catalog:read',
      'catalog:write',
    ]);
  });

  test('takes the scope tokens:write', async () => {
    const server = await openTestServer();
    const narrow = await mint(server, server.owner, { scopes: ['catalog', 'tokens:read'] });
    expect(await narrow.caller.refused(tokensApi.create, { body: {} })).toMatchObject({
      status: 403,
      code: 'insufficient_scope',
    });
  });
});

describe('minting for somebody else', () => {
  test('takes an administrator', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const body of [{ username: 'eve' }, { user_id: eve.id }]) {
      expect(await bob.caller.refused(tokensApi.create, { body })).toMatchObject({ status: 403, code: 'forbidden' });
    }
    const token = await mint(server, eve.caller, { username: 'bob' });
    expect(readClaims(token.token)).toMatchObject({ sub: bob.id, username: 'bob', role: 'tenant-user' });
    expect((await readLastAudit(server)).details).toMatchObject({ owner_id: bob.id, owner_name: 'bob' });
  });

  test('works for service users by id', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, server.owner, { user_id: etl.id.toUpperCase() });
    expect(readClaims(token.token)).toMatchObject({ sub: etl.id, username: 'etl' });
  });

  test('means the user of that name, though the operating system calls the owner so as well', async () => {
    const server = await openTestServer();
    const ada = await createUser(server, 'ada');
    const token = await mint(server, server.owner, { username: 'ada' });
    expect(readClaims(token.token).sub).toBe(ada.id);
  });

  test('answers the same for an unknown user and for one of another tenant', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const bodies = [
      { user_id: UNKNOWN_ID },
      { user_id: other.userId },
      { user_id: other.serviceUserId },
      { username: 'grace' },
    ];
    for (const body of bodies) {
      const { request_id, ...problem } = await eve.caller.refused(tokensApi.create, { body });
      expect(problem).toMatchObject({
        status: 404,
        code: 'not_found',
        detail: `There is no user or service user "${Object.values(body)[0]}".`,
      });
    }
  });

  test('refuses a deactivated owner', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    await server.owner.send('PUT', `/api/v1/users/${bob.id}`, {
      body: '{"active":false}',
      headers: { 'content-type': 'application/json' },
    });
    expect(await server.owner.refused(tokensApi.create, { body: { username: 'bob' } })).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: 'bob is deactivated, so a token would be good for nothing.',
    });
  });
});

describe('minting in another tenant', () => {
  test('is for root alone; for anybody else the tenant does not exist', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const tenant_id of [other.tenantId, UNKNOWN_ID]) {
      expect(await eve.caller.refused(tokensApi.create, { body: { tenant_id } })).toMatchObject({
        status: 404,
        detail: 'There is no such tenant.',
      });
    }
    const token = await mint(server, server.owner, { tenant_id: other.tenantId.toUpperCase(), username: 'grace' });
    expect(readClaims(token.token)).toMatchObject({ sub: other.userId, tenant_id: other.tenantId });
    expect(await standingOf(token.caller)).toBe('ok');
  });

  test("takes one's own tenant from anybody", async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    expect((await mint(server, bob.caller, { 'tenant-id': bob.tenant_id })).tenant_id).toBe(bob.tenant_id);
  });

  test('refuses a credential of another tenant than X-Pangolin-Tenant names, unless it is root', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    expect(await standingOf(server.bearer(eve.token, { 'x-pangolin-tenant': other.tenantId }))).toBe(
      'token_wrong_tenant',
    );
    const root = await mint(server, server.owner, { roles: ['root'] });
    const visiting = server.bearer(root.token, { 'x-pangolin-tenant': other.tenantId });
    expect((await visiting.call(tokensApi.get, { params: { id: other.tokenId } })).username).toBe('grace');
    const nowhere = server.bearer(root.token, { 'x-pangolin-tenant': UNKNOWN_ID });
    expect((await nowhere.refused(tokensApi.listOwn)).status).toBe(404);
  });
});
