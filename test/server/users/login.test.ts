import { settingsApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  HOUR_MS,
  logIn,
  openTestServer,
  PASSWORD,
  standingOf,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

describe('logging in', () => {
  test('answers a session of 12 hours and records it', async () => {
    const server = await openTestServer();
    const { id, tenant_id } = await createUser(server, 'bob');
    const answer = await server.nobody.call(usersApi.login, {
      body: { username: 'bob', password: PASSWORD, 'tenant-id': null },
      headers: { 'user-agent': 'test/1.0' },
    });
    expect(answer).toMatchObject({
      expires_at: '2026-11-23T00:00:00Z',
      user: { id, username: 'bob', email: null, role: 'tenant-user', tenant_id },
    });
    const me = await server.bearer(answer.token).call(usersApi.me);
    expect(me.credential.type).toBe('session');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'user.logged_in',
      user_id: id,
      username: 'bob',
      client: 'test/1.0',
      credential_type: 'session',
      credential_id: me.credential.id,
    });
    expect((await server.owner.call(usersApi.get, { params: { id } })).last_login_at).toBe('2026-11-22T12:00:00Z');
  });

  test('lives as long as the settings say', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    await server.owner.call(settingsApi.update, { body: { session_hours: 2 } });
    const { caller, expires_at } = await logIn(server, 'bob');
    expect(expires_at).toBe('2026-11-22T14:00:00Z');
    server.clock.advance(2 * HOUR_MS + 60_000);
    expect(await standingOf(caller)).toBe('token_expired');
  });

  test('fails alike for a wrong password, an unknown name, the owner, a service user and another tenant', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    await createUser(server, 'bob');
    await createServiceUser(server, { name: 'bot' });
    for (const body of [
      { username: 'bob', password: 'wrong-password' },
      { username: 'Bob', password: PASSWORD },
      { username: 'nobody', password: PASSWORD },
      { username: 'ada', password: PASSWORD },
      { username: 'bot', password: PASSWORD },
      { username: 'bob', password: PASSWORD, tenant_id: other.tenantId },
      { username: 'grace', password: PASSWORD, tenant_id: other.tenantId },
    ]) {
      const { request_id, ...problem } = await server.nobody.refused(usersApi.login, { body });
      expect(problem).toMatchObject({ status: 401, code: 'login_failed', detail: 'Username or password is wrong.' });
      expect(JSON.stringify(problem)).not.toContain(body.password);
    }
  });

  test('does the same work for an unknown name', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const verified: (string | null)[] = [];
    const { verify } = server.deps.passwords;
    server.deps.passwords.verify = (hash, password, address) => {
      verified.push(hash);
      return verify(hash, password, address);
    };
    const measure = async (username: string) => {
      const spent = [];
      for (let i = 0; i < 4; i += 1) {
        const start = process.cpuUsage();
        await server.nobody.ask(usersApi.login, { body: { username, password: 'wrong-password' } });
        // Of this process, whatever else the machine has to do.
        const { user, system } = process.cpuUsage(start);
        spent.push(user + system);
      }
      return Math.min(...spent);
    };
    const [known, unknown] = [await measure('bob'), await measure('nobody')];
    expect(verified.map((hash) => hash === null)).toEqual([false, false, false, false, true, true, true, true]);
    expect(unknown).toBeGreaterThan(known / 3);
    expect(unknown).toBeLessThan(known * 3);
  });

  test('refuses what is invalid, by the name of the field', async () => {
    const server = await openTestServer();
    for (const [field, value] of [
      ['username', ''],
      ['username', 7],
      ['password', ''],
      ['password', 'x'.repeat(1025)],
      ['tenant_id', 'default'],
      ['tenant-id', 'default'],
      ['otp', '123456'],
    ] as const) {
      const body = { username: 'bob', password: PASSWORD, [field]: value };
      expect(await server.nobody.refused(usersApi.login, { body })).toMatchObject({ status: 400, errors: [{ field }] });
    }
  });

  test('is refused when the password was reset between the check and the session', async () => {
    const server = await openTestServer();
    const { id } = await createUser(server, 'bob');
    const { verify } = server.deps.passwords;
    server.deps.passwords.verify = async (...given) => {
      const isRight = await verify(...given);
      await server.owner.call(usersApi.resetPassword, { params: { id } });
      return isRight;
    };
    expect(
      await server.nobody.refused(usersApi.login, { body: { username: 'bob', password: PASSWORD } }),
    ).toMatchObject({
      status: 401,
      code: 'login_failed',
    });
  });
});

describe('wrong passwords', () => {
  test('slow their sender down, are told 429 after many, and never keep the right password out', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const attempt = (password: string) => server.nobody.ask(usersApi.login, { body: { username: 'bob', password } });
    const statuses = [];
    for (let i = 0; i < 12; i += 1) statuses.push((await attempt('wrong-password')).status);
    expect(statuses).toEqual([...Array(9).fill(401), 429, 429, 429]);
    expect(server.delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
    const told = await attempt('wrong-password');
    expect(Number(told.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(told.json).toMatchObject({ code: 'too_many_requests' });
    expect((await attempt(PASSWORD)).status).toBe(200);
    expect((await attempt('wrong-password')).status).toBe(401);
  });

  test('for one account do not slow down another', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    await createUser(server, 'carol');
    for (let i = 0; i < 6; i += 1) {
      await server.nobody.ask(usersApi.login, { body: { username: 'bob', password: 'wrong-password' } });
    }
    server.delays.length = 0;
    await logIn(server, 'carol');
    expect(server.delays).toEqual([]);
  });
});

describe('logging out', () => {
  test('ends the session and records it, with or without a body', async () => {
    const server = await openTestServer();
    for (const asked of [{}, { body: {} }]) {
      const { caller, id } = await createLoggedIn(server, `bob-${Object.keys(asked).length}`);
      await caller.call(usersApi.logout, asked);
      expect(await standingOf(caller)).toBe('token_revoked');
      expect(await readLastAudit(server)).toMatchObject({
        action: 'token.revoked',
        user_id: id,
        details: { reason: 'logged out' },
      });
    }
  });

  test('ends this session alone', async () => {
    const server = await openTestServer();
    const first = await createLoggedIn(server, 'bob');
    const second = await logIn(server, 'bob');
    await first.caller.call(usersApi.logout);
    expect(await standingOf(second.caller)).toBe('ok');
  });
});
