import {
  auditApi,
  catalogsApi,
  type Endpoint,
  serviceUsersApi,
  settingsApi,
  tenantsApi,
  tokensApi,
  usersApi,
} from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  mint,
  openTestServer,
  PASSWORD,
  standingOf,
  type TestServer,
  UNKNOWN_ID,
} from '../harness.ts';
import { createCatalogCaller, createTestTable } from '../iceberg/catalog-caller.ts';

/** The headers of root acting in a tenant. */
const inTenant = (id: string) => ({ headers: { 'x-pangolin-tenant': id } });

/** A tenant with an administrator who is logged in. */
async function createTenant(server: TestServer, name: string) {
  const tenant = await server.owner.call(tenantsApi.create, { body: { name } });
  const adminUser = { username: 'admin', role: 'tenant-admin', password: PASSWORD };
  const user = await server.owner.call(usersApi.create, { body: adminUser, ...inTenant(tenant.id) });
  const body = { username: 'admin', password: PASSWORD, tenant_id: tenant.id };
  const { token } = await server.nobody.call(usersApi.login, { body });
  return { ...tenant, user, admin: server.bearer(token) };
}

const systemEvents = async (server: TestServer) =>
  (
    await server.deps.db.read
      .selectFrom('audit_events')
      .selectAll()
      .where('chain', '=', 'system')
      .orderBy('seq')
      .execute()
  ).map(({ action, resource_id, resource_name, username, details }) => ({
    action,
    resource_id,
    resource_name,
    username,
    details: JSON.parse(details),
  }));

