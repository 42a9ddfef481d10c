import { oauthApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createLoggedIn, createUser, mint, openTestServer, standingOf } from '../harness.ts';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

describe('a token exchanged for an access token', () => {
  test('cannot be kept alive past its own end, however often it is renewed', async () => {
    const server = await openTestServer();
    const su = await server.owner.call(serviceUsersApi.create, { body: { name: 'etl' } });
    const key = server.apiKey(su.api_key);
    const short = await key.call(tokensApi.create, { body: { expires_in_minutes: 15 } });
    let subject = short.token;
    const endMs = Date.parse(short.expires_at ?? '');
    for (let i = 0; i < 3; i += 1) {
      const renewed = await server.nobody.call(oauthApi.token, {
        body: { grant_type: EXCHANGE, subject_token: subject },
      });
      expect(server.clock.nowMs + renewed.expires_in * 1000).toBeLessThanOrEqual(endMs);
      subject = renewed.access_token;
      server.clock.nowMs += 4 * 60_000;
    }
    server.clock.nowMs = endMs;
    const late = { grant_type: EXCHANGE, subject_token: subject };
    expect((await server.nobody.ask(oauthApi.token, { body: late })).status).toBe(400);
  });
});

describe('an administrator', () => {
  test('who lost the role leaves no token behind that still has it', async () => {
    const server = await openTestServer();
    await createUser(server, 'carl', 'tenant-admin');
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const token = await mint(server, eve.caller);
    const forCarl = await mint(server, token.caller, { username: 'carl' });
    await server.owner.call(usersApi.update, { params: { id: eve.id }, body: { role: 'tenant-user' } });
    expect(await standingOf(forCarl.caller)).toBe('token_revoked');
  });

  test('does not end, nor mint for, who stands above', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const root = await createLoggedIn(server, 'ruth', 'root');
    const ofRoot = await mint(server, root.caller);
    const attempts = [
      await eve.caller.ask(tokensApi.revokeOfUser, { params: { id: root.id } }),
      await eve.caller.ask(tokensApi.revoke, { params: { jti: ofRoot.id } }),
      await eve.caller.ask(tokensApi.create, { body: { user_id: root.id } }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual([403, 403, 403]);
    expect(await standingOf(ofRoot.caller)).toBe('ok');
  });

  test('whose token was revoked while the request waited changes nothing any more', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const token = await mint(server, eve.caller);
    const { hash } = server.deps.passwords;
    server.deps.passwords.hash = async (password) => {
      const hashed = await hash(password);
      await server.owner.call(tokensApi.revoke, { params: { jti: token.id } });
      return hashed;
    };
    const refused = await token.caller.refused(usersApi.create, { body: { username: 'ghost' } });
    expect(refused).toMatchObject({ code: 'token_revoked' });
    expect(await server.owner.call(usersApi.list, { query: { username: 'ghost' } })).toEqual([]);
  });
});

describe('a stolen token', () => {
  test('that its thief rotated is ended by its old id', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const stolen = await mint(server, bob.caller);
    const once = await stolen.caller.call(tokensApi.rotate);
    const twice = await server.bearer(once.token).call(tokensApi.rotate);
    const { message } = await bob.caller.call(tokensApi.revoke, { params: { jti: stolen.id } });
    expect(message).toContain(twice.id);
    expect(await standingOf(server.bearer(twice.token))).toBe('token_revoked');
  });
});

describe('scopes', () => {
  test('that would make a token too long to be presented are refused when it is asked for', async () => {
    const server = await openTestServer();
    const scopes = Array.from({ length: 12 }, (_, i) => `catalog:read:${String(i).padEnd(390, 'x')}`);
    expect(await server.owner.refused(tokensApi.create, { body: { scopes } })).toMatchObject({
      code: 'policy_refused',
    });
  });

  test('hold no control characters', async () => {
    const server = await openTestServer();
    for (const scope of ['catalog:read:\u001b[2J', 'catalog:read:a b', 'catalog:read:\ud800']) {
      const refused = await server.owner.refused(tokensApi.create, { body: { scopes: [scope] } });
      expect(refused).toMatchObject({ code: 'invalid_request' });
    }
  });
});
