import { type AuditEvent, auditApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createRefusals, type Refusal } from '../../../packages/server/src/audit/refusals.ts';
import {
  createServiceUser,
  createUser,
  MINUTE_MS,
  mint,
  openTestServer,
  PASSWORD,
  type TestServer,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';
import { startTestServer } from '../start-test-server.ts';

const failures = (server: TestServer, query: Record<string, string> = {}): Promise<AuditEvent[]> =>
  server.owner.call(auditApi.list, { query: { result: 'failure', limit: 1000, ...query } });
const system = { chain: 'system' };

const logIn = (server: TestServer, body: object) => server.nobody.ask(usersApi.login, { body });

describe('a failed login', () => {
  test('is recorded in its tenant’s chain, alike ones of a minute together, and without what was typed', async () => {
    const server = await openTestServer();
    const { id } = await createUser(server, 'bob');
    for (let i = 0; i < 3; i += 1) {
      await logIn(server, { username: 'bob', password: 'wrong-password' });
      server.clock.advance(1_000);
    }
    const [event, ...rest] = await failures(server);
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      action: 'login.refused',
      result: 'failure',
      tenant_id: server.deps.installation.defaultTenantId,
      user_id: id,
      username: 'bob',
      resource_type: 'user',
      resource_id: id,
      credential_id: null,
      details: {
        code: 'login_failed',
        count: 3,
        first_at: '2026-11-22T12:00:00Z',
        last_at: '2026-11-22T12:00:02Z',
      },
    });
    expect(await failures(server, system)).toEqual([]);
  });

  test('under a name that nobody has does not record the name: it may be a password in the wrong field', async () => {
    const server = await openTestServer();
    await logIn(server, { username: 'correct-horse-battery', password: 'x' });
    await logIn(server, { username: 'another-secret', password: 'x' });
    const events = await failures(server);
    expect(events).toMatchObject([
      { action: 'login.refused', user_id: null, username: null, resource_name: null, details: { count: 2 } },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/horse|secret/);
  });

  test('in a tenant there is not is recorded for root, and makes no chain', async () => {
    const server = await openTestServer();
    await logIn(server, { username: 'bob', password: 'x', tenant_id: '01900000-0000-7000-8000-000000000000' });
    await logIn(server, { username: 'bob', password: 'x', tenant: 'nowhere' });
    expect(await failures(server)).toEqual([]);
    expect(await failures(server, system)).toMatchObject([{ action: 'login.refused', details: { count: 2 } }]);
    const chains = await server.deps.db.read.selectFrom('audit_chains').select('chain').execute();
    expect(chains).toEqual([{ chain: 'system' }]);
  });

  test('in another tenant is theirs to see, not the default tenant’s', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    await logIn(server, { username: 'grace', password: 'x', tenant_id: other.tenantId });
    expect(await failures(server)).toEqual([]);
    const headers = { 'x-pangolin-tenant': other.tenantId };
    const theirs = await server.owner.call(auditApi.list, { headers, query: { result: 'failure' } });
    expect(theirs).toMatchObject([{ action: 'login.refused', user_id: other.userId, tenant_id: other.tenantId }]);
  });
});