describe('a tenant', () => {
  test('is created with a catalog, its defaults and the privileges of its roles, on record', async () => {
    const server = await openTestServer();
    const created = await server.owner.call(tenantsApi.create, { body: { name: 'Acme', description: 'Rockets' } });
    expect(created).toEqual({
      id: expect.any(String),
      name: 'Acme',
      description: 'Rockets',
      created_at: '2026-11-22T12:00:00Z',
      default_catalog: 'default',
    });
    const { default_catalog, ...tenant } = created;
    expect(await server.owner.call(tenantsApi.get, { params: { id: created.id.toUpperCase() } })).toEqual(tenant);
    const [catalog] = await server.owner.call(catalogsApi.list, inTenant(created.id));
    expect(catalog).toMatchObject({ name: default_catalog });
    const own = await server.owner.call(catalogsApi.get, { params: { name: 'default' } });
    expect(catalog?.id).not.toBe(own.id);
    expect(await server.owner.call(settingsApi.get, inTenant(created.id))).toEqual(
      await server.owner.call(settingsApi.get),
    );
    expect((await systemEvents(server)).at(-1)).toEqual({
      action: 'tenant.created',
      resource_id: created.id,
      resource_name: 'Acme',
      username: 'ada',
      details: { description: 'Rockets', catalog: 'default' },
    });
  });

  test('has a name that no other has, which does not look like an id', async () => {
    const server = await openTestServer();
    const first = await server.owner.call(tenantsApi.create, { body: { name: 'acme' } });
    const second = await server.owner.call(tenantsApi.create, { body: { name: 'Acme' } });
    const taken = { status: 409, code: 'conflict', detail: 'There is a tenant named "acme" already.' };
    expect(await server.owner.refused(tenantsApi.create, { body: { name: 'acme' } })).toMatchObject(taken);
    const rename = { params: { id: second.id }, body: { name: 'acme' } };
    expect(await server.owner.refused(tenantsApi.update, rename)).toMatchObject(taken);
    const both = [1, 2].map(() => server.owner.ask(tenantsApi.create, { body: { name: 'at once' } }));
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([201, 409]);
    for (const name of ['', ' ', 'a\nb', 'x'.repeat(256), first.id, 7, null]) {
      const problem = await server.owner.refused(tenantsApi.create, { body: { name } });
      expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.[0]?.field).toBe('name');
    }
  });

  test('is listed by name, page by page, and found by its name', async () => {
    const server = await openTestServer();
    for (const name of ['c', 'a', 'b']) await server.owner.call(tenantsApi.create, { body: { name } });
    const names = (await server.owner.call(tenantsApi.list)).map(({ name }) => name);
    expect(names).toEqual(['a', 'b', 'c', 'default']);
    const first = await server.owner.ask(tenantsApi.list, { query: { limit: 2, count: 'true' } });
    expect(first.headers.get('x-total-count')).toBe('4');
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await server.owner.send('GET', next);
    expect((second.json as { name: string }[]).map(({ name }) => name)).toEqual(['c', 'default']);
    expect(second.headers.get('link')).toBeNull();
    const found = await server.owner.call(tenantsApi.list, { query: { name: 'b' } });
    expect(found.map(({ name }) => name)).toEqual(['b']);
  });

  test('is renamed and described anew, on record; its catalogs, users and credentials go on', async () => {
    const server = await openTestServer();
    const { id, admin } = await createTenant(server, 'acme');
    const change = { params: { id }, body: { name: 'Acme Corp', description: 'Rockets' } };
    expect(await server.owner.call(tenantsApi.update, change)).toMatchObject({
      id,
      name: 'Acme Corp',
      description: 'Rockets',
    });
    const cleared = await server.owner.call(tenantsApi.update, { params: { id }, body: { description: null } });
    expect(cleared).toMatchObject({ name: 'Acme Corp', description: null });
    expect(await standingOf(admin)).toBe('ok');
    expect((await systemEvents(server)).slice(-2)).toMatchObject([
      { action: 'tenant.updated', resource_id: id, details: { changed: change.body } },
      { action: 'tenant.updated', resource_id: id, details: { changed: { description: null } } },
    ]);
    await server.owner.call(tenantsApi.update, { params: { id }, body: {} });
    expect(await systemEvents(server)).toHaveLength(4);
  });

  test('is root’s business alone: for anybody else it is forbidden, whether there is one or not', async () => {
    const server = await openTestServer();
    const { id, admin } = await createTenant(server, 'acme');
    const key = await createServiceUser(server, { name: 'bot', role: 'tenant-admin' });
    const narrowed = await mint(server, server.owner, { roles: ['root'], scopes: ['catalog:read'] });
    for (const caller of [admin, key.caller, narrowed.caller]) {
      for (const endpoint of Object.values(tenantsApi) as Endpoint[]) {
        const answers = [id, server.deps.installation.defaultTenantId, UNKNOWN_ID].map(async (one) => {
          const body = endpoint.body && { name: 'acme' };
          const { request_id, ...problem } = await caller.refused(endpoint, { params: { id: one }, body });
          return problem;
        });
        const [first, ...others] = await Promise.all(answers);
        expect(first?.status).toBe(403);
        for (const other of others) expect(other).toEqual(first);
      }
    }
    expect(await server.nobody.refused(tenantsApi.list)).toMatchObject({ status: 401 });
  });

  test('that does not exist is not found', async () => {
    const server = await openTestServer();
    for (const endpoint of [tenantsApi.get, tenantsApi.update, tenantsApi.delete] as Endpoint[]) {
      const body = endpoint.body && { name: 'x' };
      const problem = await server.owner.refused(endpoint, { params: { id: UNKNOWN_ID }, body });
      expect(problem).toMatchObject({ status: 404, code: 'not_found', detail: 'There is no such tenant.' });
    }
    const entering = await server.owner.refused(usersApi.list, inTenant(UNKNOWN_ID));
    expect(entering).toMatchObject({ status: 404, detail: 'There is no such tenant.' });
  });
});

