import { auditApi, policiesApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  mint,
  openTestServer,
  type TestServer,
  UNKNOWN_ID,
} from '../harness.ts';
import { insertSecondTenant, signTheirToken } from '../second-tenant.ts';

const readAudit = async (server: TestServer, action: string) =>
  server.owner.call(auditApi.list, { query: { action, limit: 10 } });

const grant = (server: TestServer, body: object) => server.owner.call(policiesApi.create, { body });

const privilegesOf = async ({ caller }: { caller: TestServer['owner'] }) => (await caller.call(usersApi.me)).privileges;

describe('GET /api/v1/policies', () => {
  test('lists what a tenant begins with: tenant-user mints for oneself, tenant-admin may do everything', async () => {
    const server = await openTestServer();
    const grants = await server.owner.call(policiesApi.list, { query: { count: 'true' } });
    expect(grants.map(({ privilege, grantee }) => `${grantee.name}: ${privilege}`)).toEqual([
      'tenant-admin: GENERATE_PERSONAL_ACCESS_TOKENS',
      'tenant-admin: MANAGE_ACCESS_TOKENS',
      'tenant-admin: MANAGE_CATALOGS',
      'tenant-admin: MANAGE_SERVICE_ACCOUNTS',
      'tenant-admin: MANAGE_USERS',
      'tenant-admin: VIEW_AUDIT',
      'tenant-user: GENERATE_PERSONAL_ACCESS_TOKENS',
    ]);
    expect(grants[0]).toMatchObject({
      grantee: { kind: 'role', id: 'tenant-admin', name: 'tenant-admin' },
      tenant_id: server.deps.installation.defaultTenantId,
      created_by: null,
    });
  });

  test('filters by privilege and by grantee', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    const bot = await createServiceUser(server, { name: 'bot' });
    const toBob = await grant(server, { privilege: 'VIEW_AUDIT', username: 'bob' });
    const toBot = await grant(server, { privilege: 'VIEW_AUDIT', service_user_name: 'bot' });
    const list = (query: Record<string, string>) => server.owner.call(policiesApi.list, { query });
    for (const query of [{ user_id: bob.id.toUpperCase() }, { username: 'bob' }])
      expect(await list(query)).toEqual([toBob]);
    for (const query of [{ service_user_id: bot.id }, { service_user_name: 'bot' }])
      expect(await list(query)).toEqual([toBot]);
    expect(await list({ privilege: 'view-audit' })).toHaveLength(3);
    expect(await list({ privilege: 'view-audit', role: 'TenantAdmin' })).toHaveLength(1);
    expect(await list({ privilege: 'manage-users', username: 'bob' })).toEqual([]);
    for (const query of [{ user_id: bot.id }, { username: 'eve' }, { service_user_id: bob.id }]) {
      expect(await server.owner.refused(policiesApi.list, { query })).toMatchObject({ status: 404, code: 'not_found' });
    }
    for (const query of [{ role: 'tenant-user', username: 'bob' }, { privilege: 'FLY' }, { cursor: 'mine' }]) {
      expect(await server.owner.refused(policiesApi.list, { query })).toMatchObject({ status: 400 });
    }
  });

  test('pages through everything once, in order, and counts it', async () => {
    const server = await openTestServer();
    for (const username of ['a', 'b', 'c']) {
      await createUser(server, username);
      await grant(server, { privilege: 'VIEW_AUDIT', username });
      await grant(server, { privilege: 'MANAGE_USERS', username });
    }
    const whole = await server.owner.call(policiesApi.list);
    for (const filter of ['', '&privilege=VIEW_AUDIT']) {
      const seen: unknown[] = [];
      let path: string | undefined = `/api/v1/policies?limit=2&count=true${filter}`;
      while (path !== undefined) {
        const { headers, json } = await server.owner.send('GET', path);
        expect(headers.get('x-total-count')).toBe(filter === '' ? '13' : '4');
        seen.push(...(json as unknown[]));
        path = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
      }
      expect(seen).toEqual(filter === '' ? whole : whole.filter(({ privilege }) => privilege === 'VIEW_AUDIT'));
    }
  });
});

