import { oauthApi, serviceUsersApi, settingsApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  HOUR_MS,
  mint,
  openTestServer,
  standingOf,
  type TestCaller,
  type TestServer,
} from '../harness.ts';

const exchange = async (server: TestServer, subject_token: string) => {
  const body = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  return server.bearer((await server.nobody.call(oauthApi.token, { body })).access_token);
};

/** Mints with each token the next. */
async function mintChain(server: TestServer, first: TestCaller, length: number) {
  const chain = [await mint(server, first)];
  for (let i = 1; i < length; i += 1) chain.push(await mint(server, chain[i - 1]?.caller ?? first));
  return chain;
}

const standings = (callers: readonly { caller: TestCaller }[]) =>
  Promise.all(callers.map(({ caller }) => standingOf(caller)));

describe('when a token stops', () => {
  test('everything that was minted with it stops, down the generations, and nothing above it', async () => {
    const server = await openTestServer();
    const chain = await mintChain(server, server.owner, 6);
    expect(await standings(chain)).toEqual(Array(6).fill('ok'));
    await server.owner.call(tokensApi.revoke, { params: { jti: chain[2]?.id ?? '' } });
    expect(await standings(chain)).toEqual([...Array(2).fill('ok'), ...Array(4).fill('token_revoked')]);
    await server.owner.call(tokensApi.revoke, { params: { jti: chain[0]?.id ?? '' } });
    expect(await standings(chain)).toEqual(Array(6).fill('token_revoked'));
  });

  test('what was exchanged from it stops too', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    const access = await exchange(server, token.token);
    const minted = await mint(server, access);
    expect(await standings([{ caller: access }, minted])).toEqual(['ok', 'ok']);
    await token.caller.call(tokensApi.revokeSelf);
    expect(await standings([{ caller: access }, minted])).toEqual(['token_revoked', 'token_revoked']);
  });

  test('a token that an administrator minted with it for somebody else stops', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const admin = await mint(server, server.owner, { roles: ['tenant-admin'] });
    const forBob = await mint(server, admin.caller, { username: 'bob' });
    await admin.caller.call(tokensApi.revokeSelf);
    expect(await standingOf(forBob.caller)).toBe('token_revoked');
  });
});

describe('when a login ends', () => {
  test('what was exchanged from it stops, and the tokens minted in it live on', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const access = await exchange(server, bob.token);
    const mintedWithAccess = await mint(server, access);
    const token = await mint(server, bob.caller);
    await bob.caller.call(usersApi.logout);
    expect(await standingOf(bob.caller)).toBe('token_revoked');
    expect(await standingOf(access)).toBe('token_revoked');
    expect(await standingOf(mintedWithAccess.caller)).toBe('token_revoked');
    expect(await standingOf(token.caller)).toBe('ok');
  });
});

describe('when everything of a principal is revoked, or the principal is deactivated or deleted', () => {
  const endings = {
    revoked: (server: TestServer, id: string) => server.owner.call(tokensApi.revokeOfUser, { params: { id } }),
    deactivated: (server: TestServer, id: string) =>
      server.owner.call(usersApi.update, { params: { id }, body: { active: false } }),
    'given a new password': (server: TestServer, id: string) =>
      server.owner.call(usersApi.resetPassword, { params: { id } }),
    deleted: (server: TestServer, id: string) => server.owner.call(usersApi.delete, { params: { id } }),
  };

  test.each(Object.entries(endings))('tokens minted with its tokens for others stop: %s', async (_, end) => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    await createUser(server, 'carl', 'tenant-admin');
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const token = await mint(server, eve.caller);
    const forBob = await mint(server, token.caller, { username: 'bob' });
    const ofBob = await mint(server, forBob.caller);
    const inSession = await mint(server, eve.caller, { username: 'bob' });
    await end(server, eve.id);
    expect(await standingOf(token.caller)).not.toBe('ok');
    expect(await standings([forBob, ofBob])).toEqual(['token_revoked', 'token_revoked']);
    expect(await standingOf(inSession.caller)).toBe('ok');
  });

  test('so do those further down, whoever is in between', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const carl = await createUser(server, 'carl', 'tenant-admin');
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const token = await mint(server, eve.caller);
    const forCarl = await mint(server, token.caller, { username: 'carl' });
    const forBob = await mint(server, forCarl.caller, { username: 'bob' });
    await server.owner.call(usersApi.update, { params: { id: carl.id }, body: { active: false } });
    expect(await standingOf(token.caller)).toBe('ok');
    expect(await standingOf(forBob.caller)).toBe('token_revoked');
  });

  test('tokens that a service user minted with its key for others stop with the key', async () => {
    for (const end of [
      (server: TestServer, id: string) =>
        server.owner.call(serviceUsersApi.update, { params: { id }, body: { active: false } }),
      (server: TestServer, id: string) => server.owner.call(tokensApi.revokeOfUser, { params: { id } }),
      (server: TestServer, id: string) => server.owner.call(serviceUsersApi.delete, { params: { id } }),
      (server: TestServer, id: string) => server.owner.call(serviceUsersApi.rotate, { params: { id } }),
    ]) {
      const server = await openTestServer();
      await createUser(server, 'bob');
      const bot = await createServiceUser(server, { name: 'bot', role: 'tenant-admin' });
      const forBob = await mint(server, bot.caller, { username: 'bob' });
      expect(await standingOf(forBob.caller)).toBe('ok');
      await end(server, bot.id);
      expect(await standingOf(bot.caller)).not.toBe('ok');
      expect(await standingOf(forBob.caller)).toBe('token_revoked');
    }
  });

  test('and with the end of the service user, also one that was brought forward', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const bot = await createServiceUser(server, { name: 'bot', role: 'tenant-admin' });
    const forBob = await mint(server, bot.caller, { username: 'bob' });
    const params = { id: bot.id };
    await server.owner.call(serviceUsersApi.update, { params, body: { expires_at: '2026-11-22T13:00:00Z' } });
    expect(await standingOf(forBob.caller)).toBe('ok');
    server.clock.advance(HOUR_MS);
    expect(await standingOf(bot.caller)).toBe('api_key_expired');
    expect(await standingOf(forBob.caller)).not.toBe('ok');
  });
});

describe('when a lowered limit refuses a token', () => {
  test('what was minted with it is refused as well, however short it lives', async () => {
    const server = await openTestServer();
    const long = await mint(server, server.owner, { expires_in_days: 300 });
    server.clock.advance(1_000);
    const short = await mint(server, long.caller, { expires_in_days: 5 });
    server.clock.advance(1_000);
    const alone = await mint(server, server.owner, { expires_in_days: 5 });
    await server.owner.call(settingsApi.update, { body: { max_token_days: 30, default_token_days: 30 } });
    expect(await standings([long, short, alone])).toEqual(['token_lifetime_refused', 'token_lifetime_refused', 'ok']);
    const listed = await server.owner.call(tokensApi.listOwn);
    expect(listed.map((one) => [one.id, one.is_valid])).toEqual([
      [alone.id, true],
      [short.id, false],
      [long.id, false],
    ]);
  });

  test('what was exchanged from a login that is refused is refused as well', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const access = await exchange(server, bob.token);
    await server.owner.call(settingsApi.update, { body: { session_hours: 1 } });
    expect(await standingOf(bob.caller)).toBe('token_lifetime_refused');
    expect(await standingOf(access)).toBe('token_lifetime_refused');
  });
});
