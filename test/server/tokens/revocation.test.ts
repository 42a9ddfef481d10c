import { tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  logIn,
  mint,
  openTestServer,
  standingOf,
  UNKNOWN_ID,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

describe('revoking the presented token', () => {
  test.each([tokensApi.revokeSelf, tokensApi.revokeSelfAlias])('stops it at once: $path', async (endpoint) => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { name: 'ci' });
    expect(await standingOf(token.caller)).toBe('ok');
    await token.caller.call(endpoint, { body: { reason: 'leaked' } });
    expect(await standingOf(token.caller)).toBe('token_revoked');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'token.revoked',
      resource_id: token.id,
      credential_type: 'personal',
      credential_id: token.id,
      details: { reason: 'leaked' },
    });
    expect(await server.owner.call(tokensApi.get, { params: { id: token.id } })).toMatchObject({
      is_valid: false,
      revoked_at: '2026-11-22T12:00:00Z',
      revoked_reason: 'leaked',
    });
  });

  test('needs no body, no scope and no role', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { scopes: ['catalog:read'] });
    await token.caller.call(tokensApi.revokeSelf);
    expect(await standingOf(token.caller)).toBe('token_revoked');
  });

  test('says what to do instead when an API key or the embedded owner asks', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    for (const caller of [etl.caller, server.owner]) {
      const problem = await caller.refused(tokensApi.revokeSelf);
      expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.hint).toMatch(/pangolin-/);
    }
  });
});

describe('revoking a token by its id', () => {
  test.each([tokensApi.revoke, tokensApi.revokeAlias])(
    'is for its owner and for administrators: $path',
    async (endpoint) => {
      const server = await openTestServer();
      const bob = await createLoggedIn(server, 'bob');
      const mallory = await createLoggedIn(server, 'mallory');
      const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
      const [first, second] = [await mint(server, bob.caller), await mint(server, bob.caller)];
      expect(await mallory.caller.refused(endpoint, { params: { jti: first.id } })).toMatchObject({
        status: 404,
        detail: 'There is no such token.',
      });
      expect(await standingOf(first.caller)).toBe('ok');
      await bob.caller.call(endpoint, { params: { jti: first.id.toUpperCase() } });
      await eve.caller.call(endpoint, { params: { jti: second.id }, body: { reason: 'left' } });
      expect(await standingOf(first.caller)).toBe('token_revoked');
      expect(await standingOf(second.caller)).toBe('token_revoked');
      expect(await readLastAudit(server)).toMatchObject({ username: 'eve', resource_id: second.id });
    },
  );

  test('answers 200 for one that was revoked already, and changes nothing', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await server.owner.call(tokensApi.revoke, { params: { jti: token.id }, body: { reason: 'first' } });
    const before = await server.owner.call(tokensApi.get, { params: { id: token.id } });
    const events = (await readAuditChain(server)).length;
    server.clock.advance(DAY_MS);
    const { message } = await server.owner.call(tokensApi.revoke, {
      params: { jti: token.id },
      body: { reason: 'second' },
    });
    expect(message).toContain('already');
    await server.owner.call(tokensApi.delete, { params: { id: token.id } });
    expect(await server.owner.call(tokensApi.get, { params: { id: token.id } })).toEqual(before);
    expect(await readAuditChain(server)).toHaveLength(events);
  });

  test('answers 404 for an unknown one and for one of another tenant alike', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const id of [UNKNOWN_ID, other.tokenId]) {
      for (const endpoint of [tokensApi.revoke, tokensApi.revokeAlias]) {
        expect(await eve.caller.refused(endpoint, { params: { jti: id } })).toMatchObject({
          status: 404,
          detail: 'There is no such token.',
        });
      }
      expect((await eve.caller.refused(tokensApi.delete, { params: { id } })).status).toBe(404);
      expect((await eve.caller.refused(tokensApi.get, { params: { id } })).status).toBe(404);
    }
    const row = await server.deps.db.read
      .selectFrom('tokens')
      .select('revoked_at')
      .where('id', '=', other.tokenId)
      .executeTakeFirstOrThrow();
    expect(row.revoked_at).toBeNull();
  });

  test('takes the scope tokens:write', async () => {
    const server = await openTestServer();
    const narrow = await mint(server, server.owner, { scopes: ['tokens:read'] });
    expect(await narrow.caller.refused(tokensApi.revoke, { params: { jti: narrow.id } })).toMatchObject({
      status: 403,
      code: 'insufficient_scope',
    });
    expect(await narrow.caller.refused(tokensApi.delete, { params: { id: narrow.id } })).toMatchObject({ status: 403 });
  });

  test('DELETE answers 204 and stops it', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await token.caller.call(tokensApi.delete, { params: { id: token.id } });
    expect(await standingOf(token.caller)).toBe('token_revoked');
    expect((await readLastAudit(server)).action).toBe('token.revoked');
  });
});

