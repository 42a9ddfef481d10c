import { oauthApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  mint,
  openTestServer,
  standingOf,
  type TestServer,
} from '../harness.ts';
import { ACCESS_TOKEN, refusedBy, TOKEN_EXCHANGE } from './ask-oauth.ts';

const asking = (subject_token: string, more: Record<string, string> = {}) => ({
  grant_type: TOKEN_EXCHANGE,
  subject_token,
  subject_token_type: ACCESS_TOKEN,
  ...more,
});

async function exchange(server: TestServer, subject: string, more: Record<string, string> = {}) {
  const answer = await server.nobody.call(oauthApi.token, { body: asking(subject, more) });
  return { ...answer, caller: server.bearer(answer.access_token) };
}

const obtain = async (server: TestServer, client_secret: string) =>
  (await server.nobody.call(oauthApi.token, { body: { grant_type: 'client_credentials', client_secret } }))
    .access_token;

describe('token exchange', () => {
  test('renews an own token that is still valid, and records it', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { scopes: ['catalog'], roles: ['tenant-admin'] });
    server.clock.advance(DAY_MS);
    const renewed = await exchange(server, token.token);
    expect(renewed).toMatchObject({ expires_in: 3600, scope: 'catalog:read catalog:write' });
    const me = await renewed.caller.call(usersApi.me);
    expect(me).toMatchObject({ role: 'tenant-admin', credential: { scopes: ['catalog:read', 'catalog:write'] } });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'token.created',
      credential_id: token.id,
      resource_id: me.credential.id,
      details: { grant: 'token_exchange' },
    });
  });

  test('can be repeated for as long as the root lives, and never past it', async () => {
    const server = await openTestServer();
    const root = await mint(server, server.owner, { expires_in_hours: 2 });
    let subject = root.token;
    for (const [minutes, expected] of [
      [0, 3600],
      [30, 3600],
      [30, 3600],
      [30, 1800],
      [15, 900],
    ] as const) {
      server.clock.advance(minutes * MINUTE_MS);
      const renewed = await exchange(server, subject);
      expect(renewed.expires_in).toBe(expected);
      subject = renewed.access_token;
    }
    server.clock.nowMs = Date.parse(root.expires_at ?? '') + 30_000;
    expect(await refusedBy(server.nobody, asking(subject))).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('ends 24 hours after an interactive login, also when the login was rotated', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    server.clock.advance(HOUR_MS);
    const rotated = await bob.caller.call(tokensApi.rotate);
    let subject = rotated.token;
    for (let i = 0; i < 45; i += 1) {
      server.clock.advance(30 * MINUTE_MS);
      subject = (await exchange(server, subject)).access_token;
    }
    expect(server.clock.nowMs).toBe(Date.parse('2026-11-23T11:30:00Z'));
    expect((await exchange(server, subject)).expires_in).toBe(1800);
    server.clock.advance(30 * MINUTE_MS);
    expect(await refusedBy(server.nobody, asking(subject))).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('of an expired token takes client authentication, by that same client', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await createServiceUser(server, { name: 'other' });
    const access = await obtain(server, etl.api_key);
    server.clock.advance(3 * HOUR_MS);
    expect(await refusedBy(server.nobody, asking(access))).toMatchObject({ status: 400, error: 'invalid_grant' });
    const wrong = asking(access, { client_id: other.id, client_secret: other.api_key });
    expect(await refusedBy(server.nobody, wrong)).toMatchObject({ status: 400, error: 'invalid_grant' });
    const renewed = await exchange(server, access, { client_id: etl.id, client_secret: etl.api_key });
    expect(await standingOf(renewed.caller)).toBe('ok');
  });

  test('of another client’s token is refused even while it is valid', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await createServiceUser(server, { name: 'other' });
    const body = asking(await obtain(server, etl.api_key), { client_secret: other.api_key });
    expect(await refusedBy(server.nobody, body)).toMatchObject({ status: 400, error: 'invalid_grant' });
  });

  test('is refused when the root has stopped, also with client authentication', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const access = await obtain(server, etl.api_key);
    const { api_key } = await server.owner.call(serviceUsersApi.rotate, { params: { id: etl.id } });
    for (const more of [{}, { client_secret: api_key }] as Record<string, string>[]) {
      expect(await refusedBy(server.nobody, asking(access, more))).toMatchObject({
        status: 400,
        error: 'invalid_grant',
      });
    }
    server.clock.advance(2 * HOUR_MS);
    expect(await refusedBy(server.nobody, asking(access, { client_secret: api_key }))).toMatchObject({
      error: 'invalid_grant',
    });
  });

  test('never widens scopes', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { scopes: ['catalog:read'] });
    expect((await exchange(server, token.token, { scope: 'catalog:read:a' })).scope).toBe('catalog:read:a');
    for (const scope of ['catalog:write', 'tokens:write']) {
      expect(await refusedBy(server.nobody, asking(token.token, { scope }))).toMatchObject({
        status: 400,
        error: 'invalid_scope',
      });
    }
  });

  test('refuses what it does not do, and strangers’ tokens', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    const { token } = await mint(server, server.owner);
    const codeOf = async (body: Record<string, string>) => (await refusedBy(server.nobody, body)).error;
    expect(await codeOf(asking(token, { subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }))).toBe(
      'invalid_request',
    );
    expect(
      await codeOf(asking(token, { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' })),
    ).toBe('invalid_request');
    expect(await codeOf(asking(token, { actor_token: token }))).toBe('invalid_request');
    expect(await codeOf(asking(etl.api_key))).toBe('invalid_request');
    expect(await codeOf(asking('nonsense'))).toBe('invalid_grant');
    expect(await codeOf(asking(`${token.slice(0, -8)}AAAAAAAA`))).toBe('invalid_grant');
    const elsewhere = await openTestServer();
    expect(await codeOf(asking((await mint(elsewhere, elsewhere.owner)).token))).toBe('invalid_grant');
  });
});
