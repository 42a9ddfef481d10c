import { settingsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import { createLoggedIn, createServiceUser, DAY_MS, mint, openTestServer, standingOf } from '../harness.ts';

describe('POST /api/v1/tokens/rotate', () => {
  test('answers a new token with the same name, scopes, role and end, and stops the old one with it', async () => {
    const server = await openTestServer();
    const old = await mint(server, server.owner, {
      name: 'ci',
      description: 'nightly',
      scopes: ['tokens:write', 'catalog:read'],
      roles: ['tenant-admin'],
      expires_in_days: 30,
    });
    server.clock.advance(DAY_MS);
    const { token, ...renewed } = await old.caller.call(tokensApi.rotate);
    expect(renewed).toMatchObject({
      name: 'ci',
      description: 'nightly',
      role: 'tenant-admin',
      scopes: ['catalog:read', 'tokens:write'],
      expires_at: old.expires_at,
    });
    expect(renewed.id).not.toBe(old.id);
    expect(await standingOf(old.caller)).toBe('token_revoked');
    expect(await standingOf(server.bearer(token))).toBe('ok');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'token.rotated',
      resource_id: old.id,
      credential_id: old.id,
      details: { new_token_id: renewed.id },
    });
  });

  test('stops what was minted with the old token', async () => {
    const server = await openTestServer();
    const old = await mint(server, server.owner);
    const child = await mint(server, old.caller);
    await old.caller.call(tokensApi.rotate);
    expect(await standingOf(child.caller)).toBe('token_revoked');
  });

  test('keeps the bond to what the old token came from', async () => {
    const server = await openTestServer();
    const parent = await mint(server, server.owner);
    const child = await mint(server, parent.caller);
    const renewed = await child.caller.call(tokensApi.rotate);
    await parent.caller.call(tokensApi.revokeSelf);
    expect(await standingOf(server.bearer(renewed.token))).toBe('token_revoked');
  });

  test('of two at once leaves one new token that works', async () => {
    const server = await openTestServer();
    const old = await mint(server, server.owner);
    const outcomes = await Promise.all([old.caller.ask(tokensApi.rotate), old.caller.ask(tokensApi.rotate)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual([200, 401]);
    const listed = await server.owner.call(tokensApi.listOwn, { query: { status: 'valid' } });
    expect(listed).toHaveLength(1);
  });

  test('does not count as one more token', async () => {
    const server = await openTestServer();
    await server.owner.call(settingsApi.update, { body: { max_tokens_per_user: 1 } });
    const old = await mint(server, server.owner);
    await old.caller.call(tokensApi.rotate);
  });

  test('is for tokens, with the scope tokens:write', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    expect(await etl.caller.refused(tokensApi.rotate)).toMatchObject({ status: 400, code: 'invalid_request' });
    const narrow = await mint(server, server.owner, { scopes: ['tokens:read'] });
    expect(await narrow.caller.refused(tokensApi.rotate)).toMatchObject({ status: 403, code: 'insufficient_scope' });
    expect(await standingOf(narrow.caller)).toBe('ok');
  });

  test('does not lengthen a login', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    server.clock.advance(3_600_000);
    const renewed = await bob.caller.call(tokensApi.rotate);
    expect(renewed.expires_at).toBe(bob.expires_at);
    expect(await standingOf(bob.caller)).toBe('token_revoked');
  });
});