describe('logging in', () => {
  test('names the tenant by its id or its name; the same username may exist in two', async () => {
    const server = await openTestServer();
    const acme = await createTenant(server, 'acme');
    const other = await createTenant(server, 'other');
    const home = await createLoggedIn(server, 'admin', 'tenant-admin');
    const body = { username: 'admin', password: PASSWORD };
    for (const [named, tenantId] of [
      [{ tenant_id: acme.id }, acme.id],
      [{ 'tenant-id': acme.id.toUpperCase() }, acme.id],
      [{ tenant: 'acme' }, acme.id],
      [{ tenant: 'other' }, other.id],
      [{}, home.tenant_id],
      [{ tenant: null, tenant_id: null }, home.tenant_id],
      [{ tenant: 'default' }, home.tenant_id],
    ] as const) {
      const { token, user } = await server.nobody.call(usersApi.login, { body: { ...body, ...named } });
      expect(user).toMatchObject({ username: 'admin', tenant_id: tenantId });
      expect(await server.bearer(token).call(usersApi.me)).toMatchObject({ id: user.id, tenant_id: tenantId });
    }
    const both = { body: { ...body, tenant: 'acme', tenant_id: acme.id } };
    expect(await server.nobody.refused(usersApi.login, both)).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  test('in a tenant that does not exist is a wrong password, after the same work', async () => {
    const server = await openTestServer();
    const { id } = await createTenant(server, 'acme');
    const verified: (string | null)[] = [];
    const { verify } = server.deps.passwords;
    server.deps.passwords.verify = (hash, password, address) => {
      verified.push(hash);
      return verify(hash, password, address);
    };
    const answers = [];
    const others = [{ tenant: 'nope' }, { tenant_id: UNKNOWN_ID }, { tenant_id: id, username: 'nobody' }, {}];
    for (const named of [{ tenant: 'acme' }, ...others]) {
      const body = { username: 'admin', password: 'wrong-password', ...named };
      for (let i = 0; i < 12; i += 1) {
        const { request_id, ...problem } = await server.nobody.refused(usersApi.login, { body });
        answers.push({ i, problem });
      }
    }
    const [first] = [answers.slice(0, 12)];
    for (const named of [12, 24, 36, 48]) expect(answers.slice(named, named + 12)).toEqual(first);
    expect(verified).toHaveLength(60);
  });
});

describe('a deleted tenant', () => {
  test('ends every credential in it at once, and nothing of it is left but its audit events', async () => {
    const server = await openTestServer();
    const { id, admin, user } = await createTenant(server, 'acme');
    const key = await admin.call(serviceUsersApi.create, { body: { name: 'bot', role: 'tenant-user' } });
    const personal = await mint(server, admin);
    const obtained = await mint(server, server.apiKey(key.api_key));
    await admin.call(settingsApi.update, { body: { max_token_days: 200 } });
    const minted = await mint(server, server.owner, { tenant_id: id, roles: ['root'] });
    const callers = [admin, personal.caller, obtained.caller, server.apiKey(key.api_key), minted.caller];
    for (const caller of callers) expect(await standingOf(caller)).toBe('ok');
    await server.owner.call(tenantsApi.delete, { params: { id } });
    for (const caller of callers) expect(await standingOf(caller)).not.toBe('ok');
    const login = { username: user.username, password: PASSWORD, tenant_id: id };
    expect(await server.nobody.refused(usersApi.login, { body: login })).toMatchObject({ code: 'login_failed' });
    expect(await server.owner.refused(tenantsApi.get, { params: { id } })).toMatchObject({ status: 404 });
    expect((await server.owner.call(tenantsApi.list)).map(({ name }) => name)).toEqual(['default']);
    for (const endpoint of [usersApi.list, serviceUsersApi.list, catalogsApi.list])
      expect(await server.owner.refused(endpoint, inTenant(id))).toMatchObject({ status: 404 });
    expect((await systemEvents(server)).at(-1)).toMatchObject({ action: 'tenant.deleted', resource_name: 'acme' });
    const events = await server.owner.call(auditApi.list, inTenant(id));
    expect(events.map(({ action }) => action)).toContain('service_user.created');
    expect(await server.owner.call(auditApi.verify, inTenant(id))).toMatchObject({
      chain: id,
      valid: true,
      complete: true,
    });
    await server.deps.iceberg.background.settle(10_000);
    expect(await readRemains(server, id)).toEqual({ audit_events: events.length });
    expect(await server.owner.call(auditApi.checkpoint, inTenant(id))).toMatchObject({ seq: events.length + 1 });
    for (const caller of callers) expect(await standingOf(caller)).not.toBe('ok');
  });

  test('gives its name back, and the new one of that name has nothing of the old', async () => {
    const server = await openTestServer();
    const old = await createTenant(server, 'acme');
    await server.owner.call(tenantsApi.delete, { params: { id: old.id } });
    const { id, admin } = await createTenant(server, 'acme');
    expect(id).not.toBe(old.id);
    expect(await admin.call(serviceUsersApi.list)).toEqual([]);
    expect(await standingOf(old.admin)).not.toBe('ok');
  });

  test('has no tables: one that has is refused, naming where, until they are dropped', async () => {
    const server = await openTestServer();
    const { id, admin } = await createTenant(server, 'acme');
    const catalog = createCatalogCaller(admin);
    await createTestTable(catalog);
    const problem = await server.owner.refused(tenantsApi.delete, { params: { id } });
    expect(problem).toMatchObject({
      status: 409,
      code: 'conflict',
      detail: 'The tenant "acme" still has namespaces, in its catalog "default".',
    });
    expect(problem.hint).toContain(id);
    expect(await standingOf(admin)).toBe('ok');
    await catalog.ok('DELETE', 'namespaces/ns/tables/tbl');
    await catalog.ok('DELETE', 'namespaces/ns');
    await server.owner.call(tenantsApi.delete, { params: { id } });
  });

  test('is neither the default one nor the one root belongs to', async () => {
    const server = await openTestServer();
    const { defaultTenantId } = server.deps.installation;
    const root = await createLoggedIn(server, 'root', 'root');
    for (const caller of [server.owner, root.caller]) {
      const problem = await caller.refused(tenantsApi.delete, { params: { id: defaultTenantId } });
      expect(problem).toMatchObject({
        status: 409,
        detail: '"default" is the default tenant, which cannot be deleted.',
      });
    }
    const { id } = await createTenant(server, 'acme');
    const body = { username: 'root', role: 'root', password: PASSWORD };
    await server.owner.call(usersApi.create, { body, ...inTenant(id) });
    const { token } = await server.nobody.call(usersApi.login, { body: { ...login('root'), tenant_id: id } });
    const theirs = server.bearer(token);
    expect(await theirs.refused(tenantsApi.delete, { params: { id } })).toMatchObject({
      status: 409,
      detail: 'You belong to the tenant "acme", and would be deleted with it.',
    });
    const elsewhere = await mint(server, theirs, { tenant_id: defaultTenantId });
    expect(await standingOf(elsewhere.caller)).toBe('ok');
    await root.caller.call(tenantsApi.delete, { params: { id } });
    expect(await standingOf(elsewhere.caller)).not.toBe('ok');
  });

  test('is removed in commits of bounded size, and by the next server where one stops in between', async () => {
    const server = await openTestServer();
    const { id, admin, user } = await createTenant(server, 'acme');
    const kept = await mint(server, admin);
    const row = await server.deps.db.read.selectFrom('tokens').selectAll().where('id', '=', kept.id).executeTakeFirst();
    if (!row) throw new Error('the token has no row');
    await server.deps.db.transact(async (tx) => {
      for (let i = 0; i < 250; i += 1) {
        const tokenId = server.deps.newId();
        await tx
          .insertInto('tokens')
          .values({ ...row, id: tokenId, root_id: tokenId, owner_id: user.id })
          .execute();
      }
    });
    const counts: number[] = [];
    const { transact } = server.deps.db;
    const countTokens = async () => {
      const rows = await server.deps.db.read.selectFrom('tokens').select('id').where('tenant_id', '=', id).execute();
      return rows.length;
    };
    let left = Number.POSITIVE_INFINITY;
    server.deps.db.transact = async (unit, options) => {
      if (options?.credentials === 'unchanged') {
        left -= 1;
        if (left < 0) throw new Error('the server stopped');
      }
      const result = await transact(unit, options);
      counts.push(await countTokens());
      return result;
    };
    left = 2;
    await server.owner.call(tenantsApi.delete, { params: { id } });
    await server.deps.iceberg.background.settle(10_000);
    expect(counts).toEqual([252, 152, 52]);
    expect(await standingOf(kept.caller)).not.toBe('ok');
    server.deps.db.transact = transact;
    const { sweepDeletedTenants } = await import('../../../packages/server/src/tenants/sweep.ts');
    await sweepDeletedTenants(server.deps);
    expect(Object.keys(await readRemains(server, id))).toEqual(['audit_events']);
  });

  test('lets nobody in who was on the way when it was deleted', async () => {
    const server = await openTestServer();
    const { id, admin } = await createTenant(server, 'acme');
    const user = { username: 'late', password: PASSWORD };
    const { transact } = server.deps.db;
    const late: Promise<{ status: number }>[] = [];
    const late_ = (caller: TestServer['owner'], more: object = {}) =>
      late.push(caller.ask(usersApi.create, { body: user, ...more }));
    // Both are past authentication when the deletion commits.
    const { hash } = server.deps.passwords;
    let go = () => {};
    const gone = new Promise<void>((resolve) => {
      go = resolve;
    });
    let waiting = 0;
    server.deps.passwords.hash = async (password) => {
      waiting += 1;
      await gone;
      return hash(password);
    };
    late_(admin);
    late_(server.owner, inTenant(id));
    while (waiting < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await server.owner.call(tenantsApi.delete, { params: { id } });
    go();
    expect((await Promise.all(late)).map(({ status }) => status)).toEqual([401, 404]);
    await server.deps.iceberg.background.settle(10_000);
    expect(Object.keys(await readRemains(server, id))).toEqual(['audit_events']);
    expect(server.deps.db.transact).toBe(transact);
  });
});

describe('root who is not root any more', () => {
  test('keeps no token for another tenant than their own', async () => {
    const server = await openTestServer();
    const { id } = await createTenant(server, 'acme');
    const root = await createLoggedIn(server, 'root', 'root');
    const there = await mint(server, root.caller, { tenant_id: id });
    const here = await mint(server, root.caller);
    expect(await there.caller.call(usersApi.me)).toMatchObject({ tenant_id: id, role: 'root' });
    await server.owner.call(usersApi.update, { params: { id: root.id }, body: { role: 'tenant-admin' } });
    expect(await standingOf(here.caller)).toBe('ok');
    expect(await standingOf(there.caller)).toBe('token_wrong_tenant');
    const listed = await server.owner.call(tokensApi.get, { params: { id: there.id }, ...inTenant(id) });
    expect(listed.is_valid).toBe(false);
  });
});

const login = (username: string) => ({ username, password: PASSWORD });

/** How many rows of a tenant each table has that knows of tenants; none are left out. */
async function readRemains({ deps }: TestServer, tenantId: string): Promise<Record<string, number>> {
  const tables = await deps.db.read.introspection.getTables();
  const scoped = tables.filter(({ columns }) => columns.some(({ name }) => name === 'tenant_id'));
  expect(scoped.length).toBeGreaterThan(8);
  const counts: Record<string, number> = {};
  for (const { name } of scoped) {
    const table = name as 'users';
    const rows = await deps.db.read.selectFrom(table).select('tenant_id').where('tenant_id', '=', tenantId).execute();
    if (rows.length > 0) counts[name] = rows.length;
  }
  return counts;
}
