import { serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createLoggedIn, createServiceUser, mint, openTestServer, standingOf } from '../harness.ts';

describe('a credential that was verified before', () => {
  test('is answered from memory as long as nothing can have changed', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await standingOf(token.caller);
    let reads = 0;
    const { findTokenState } = server.deps.credentials;
    server.deps.credentials.findTokenState = (id) => {
      reads += 1;
      return findTokenState(id);
    };
    for (let i = 0; i < 10; i += 1) expect(await standingOf(token.caller)).toBe('ok');
    expect(reads).toBe(0);
    await mint(server, server.owner);
    expect(await standingOf(token.caller)).toBe('ok');
    expect(reads).toBe(0);
  });

  test('is judged anew after every change that can end or narrow it, made here or by another process', async () => {
    const server = await openTestServer();
    const beside = await openTestServer({ beside: server });
    const bob = await createLoggedIn(server, 'bob');
    const bot = await createServiceUser(server, { name: 'bot', role: 'tenant-admin' });
    const both = [server, beside];
    for (const by of both) {
      const at = both.find((one) => one !== by) ?? server;
      const user = { params: { id: bob.id } };
      const bearer = (token: string) => both.map((one) => one.bearer(token));
      const [first, second] = [
        await mint(at, at.owner, { username: 'bob' }),
        await mint(at, at.owner, { user_id: bot.id }),
      ];
      for (const caller of [...bearer(first.token), ...bearer(second.token)])
        expect(await standingOf(caller)).toBe('ok');
      await by.owner.call(usersApi.update, { ...user, body: { active: false } });
      for (const caller of bearer(first.token)) expect(await standingOf(caller)).toBe('principal_inactive');
      await by.owner.call(usersApi.update, { ...user, body: { active: true } });
      for (const caller of bearer(first.token)) expect(await standingOf(caller)).toBe('token_revoked');
      await by.owner.call(tokensApi.revoke, { params: { jti: second.id } });
      for (const caller of bearer(second.token)) expect(await standingOf(caller)).toBe('token_revoked');
      const { api_key } = await by.owner.call(serviceUsersApi.rotate, { params: { id: bot.id } });
      for (const one of both) expect(await standingOf(one.apiKey(api_key))).toBe('ok');
      await at.owner.call(serviceUsersApi.rotate, { params: { id: bot.id } });
      for (const one of both) expect(await standingOf(one.apiKey(api_key))).toBe('api_key_revoked');
    }
  });

  test('still expires', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { expires_in_minutes: 1 });
    expect(await standingOf(token.caller)).toBe('ok');
    server.clock.advance(120_000);
    expect(await standingOf(token.caller)).toBe('token_expired');
  });

  test('is not let through on a guess: if the database cannot answer, it is 503', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    const bot = await createServiceUser(server, { name: 'bot' });
    const fresh = await mint(server, server.owner);
    expect(await standingOf(token.caller)).toBe('ok');
    expect(await standingOf(bot.caller)).toBe('ok');
    await server.close();
    for (const caller of [token.caller, bot.caller, fresh.caller]) {
      const { status, json } = await caller.ask(usersApi.me);
      expect({ status, code: (json as { code: string }).code }).toEqual({ status: 503, code: 'unavailable' });
    }
    expect((await server.nobody.send('GET', '/health/ready')).status).toBe(503);
    expect((await server.nobody.send('GET', '/health')).status).toBe(200);
  });

  test('is not let through either when only its row cannot be read', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    server.deps.credentials.findTokenState = () =>
      Promise.reject(Object.assign(new Error('disk I/O error'), { errcode: 10 }));
    const { status, json } = await token.caller.ask(usersApi.me);
    expect({ status, code: (json as { code: string }).code }).toEqual({ status: 503, code: 'storage_damaged' });
  });
});
