import { serviceUsersApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import { createLoggedIn, createServiceUser, mint, openTestServer, standingOf, UNKNOWN_ID } from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

describe('creating a service user', () => {
  test('answers its key once, and records it without the key', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const body = { name: 'etl-pipeline', description: 'nightly', role: 'TenantUser', 'expires-in-days': 90 };
    const created = await eve.caller.call(serviceUsersApi.create, { body });
    expect(created).toMatchObject({
      name: 'etl-pipeline',
      description: 'nightly',
      role: 'tenant-user',
      scopes: [],
      tenant_id: eve.tenant_id,
      created_at: '2026-11-22T12:00:00Z',
      created_by: 'eve',
      expires_at: '2027-02-20T12:00:00Z',
      active: true,
    });
    expect(await standingOf(server.apiKey(created.api_key))).toBe('ok');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'service_user.created',
      username: 'eve',
      resource_id: created.id,
      resource_name: 'etl-pipeline',
      credential_type: 'session',
      details: { role: 'tenant-user', key_id: created.key_id },
    });
    const listed = await eve.caller.ask(serviceUsersApi.list);
    expect(listed.text).not.toContain(created.api_key.slice(17));
    expect(await eve.caller.call(serviceUsersApi.get, { params: { id: created.id } })).toMatchObject({
      id: created.id,
      last_used: null,
      keys: [
        { id: created.key_id, preview: `pgl_${created.key_id}_…`, expires_at: '2027-02-20T12:00:00Z', last_used: null },
      ],
    });
  });

  test('refuses a name that is taken in the tenant, and only there', async () => {
    const server = await openTestServer();
    await insertSecondTenant(server);
    await createServiceUser(server, { name: 'etl' });
    await createServiceUser(server, { name: 'their-etl' });
    const problem = await server.owner.refused(serviceUsersApi.create, { body: { name: 'etl' } });
    expect(problem).toMatchObject({ status: 409, code: 'conflict' });
    expect(problem.hint).toContain('rotate-service-user-key');
  });

  test('of one name by two processes at once leaves one', async () => {
    const server = await openTestServer();
    const beside = await openTestServer({ beside: server });
    const asked = [server, beside, server].map((one) =>
      one.owner.ask(serviceUsersApi.create, { body: { name: 'etl' } }),
    );
    expect((await Promise.all(asked)).map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(await server.owner.call(serviceUsersApi.list)).toHaveLength(1);
  });

  test('refuses what is invalid, by the name of the field as it was spelled', async () => {
    const server = await openTestServer();
    for (const [field, values] of Object.entries({
      name: ['', ' etl', 'etl ', 'a\nb', 'x'.repeat(256), 7, '\u202eetl', null],
      description: ['x'.repeat(1001), '\u0000', 7],
      role: ['god', 7],
      expires_in_days: [0, -1, 1.5, 'ninety'],
      'expires-in-days': [0],
      expires_at: ['2020-01-01T00:00:00Z', '31/12/2027'],
      scopes: ['catalog', ['everything'], Array(33).fill('catalog')],
      colour: ['red'],
    })) {
      for (const value of values) {
        const body = { ...(field === 'name' ? {} : { name: 'etl' }), [field]: value };
        const problem = await server.owner.refused(serviceUsersApi.create, { body });
        expect(problem, `${field}: ${value}`).toMatchObject({ status: 400, code: 'invalid_request' });
        expect(problem.errors?.[0]?.field.split('.')[0]).toBe(field);
      }
    }
    const both = { name: 'etl', expires_in_days: 1, expires_at: '2027-01-01T00:00:00Z' };
    expect((await server.owner.refused(serviceUsersApi.create, { body: both })).status).toBe(400);
    expect(await server.owner.call(serviceUsersApi.list)).toEqual([]);
  });
});