describe('POST /api/v1/policies', () => {
  test('counts at once for every credential of a user, and is recorded', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const token = await mint(server, bob.caller);
    expect(await token.caller.refused(usersApi.list)).toMatchObject({ status: 403, code: 'forbidden' });
    const granted = await grant(server, { privilege: 'Manage Users', user_id: bob.id });
    expect(granted).toMatchObject({
      privilege: 'MANAGE_USERS',
      grantee: { kind: 'user', id: bob.id, name: 'bob' },
      created_by: 'ada',
    });
    for (const { caller } of [bob, token]) expect((await caller.ask(usersApi.list)).status).toBe(200);
    expect(await privilegesOf(token)).toEqual(['GENERATE_PERSONAL_ACCESS_TOKENS', 'MANAGE_USERS']);
    expect(await readAudit(server, 'grant.created')).toMatchObject([
      {
        resource_type: 'grant',
        resource_id: granted.id,
        resource_name: 'MANAGE_USERS',
        details: { grantee_kind: 'user', grantee_id: bob.id, grantee_name: 'bob' },
      },
    ]);
  });

  test('of what is granted already answers that grant with 200, and records nothing', async () => {
    const server = await openTestServer();
    await createServiceUser(server, { name: 'bot' });
    const asked = { body: { privilege: 'VIEW_AUDIT', service_user_name: 'bot' } };
    const first = await server.owner.call(policiesApi.create, asked);
    const again = await server.owner.ask(policiesApi.create, asked);
    expect({ status: again.status, json: again.json }).toEqual({ status: 200, json: first });
    const both = await Promise.all([1, 2].map(() => server.owner.ask(policiesApi.create, asked)));
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(await readAudit(server, 'grant.created')).toHaveLength(1);
  });

  test('to a role reaches everybody of it and above', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const bot = await createServiceUser(server, { name: 'bot' });
    await grant(server, { privilege: 'MANAGE_CATALOGS', role: 'TENANT_USER' });
    for (const one of [bob, bot])
      expect(await privilegesOf(one)).toEqual(['GENERATE_PERSONAL_ACCESS_TOKENS', 'MANAGE_CATALOGS']);
  });

  test.each([
    [{ privilege: 'VIEW_AUDIT' }, 'To whom'],
    [{ privilege: 'VIEW_AUDIT', role: 'tenant-user', username: 'bob' }, 'one of role, username'],
    [{ privilege: 'FLY', role: 'tenant-user' }, 'GENERATE_PERSONAL_ACCESS_TOKENS'],
    [{ role: 'tenant-user' }, 'privilege'],
    [{ privilege: 'VIEW_AUDIT', role: 'emperor' }, 'role'],
    [{ privilege: 'VIEW_AUDIT', role: 'root' }, 'root holds every privilege'],
    [{ privilege: 'VIEW_AUDIT', user_id: 'bob' }, 'UUID'],
  ])('refuses %j', async (body, named) => {
    const server = await openTestServer();
    const problem = await server.owner.refused(policiesApi.create, { body });
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(JSON.stringify(problem)).toContain(named);
    expect(await readAudit(server, 'grant.created')).toEqual([]);
  });

  test('knows no principal of another tenant, nor the owner of the data directory', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const admin = await createLoggedIn(server, 'admin', 'tenant-admin');
    for (const { caller } of [admin, { caller: server.owner }]) {
      for (const grantee of [
        { user_id: other.userId },
        { username: 'grace' },
        { service_user_id: other.serviceUserId },
        { service_user_name: 'their-etl' },
        { user_id: server.deps.installation.ownerId },
        { user_id: UNKNOWN_ID },
      ]) {
        const problem = await caller.refused(policiesApi.create, { body: { privilege: 'VIEW_AUDIT', ...grantee } });
        expect(problem).toMatchObject({
          status: 404,
          detail: expect.stringMatching(/^There is no such (service )?user\.$/),
        });
      }
    }
    expect(await server.owner.call(policiesApi.list, { query: { privilege: 'VIEW_AUDIT' } })).toHaveLength(1);
  });

  test('of another tenant are neither seen nor revoked', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const { id } = await grant(server, { privilege: 'VIEW_AUDIT', role: 'tenant-user' });
    const theirs = server.bearer(await signTheirToken(server, other));
    expect(await theirs.call(policiesApi.list)).toEqual([]);
    expect(await theirs.refused(policiesApi.delete, { params: { id } })).toMatchObject({ status: 404 });
    const inTheirs = { headers: { 'x-pangolin-tenant': other.tenantId } };
    expect(await server.owner.call(policiesApi.list, inTheirs)).toEqual([]);
    const body = { privilege: 'VIEW_AUDIT', username: 'grace' };
    const granted = await server.owner.call(policiesApi.create, { body, ...inTheirs });
    expect(granted).toMatchObject({ tenant_id: other.tenantId, grantee: { id: other.userId } });
    expect(await theirs.call(usersApi.me)).toMatchObject({ privileges: ['VIEW_AUDIT'] });
  });
});