describe('a revocation', () => {
  test('holds for the whole life of the token, long after it and after a restart', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { expires_in_days: 365 });
    await token.caller.call(tokensApi.revokeSelf);
    await server.close();
    const later = await openTestServer({ dataDir: server.dataDir });
    later.clock.nowMs = server.clock.nowMs + 364 * DAY_MS;
    expect(await standingOf(later.bearer(token.token))).toBe('token_revoked');
  });

  test('made by another process holds at once, in both directions', async () => {
    const server = await openTestServer();
    const beside = await openTestServer({ beside: server });
    for (const [here, there] of [
      [server, beside],
      [beside, server],
    ] as const) {
      const token = await mint(here, here.owner);
      const elsewhere = there.bearer(token.token);
      for (let i = 0; i < 3; i += 1) expect(await standingOf(elsewhere)).toBe('ok');
      await here.owner.call(tokensApi.revoke, { params: { jti: token.id } });
      expect(await standingOf(elsewhere)).toBe('token_revoked');
      expect(await standingOf(token.caller)).toBe('token_revoked');
    }
  });
});

describe('revoking everything of a principal', () => {
  test('ends what was issued until now and nothing that is issued later', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const carol = await createLoggedIn(server, 'carol');
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const token = await mint(server, bob.caller);
    await eve.caller.call(tokensApi.revokeOfUser, { params: { id: bob.id }, body: { reason: 'laptop lost' } });
    expect(await standingOf(bob.caller)).toBe('token_revoked');
    expect(await standingOf(token.caller)).toBe('token_revoked');
    expect(await standingOf(carol.caller)).toBe('ok');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'user.credentials_revoked',
      username: 'eve',
      resource_id: bob.id,
      details: { reason: 'laptop lost' },
    });
    server.clock.advance(1_000);
    const again = await logIn(server, 'bob');
    expect(await standingOf(again.caller)).toBe('ok');
    const listed = await again.caller.call(tokensApi.listOwn);
    expect(listed.map((one) => one.is_valid)).toEqual([true, false, false]);
    expect(listed.find((one) => one.id === token.id)).toMatchObject({
      revoked_at: '2026-11-22T12:00:00Z',
      revoked_reason: expect.stringContaining('everything'),
    });
  });

  test("is one's own right, an administrator's for others, and nobody's with a narrowed credential", async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const mallory = await createLoggedIn(server, 'mallory');
    expect(await mallory.caller.refused(tokensApi.revokeOfUser, { params: { id: bob.id } })).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    const narrow = await mint(server, bob.caller, { scopes: ['tokens:write'] });
    expect((await narrow.caller.refused(tokensApi.revokeOfUser, { params: { id: bob.id } })).status).toBe(403);
    await bob.caller.call(tokensApi.revokeOfUser, { params: { id: bob.id } });
    expect(await standingOf(bob.caller)).toBe('token_revoked');
  });

  test('of a service user ends its keys as well', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, etl.caller);
    await server.owner.call(tokensApi.revokeOfUser, { params: { id: etl.id } });
    expect(await standingOf(etl.caller)).toBe('api_key_revoked');
    expect(await standingOf(token.caller)).toBe('token_revoked');
  });

  test('answers 404 for unknown principals and those of another tenant alike', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    for (const id of [UNKNOWN_ID, other.userId, other.serviceUserId]) {
      expect(await server.owner.refused(tokensApi.revokeOfUser, { params: { id } })).toMatchObject({
        status: 404,
        detail: 'There is no such user.',
      });
      expect((await server.owner.refused(tokensApi.listOfUser, { params: { id } })).status).toBe(404);
    }
  });
});