describe('managing service users', () => {
  test('is for administrators with credentials that are not narrowed', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl' });
    const bob = await createLoggedIn(server, 'bob');
    const narrow = await mint(server, server.owner, {
      roles: ['root'],
      scopes: ['catalog', 'tokens:read', 'tokens:write'],
    });
    const asks = [
      [serviceUsersApi.list, {}],
      [serviceUsersApi.create, { body: { name: 'mine' } }],
      [serviceUsersApi.get, { params: { id } }],
      [serviceUsersApi.update, { params: { id }, body: { active: false } }],
      [serviceUsersApi.delete, { params: { id } }],
      [serviceUsersApi.rotate, { params: { id } }],
    ] as const;
    const before = (await readAuditChain(server)).length;
    for (const [endpoint, asked] of asks) {
      expect(await bob.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'forbidden' });
      expect(await narrow.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'insufficient_scope' });
    }
    expect(await readAuditChain(server)).toHaveLength(before);
  });

  test('never reaches above one’s own role', async () => {
    const server = await openTestServer();
    const { id, caller } = await createServiceUser(server, { name: 'root-bot', role: 'root' });
    const { id: mine } = await createServiceUser(server, { name: 'bot' });
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const [endpoint, asked] of [
      [serviceUsersApi.create, { body: { name: 'x', role: 'root' } }],
      [serviceUsersApi.update, { params: { id }, body: { active: false } }],
      [serviceUsersApi.update, { params: { id: mine }, body: { role: 'root' } }],
      [serviceUsersApi.delete, { params: { id } }],
      [serviceUsersApi.rotate, { params: { id } }],
    ] as const) {
      expect(await eve.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'forbidden' });
    }
    expect(await standingOf(caller)).toBe('ok');
  });

  test('answers the same for unknown service users and for those of another tenant', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const id of [UNKNOWN_ID, other.serviceUserId, eve.id]) {
      for (const [endpoint, body] of [
        [serviceUsersApi.get, undefined],
        [serviceUsersApi.update, { active: false }],
        [serviceUsersApi.delete, undefined],
        [serviceUsersApi.rotate, undefined],
      ] as const) {
        const asked = { params: { id }, ...(body ? { body } : {}) };
        expect(await eve.caller.refused(endpoint, asked)).toMatchObject({
          status: 404,
          detail: 'There is no such service user.',
        });
      }
    }
    expect(await eve.caller.call(serviceUsersApi.list)).toEqual([]);
  });
});

describe('changing a service user', () => {
  test('answers and records what was changed', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl', expires_in_days: 1 });
    const body = { name: 'etl-2', description: 'new', role: 'tenant_admin', expires_at: null };
    const changed = await server.owner.call(serviceUsersApi.update, { params: { id }, body });
    expect(changed).toMatchObject({ name: 'etl-2', description: 'new', role: 'tenant-admin', expires_at: null });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'service_user.updated',
      resource_id: id,
      resource_name: 'etl-2',
      details: { changed: { name: 'etl-2', role: 'tenant-admin', expires_at: null } },
    });
  });

  test('refuses a name that is taken', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl' });
    await createServiceUser(server, { name: 'other' });
    const asked = { params: { id }, body: { name: 'other' } };
    expect((await server.owner.refused(serviceUsersApi.update, asked)).code).toBe('conflict');
    await server.owner.call(serviceUsersApi.update, { params: { id }, body: { name: 'etl' } });
  });

  test('deactivating stops its keys and what was obtained with them, and reactivating revives none', async () => {
    const server = await openTestServer();
    const { id, caller } = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, caller);
    const set = (active: boolean) => server.owner.call(serviceUsersApi.update, { params: { id }, body: { active } });
    expect((await set(false)).keys).toEqual([]);
    expect(await standingOf(caller)).toBe('principal_inactive');
    expect(await standingOf(token.caller)).toBe('principal_inactive');
    await set(true);
    expect(await standingOf(caller)).toBe('api_key_revoked');
    expect(await standingOf(token.caller)).toBe('token_revoked');
    const { api_key } = await server.owner.call(serviceUsersApi.rotate, { params: { id } });
    expect(await standingOf(server.apiKey(api_key))).toBe('ok');
  });
});

describe('deleting a service user', () => {
  test('stops its keys and tokens and frees its name', async () => {
    const server = await openTestServer();
    const { id, caller } = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, caller);
    await server.owner.call(serviceUsersApi.delete, { params: { id } });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'service_user.deleted',
      resource_id: id,
      resource_name: 'etl',
    });
    expect(await standingOf(caller)).toBe('api_key_invalid');
    expect(await standingOf(token.caller)).toBe('principal_inactive');
    expect((await server.owner.refused(serviceUsersApi.get, { params: { id } })).status).toBe(404);
    const again = await createServiceUser(server, { name: 'etl' });
    expect((await again.caller.call(usersApi.me)).id).not.toBe(id);
    expect(await standingOf(token.caller)).toBe('principal_inactive');
  });
});

describe('listing service users', () => {
  test('goes by name, filters by it, pages and counts', async () => {
    const server = await openTestServer();
    for (const name of ['c', 'a', 'b']) await createServiceUser(server, { name });
    const first = await server.owner.ask(serviceUsersApi.list, { query: { limit: 2, count: 'true' } });
    expect((first.json as { name: string }[]).map(({ name }) => name)).toEqual(['a', 'b']);
    expect(first.headers.get('x-total-count')).toBe('3');
    const next = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(((await server.owner.send('GET', next)).json as { name: string }[]).map(({ name }) => name)).toEqual(['c']);
    const named = await server.owner.call(serviceUsersApi.list, { query: { name: 'b' } });
    expect(named.map(({ name }) => name)).toEqual(['b']);
    expect(await server.owner.call(serviceUsersApi.list, { query: { name: 'B' } })).toEqual([]);
  });
});