describe('a refused credential', () => {
  test('that nobody knows is recorded for root; one that was good once in its tenant’s chain, with whose it was', async () => {
    const server = await openTestServer();
    const bob = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, bob.caller);
    await server.owner.call(tokensApi.revoke, { params: { jti: token.id } });
    expect((await token.caller.ask(usersApi.me)).status).toBe(401);
    await server.bearer('rubbish').ask(usersApi.me);
    await server.apiKey('pgl_000000000000_rubbish').ask(usersApi.me);
    await server.nobody.ask(usersApi.me);
    expect(await failures(server)).toMatchObject([
      {
        action: 'credential.refused',
        user_id: bob.id,
        username: 'etl',
        credential_type: 'personal',
        credential_id: token.id,
        resource_id: token.id,
        details: { code: 'token_revoked', count: 1 },
      },
    ]);
    const unknown = await failures(server, system);
    expect(unknown.map(({ action, details }) => `${action} ${details.code}`).sort()).toEqual([
      'credential.refused api_key_invalid',
      'credential.refused credential_malformed',
      'request.refused authentication_required',
    ]);
    expect(JSON.stringify(unknown)).not.toContain('rubbish');
  });

  test('that has expired is its tenant’s, remembered or not', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { expires_in_minutes: 1 });
    expect((await token.caller.ask(usersApi.me)).status).toBe(200);
    server.clock.advance(3 * MINUTE_MS);
    const beside = await openTestServer({ beside: server });
    for (const one of [server, beside]) expect((await one.bearer(token.token).ask(usersApi.me)).status).toBe(401);
    for (const one of [server, beside]) {
      const [event] = await one.owner.call(auditApi.list, { query: { result: 'failure', limit: 1 } });
      expect(event).toMatchObject({
        action: 'credential.refused',
        credential_id: token.id,
        user_id: server.deps.installation.ownerId,
        details: { code: 'token_expired', count: 1 },
      });
    }
  });

  test('of an OAuth client is recorded, though the client is not told what was wrong', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    await server.owner.send('POST', `/api/v1/service-users/${etl.id}/rotate`, {
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    const asked = (secret: string) =>
      server.nobody.send('POST', '/oauth2/token', {
        body: new URLSearchParams({ grant_type: 'client_credentials', client_secret: secret }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    expect((await asked(etl.api_key)).json).toMatchObject({ error: 'invalid_client' });
    expect((await asked('rubbish')).json).toMatchObject({ error: 'invalid_client' });
    expect(await failures(server)).toMatchObject([{ action: 'credential.refused', username: 'etl' }]);
    expect(await failures(server, system)).toMatchObject([{ action: 'credential.refused', username: null }]);
  });
});

describe('a refused request', () => {
  test('of somebody known is recorded in their tenant’s chain, with what they asked for', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    for (const id of ['01900000-0000-7000-8000-000000000001', '01900000-0000-7000-8000-000000000002'])
      await etl.caller.ask(usersApi.get, { params: { id } });
    await server.owner.ask(tokensApi.create, { body: { expires_in_days: 1000 } });
    await server.owner.ask(tokensApi.create, { body: { expires_in_days: 0 } });
    await server.owner.ask(usersApi.get, { params: { id: '01900000-0000-7000-8000-000000000001' } });
    expect(await failures(server)).toMatchObject([
      {
        action: 'request.refused',
        username: 'ada',
        resource_name: 'POST /api/v1/tokens',
        details: { code: 'policy_refused' },
      },
      {
        action: 'request.refused',
        user_id: etl.id,
        username: 'etl',
        credential_type: 'api_key',
        resource_type: 'request',
        resource_name: 'GET /api/v1/users/{id}',
        details: { code: 'forbidden', count: 2 },
      },
    ]);
  });

  test('over a port is recorded with its address, also where it came under another host’s name', async () => {
    const served = await startTestServer();
    await served.exchange({ path: '/api/v1/users/me', headers: { authorization: 'Bearer x' } });
    await served.exchange({ headers: { host: 'evil.example' } });
    await served.close();
    const events = await failures(await openTestServer({ dataDir: served.dataDir }), system);
    expect(events.map(({ action, ip, details }) => [action, ip, details.code]).sort()).toEqual([
      ['credential.refused', '127.0.0.1', 'credential_malformed'],
      ['request.refused', '127.0.0.1', 'wrong_host'],
    ]);
  });
});

describe('what is recorded', () => {
  test('is recorded when its minute is over, and when the server closes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const server = await openTestServer();
    const rows = () =>
      server.deps.db.read.selectFrom('audit_events').select('action').where('result', '=', 'failure').execute();
    await server.bearer('rubbish').ask(usersApi.me);
    expect(await rows()).toEqual([]);
    server.clock.advance(MINUTE_MS);
    vi.advanceTimersByTime(MINUTE_MS);
    await vi.waitFor(async () => expect(await rows()).toHaveLength(1), 10_000);
    await server.bearer('rubbish').ask(usersApi.me);
    await server.close();
    const beside = await openTestServer({ beside: server });
    expect(await failures(beside, system)).toHaveLength(2);
  });

  test('of two minutes is two events', async () => {
    const server = await openTestServer();
    for (let i = 0; i < 3; i += 1) {
      await server.bearer('rubbish').ask(usersApi.me);
      server.clock.advance(MINUTE_MS / 2);
    }
    expect((await failures(server, system)).map(({ details }) => details.count)).toEqual([1, 2]);
  });

  test('is at most some hundred events a minute, whoever asks for them, and nothing goes uncounted', async () => {
    const server = await openTestServer();
    const { defaultTenantId } = server.deps.installation;
    const note = (chain: string, i: number) =>
      server.deps.refusals.note({
        chain,
        tenantId: defaultTenantId,
        code: i % 2 ? 'token_expired' : 'credential_malformed',
        event: { action: 'credential.refused', resourceType: 'credential', resourceId: null },
        by: {
          user_id: null,
          username: null,
          ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
          client: null,
          credential_type: null,
          credential_id: null,
          request_id: null,
        },
      });
    const ATTACK = 50_000;
    for (let round = 0; round < 4; round += 1) {
      for (let i = 0; i < ATTACK / 4; i += 1) note('system', round * ATTACK + i);
      await failures(server, system);
    }
    note(defaultTenantId, 1);
    server.clock.advance(MINUTE_MS);
    const events = await failures(server, system);
    expect(events.length).toBeLessThan(400);
    expect(events.reduce((sum, { details }) => sum + Number(details.count), 0)).toBe(ATTACK);
    const others = events.filter(({ details }) => details.code === 'other');
    expect(others[0]).toMatchObject({ action: 'request.refused', ip: null, details: { codes: expect.any(Object) } });
    expect(await failures(server)).toMatchObject([{ ip: '10.0.0.1', details: { code: 'token_expired', count: 1 } }]);
    expect(await server.owner.call(auditApi.verify, { query: system })).toMatchObject({ valid: true });
  });

  test('is not lost by a database that takes nothing for a while', async () => {
    const server = await openTestServer();
    let isDown = true;
    const db = {
      ...server.deps.db,
      transact: ((...args: Parameters<typeof server.deps.db.transact>) =>
        isDown
          ? Promise.reject(new Error('down'))
          : server.deps.db.transact(...args)) as typeof server.deps.db.transact,
    };
    const recorded = async () =>
      (await server.deps.db.read.selectFrom('audit_events').select('id').where('result', '=', 'failure').execute())
        .length;
    const refusals = createRefusals({ ...server.deps, db });
    const refusal: Refusal = {
      chain: 'system',
      tenantId: server.deps.installation.defaultTenantId,
      code: 'forbidden',
      event: { action: 'request.refused', resourceType: 'request', resourceId: null },
      by: {
        user_id: null,
        username: null,
        ip: null,
        client: null,
        credential_type: null,
        credential_id: null,
        request_id: null,
      },
    };
    refusals.note(refusal);
    await refusals.flush();
    isDown = false;
    await refusals.close();
    expect(await failures(server, system)).toHaveLength(1);
    // By itself as well, though nobody is refused any more.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    isDown = true;
    const later = createRefusals({ ...server.deps, db });
    later.note(refusal);
    server.clock.advance(MINUTE_MS);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(await recorded()).toBe(1);
    isDown = false;
    server.clock.advance(MINUTE_MS);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    await vi.waitFor(async () => expect(await recorded()).toBe(2), 10_000);
  });
});

test('a request that is granted, or fails otherwise, is not recorded as refused', async () => {
  const server = await openTestServer();
  await createUser(server, 'bob');
  await logIn(server, { username: 'bob', password: PASSWORD });
  await server.owner.send('GET', '/api/v1/nowhere');
  await server.owner.ask(usersApi.create, { body: { username: 'bob', password: PASSWORD, role: 'tenant-user' } });
  await server.owner.send('PATCH', '/api/v1/users');
  expect(await failures(server)).toEqual([]);
  expect(await failures(server, system)).toEqual([]);
});
