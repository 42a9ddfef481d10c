import { oauthApi, serviceUsersApi, settingsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import { createLoggedIn, createServiceUser, DAY_MS, mint, openTestServer, standingOf } from '../harness.ts';
import { insertSecondTenant, signTheirToken } from '../second-tenant.ts';
import { basic, refusedBy } from './ask-oauth.ts';

describe('introspection (RFC 7662)', () => {
  test('tells service users and administrators all about a good token', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const bob = await createLoggedIn(server, 'bob');
    const { token, id } = await mint(server, bob.caller, { scopes: ['catalog:read'], expires_in_days: 1 });
    const expected = {
      active: true,
      sub: bob.id,
      username: 'bob',
      tenant_id: bob.tenant_id,
      role: 'tenant-user',
      scope: 'catalog:read',
      token_type: 'Bearer',
      jti: id,
      iss: server.deps.installation.issuer,
      aud: server.deps.installation.issuer,
      iat: server.clock.nowMs / 1000,
      exp: (server.clock.nowMs + DAY_MS) / 1000,
    };
    const asBody = { token, client_id: etl.id, client_secret: etl.api_key };
    expect(await server.nobody.call(oauthApi.introspect, { body: asBody })).toMatchObject(expected);
    const headers = { authorization: basic(etl.id, etl.api_key) };
    expect(await server.nobody.call(oauthApi.introspect, { body: { token }, headers })).toMatchObject(expected);
    for (const caller of [etl.caller, eve.caller, server.owner]) {
      expect(
        await caller.call(oauthApi.introspect, { body: { token, token_type_hint: 'access_token' } }),
      ).toMatchObject(expected);
    }
  });

  test('is for nobody else', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const body = { token: bob.token };
    expect(await refusedBy(bob.caller, body, oauthApi.introspect)).toMatchObject({
      status: 403,
      error: 'unauthorized_client',
    });
    expect(await refusedBy(server.nobody, body, oauthApi.introspect)).toMatchObject({
      status: 401,
      error: 'invalid_client',
    });
    expect(await refusedBy(server.owner, {}, oauthApi.introspect)).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
    await bob.caller.call(tokensApi.revokeSelf);
    expect(await refusedBy(bob.caller, body, oauthApi.introspect)).toMatchObject({ status: 401 });
  });

  test('tells of any other token only that it is not active', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await insertSecondTenant(server);
    const revoked = await mint(server, server.owner);
    await revoked.caller.call(tokensApi.revokeSelf);
    const expired = await mint(server, server.owner, { expires_in_minutes: 1 });
    server.clock.advance(121_000);
    const theirs = await signTheirToken(server, other);
    expect(await standingOf(server.bearer(theirs))).toBe('ok');
    for (const token of [revoked.token, expired.token, theirs, 'nonsense', `${theirs}x`, 'pgl_x']) {
      expect(await etl.caller.call(oauthApi.introspect, { body: { token } })).toEqual({ active: false });
    }
    expect(await server.owner.call(oauthApi.introspect, { body: { token: theirs } })).toMatchObject({ active: true });
  });
});

describe('revocation (RFC 7009)', () => {
  test('ends a token for whoever holds it, and everything obtained with it, and records it', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    const child = await mint(server, token.caller);
    const outcome = await server.nobody.ask(oauthApi.revoke, {
      body: { token: token.token, token_type_hint: 'refresh_token' },
    });
    expect([outcome.status, outcome.text]).toEqual([200, '']);
    expect(await standingOf(token.caller)).toBe('token_revoked');
    expect(await standingOf(child.caller)).toBe('token_revoked');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'token.revoked',
      resource_id: token.id,
      credential_id: token.id,
    });
  });

  test('answers 200 for tokens that are unknown or ended already, and changes nothing', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await token.caller.call(tokensApi.revokeSelf);
    const before = (await readAuditChain(server)).length;
    for (const one of [token.token, 'nonsense', `${token.token.slice(0, -8)}AAAAAAAA`]) {
      await server.nobody.call(oauthApi.revoke, { body: { token: one } });
    }
    expect(await readAuditChain(server)).toHaveLength(before);
  });

  test('holds for a token that a limit refuses just now, also when the limit is raised again', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { expires_in_days: 300 });
    await server.owner.call(settingsApi.update, { body: { max_token_days: 100 } });
    await server.nobody.call(oauthApi.revoke, { body: { token: token.token } });
    await server.owner.call(settingsApi.update, { body: { max_token_days: 365 } });
    expect(await standingOf(token.caller)).toBe('token_revoked');
  });

  test('lets a client end its own tokens alone', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await createServiceUser(server, { name: 'other' });
    const token = await mint(server, etl.caller);
    const asked = (client_secret: string) => ({ token: token.token, client_secret });
    expect(await refusedBy(server.nobody, asked(other.api_key), oauthApi.revoke)).toMatchObject({ status: 400 });
    expect(await refusedBy(server.nobody, asked('wrong'), oauthApi.revoke)).toMatchObject({
      status: 401,
      error: 'invalid_client',
    });
    expect(await standingOf(token.caller)).toBe('ok');
    await server.nobody.call(oauthApi.revoke, { body: asked(etl.api_key) });
    expect(await standingOf(token.caller)).toBe('token_revoked');
  });

  test('does not end API keys, and says so', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    expect(await refusedBy(server.nobody, { token: etl.api_key }, oauthApi.revoke)).toMatchObject({
      status: 400,
      error: 'unsupported_token_type',
    });
    expect(await standingOf(etl.caller)).toBe('ok');
    expect(await refusedBy(server.nobody, {}, oauthApi.revoke)).toMatchObject({
      status: 400,
      error: 'invalid_request',
    });
    expect((await server.owner.call(serviceUsersApi.list))[0]?.keys).toHaveLength(1);
  });
});
