import { oauthApi, settingsApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  mint,
  openTestServer,
  standingOf,
  type TestServer,
} from '../harness.ts';
import { TOKEN_EXCHANGE } from '../oauth/ask-oauth.ts';

const NEVER = { expires_at: null };

async function openAllowing(): Promise<TestServer> {
  const server = await openTestServer();
  await server.owner.call(settingsApi.update, { body: { allow_non_expiring_tokens: true } });
  return server;
}

const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

describe('a token without expiry', () => {
  test('is refused with 422 unless the policy allows it', async () => {
    const server = await openTestServer();
    const problem = await server.owner.refused(tokensApi.create, { body: NEVER });
    expect(problem).toMatchObject({ status: 422, code: 'policy_refused', hint: expect.stringContaining('365') });
    expect((await server.owner.refused(tokensApi.create, { body: { expires_at: '9999-12-31T23:59:59Z' } })).code).toBe(
      'policy_refused',
    );
  });

  test('has no exp, is shown with null, and is good after the maximum of all others', async () => {
    const server = await openAllowing();
    const token = await mint(server, server.owner, NEVER);
    expect(token).toMatchObject({ expires_at: null, expiry_source: 'requested' });
    expect(await readLastAudit(server)).toMatchObject({ action: 'token.created', details: { expires_at: null } });
    expect(claimsOf(token.token)).not.toHaveProperty('exp');
    expect((await mint(server, server.owner)).expires_at).toBe('2027-02-20T12:00:00Z');
    server.clock.advance(4000 * DAY_MS);
    const me = await token.caller.ask(usersApi.me);
    expect(me.json).toMatchObject({ credential: { expires_at: null } });
    expect(me.headers.get('pangolin-token-expires')).toBeNull();
    expect(await token.caller.call(tokensApi.getSelf)).toMatchObject({ expires_at: null, is_valid: true });
    const valid = await token.caller.call(tokensApi.listOwn, { query: { status: 'valid' } });
    expect(valid.map((one) => one.id)).toEqual([token.id]);
    const asking = await createServiceUser(server, { name: 'gate' });
    const body = { token: token.token };
    const seen = await asking.caller.call(oauthApi.introspect, { body });
    expect(seen).toMatchObject({ active: true, jti: token.id });
    expect(seen).not.toHaveProperty('exp');
  });

  test('is refused the moment the policy no longer allows it, with what was obtained with it', async () => {
    const server = await openAllowing();
    const token = await mint(server, server.owner, NEVER);
    const child = await mint(server, token.caller, { expires_in_hours: 1 });
    const other = await mint(server, server.owner);
    expect(await standingOf(token.caller)).toBe('ok');
    const off = { allow_non_expiring_tokens: false };
    const dry = await server.owner.call(settingsApi.update, { body: off, query: { dry_run: 'true' } });
    expect(dry.affected_count).toBe(2);
    expect(dry.affected_tokens).toContainEqual(expect.objectContaining({ id: token.id, expires_at: null }));
    await server.owner.call(settingsApi.update, { body: off });
    for (const one of [token, child]) expect(await standingOf(one.caller)).toBe('token_lifetime_refused');
    expect(await standingOf(other.caller)).toBe('ok');
    const listed = await server.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(listed).toMatchObject({ is_valid: false, expires_at: null });
  });

  test('is nothing for a role that has a maximum of its own', async () => {
    const server = await openAllowing();
    const body = { role_limits: { 'tenant-admin': { max_token_days: 300 } } };
    const admin = await mint(server, server.owner, { ...NEVER, roles: ['tenant-admin'] });
    await server.owner.call(settingsApi.update, { body });
    expect(await standingOf(admin.caller)).toBe('token_lifetime_refused');
    const asked = { body: { ...NEVER, roles: ['tenant-admin'] } };
    expect((await server.owner.refused(tokensApi.create, asked)).detail).toContain('300 days');
    expect(await standingOf((await mint(server, server.owner, NEVER)).caller)).toBe('ok');
  });

  test('never outlives what it is minted with', async () => {
    const server = await openAllowing();
    const parent = await mint(server, server.owner, { expires_in_days: 5 });
    expect(await parent.caller.refused(tokensApi.create, { body: NEVER })).toMatchObject({ code: 'policy_refused' });
    const etl = await createServiceUser(server, { name: 'etl', expires_in_days: 5 });
    expect(await etl.caller.refused(tokensApi.create, { body: NEVER })).toMatchObject({ code: 'policy_refused' });
    const endless = await mint(server, server.owner, NEVER);
    expect((await mint(server, endless.caller, NEVER)).expires_at).toBeNull();
    expect((await mint(server, endless.caller)).expires_at).toBe('2027-02-20T12:00:00Z');
    const bob = await createLoggedIn(server, 'bob');
    expect((await mint(server, bob.caller, NEVER)).expires_at).toBeNull();
  });

  test('is rotated to another without expiry, and exchanged for access tokens of an hour', async () => {
    const server = await openAllowing();
    const token = await mint(server, server.owner, NEVER);
    const rotated = await token.caller.call(tokensApi.rotate);
    expect(rotated.expires_at).toBeNull();
    expect(await standingOf(token.caller)).toBe('token_revoked');
    server.clock.advance(1000 * DAY_MS);
    const body = { grant_type: TOKEN_EXCHANGE, subject_token: rotated.token };
    const access = await server.nobody.call(oauthApi.token, { body });
    expect(access.expires_in).toBe(3600);
    const again = await server.nobody.call(oauthApi.token, {
      body: { grant_type: TOKEN_EXCHANGE, subject_token: access.access_token },
    });
    expect(await standingOf(server.bearer(again.access_token))).toBe('ok');
    await server.owner.call(tokensApi.delete, { params: { id: rotated.id } });
    expect(await standingOf(server.bearer(again.access_token))).toBe('token_revoked');
  });

  test('counts among the tokens somebody may have', async () => {
    const server = await openAllowing();
    await server.owner.call(settingsApi.update, { body: { max_tokens_per_user: 1 } });
    await mint(server, server.owner, NEVER);
    server.clock.advance(4000 * DAY_MS);
    expect(await server.owner.refused(tokensApi.create, { body: {} })).toMatchObject({ code: 'policy_refused' });
  });

  test('is no way to drop the expiry of another: a token without exp takes a row that says so', async () => {
    const server = await openAllowing();
    const token = await mint(server, server.owner, { expires_in_days: 1 });
    const { exp: _, ...claims } = claimsOf(token.token);
    const { jws } = await server.deps.signingKeys.sign(claims);
    expect(await standingOf(server.bearer(jws))).toBe('credential_malformed');
  });
});