describe('DELETE /api/v1/policies/{id}', () => {
  test('takes the privilege from every credential at once, ends none of them, and is recorded', async () => {
    const server = await openTestServer();
    const bot = await createServiceUser(server, { name: 'bot' });
    const { id } = await grant(server, { privilege: 'MANAGE_USERS', service_user_name: 'bot' });
    expect((await bot.caller.ask(usersApi.list)).status).toBe(200);
    await server.owner.call(policiesApi.delete, { params: { id: id.toUpperCase() } });
    expect(await bot.caller.refused(usersApi.list)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await privilegesOf(bot)).toEqual(['GENERATE_PERSONAL_ACCESS_TOKENS']);
    expect(await readAudit(server, 'grant.revoked')).toMatchObject([
      {
        resource_id: id,
        resource_name: 'MANAGE_USERS',
        details: { grantee_kind: 'service_user', grantee_name: 'bot' },
      },
    ]);
    expect(await server.owner.refused(policiesApi.delete, { params: { id } })).toMatchObject({ status: 404 });
    expect(await server.owner.refused(policiesApi.delete, { params: { id: 'x' } })).toMatchObject({ status: 400 });
  });

  test('of a role’s grant leaves what somebody was granted besides', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const sue = await createLoggedIn(server, 'sue', 'tenant-admin');
    await grant(server, { privilege: 'VIEW_AUDIT', username: 'sue' });
    const [ofAdmins] = await server.owner.call(policiesApi.list, {
      query: { privilege: 'VIEW_AUDIT', role: 'tenant-admin' },
    });
    await server.owner.call(policiesApi.delete, { params: { id: ofAdmins?.id ?? '' } });
    expect(await privilegesOf(eve)).not.toContain('VIEW_AUDIT');
    expect(await privilegesOf(sue)).toContain('VIEW_AUDIT');
    expect((await sue.caller.ask(auditApi.list)).status).toBe(200);
  });
});

describe('what was granted to somebody', () => {
  test('goes with them', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    const bot = await createServiceUser(server, { name: 'bot' });
    await grant(server, { privilege: 'VIEW_AUDIT', username: 'bob' });
    await grant(server, { privilege: 'VIEW_AUDIT', service_user_name: 'bot' });
    await server.owner.call(usersApi.delete, { params: { id: bob.id } });
    await server.owner.call(serviceUsersApi.delete, { params: { id: bot.id } });
    const left = await server.owner.call(policiesApi.list);
    expect(left.filter(({ grantee }) => grantee.kind !== 'role')).toEqual([]);
    await createUser(server, 'bob');
    expect(await server.owner.call(policiesApi.list, { query: { username: 'bob' } })).toEqual([]);
  });
});

describe('who am I', () => {
  test('shows what the policies grant, sorted', async () => {
    const server = await openTestServer();
    const all = [
      'GENERATE_PERSONAL_ACCESS_TOKENS',
      'MANAGE_ACCESS_TOKENS',
      'MANAGE_CATALOGS',
      'MANAGE_SERVICE_ACCOUNTS',
      'MANAGE_USERS',
      'VIEW_AUDIT',
    ];
    expect(await privilegesOf({ caller: server.owner })).toEqual(all);
    expect(await privilegesOf(await createLoggedIn(server, 'eve', 'tenant-admin'))).toEqual(all);
    expect(await privilegesOf(await mint(server, server.owner))).toEqual(['GENERATE_PERSONAL_ACCESS_TOKENS']);
  });
});

describe('minting', () => {
  test('for oneself takes GENERATE_PERSONAL_ACCESS_TOKENS, and the refusal says how to get it', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const bot = await createServiceUser(server, { name: 'bot 1' });
    const kept = await mint(server, bob.caller);
    const grants = await server.owner.call(policiesApi.list, {
      query: { privilege: 'generate-personal-access-tokens' },
    });
    for (const { id } of grants) await server.owner.call(policiesApi.delete, { params: { id } });
    const hint = 'pangolin-admin grant GENERATE_PERSONAL_ACCESS_TOKENS';
    for (const [caller, named] of [
      [bob.caller, `${hint} --user bob`],
      [bot.caller, `${hint} --service-user ${bot.id}`],
    ] as const) {
      const problem = await caller.refused(tokensApi.create, { body: {} });
      expect(problem).toMatchObject({ status: 403, code: 'forbidden', hint: expect.stringContaining(named) });
      expect(problem.detail).toContain('GENERATE_PERSONAL_ACCESS_TOKENS');
      expect(problem.hint?.endsWith(named)).toBe(true);
    }
    expect(await kept.caller.refused(tokensApi.rotate)).toMatchObject({ status: 403 });
    expect((await kept.caller.ask(tokensApi.listOwn)).status).toBe(200);
    await grant(server, { privilege: 'GENERATE_PERSONAL_ACCESS_TOKENS', username: 'bob' });
    await mint(server, bob.caller);
  });

  test('for others takes MANAGE_ACCESS_TOKENS, and that alone', async () => {
    const server = await openTestServer();
    const [ofUsers] = await server.owner.call(policiesApi.list, { query: { role: 'tenant-user' } });
    await server.owner.call(policiesApi.delete, { params: { id: ofUsers?.id ?? '' } });
    const bob = await createLoggedIn(server, 'bob');
    const eve = await createLoggedIn(server, 'eve');
    await grant(server, { privilege: 'MANAGE_ACCESS_TOKENS', username: 'eve' });
    expect(await eve.caller.refused(tokensApi.create, { body: {} })).toMatchObject({ status: 403 });
    const token = await mint(server, eve.caller, { user_id: bob.id });
    expect(await token.caller.call(usersApi.me)).toMatchObject({ username: 'bob', privileges: [] });
  });
});
