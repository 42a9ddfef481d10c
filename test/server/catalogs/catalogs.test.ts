import { catalogsApi, RESERVED_CATALOG_NAMES } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import { createLoggedIn, mint, openTestServer } from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

describe('catalogs', () => {
  test('begin with one called default', async () => {
    const server = await openTestServer();
    const catalogs = await server.owner.call(catalogsApi.list);
    const warehouse_location = `file://${server.dataDir}/warehouse/default`;
    expect(catalogs).toMatchObject([{ name: 'default', catalog_type: 'internal', warehouse_location }]);
  });

  test('are created, renamed and deleted by administrators, on record', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const body = { name: 'sales.2026', 'warehouse-location': 's3://bucket/sales' };
    const created = await eve.caller.call(catalogsApi.create, { body });
    expect(created).toMatchObject({ name: 'sales.2026', warehouse_location: 's3://bucket/sales' });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'catalog.created',
      username: 'eve',
      resource_id: created.id,
      resource_name: 'sales.2026',
    });
    const renamed = await eve.caller.call(catalogsApi.update, {
      params: { name: 'sales.2026' },
      body: { name: 'sales' },
    });
    expect(renamed).toEqual({ ...created, name: 'sales' });
    expect(await readLastAudit(server)).toMatchObject({ action: 'catalog.updated', details: { new_name: 'sales' } });
    expect((await eve.caller.refused(catalogsApi.get, { params: { name: 'sales.2026' } })).status).toBe(404);
    await eve.caller.call(catalogsApi.delete, { params: { name: 'sales' } });
    expect(await readLastAudit(server)).toMatchObject({ action: 'catalog.deleted', resource_id: created.id });
    expect((await eve.caller.refused(catalogsApi.delete, { params: { name: 'sales' } })).status).toBe(404);
  });

  test('have names that fit into a path, once in a tenant', async () => {
    const server = await openTestServer();
    for (const name of [
      '',
      '.',
      '..',
      '.hidden',
      '-x',
      'a/b',
      'a b',
      'ä',
      'x'.repeat(129),
      7,
      null,
      ...RESERVED_CATALOG_NAMES,
    ]) {
      const problem = await server.owner.refused(catalogsApi.create, { body: { name } });
      expect(problem, String(name)).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.[0]?.field).toBe('name');
    }
    const typed = { body: { name: 'x', catalog_type: 'external' } };
    expect((await server.owner.refused(catalogsApi.create, typed)).errors?.[0]?.field).toBe('catalog_type');
    expect(await server.owner.refused(catalogsApi.create, { body: { name: 'default' } })).toMatchObject({
      status: 409,
    });
    await server.owner.call(catalogsApi.create, { body: { name: 'other' } });
    const asked = { params: { name: 'other' }, body: { name: 'default' } };
    expect(await server.owner.refused(catalogsApi.update, asked)).toMatchObject({ status: 409, code: 'conflict' });
  });

  test('are seen by everybody in the tenant whose credential reaches a catalog, and changed by administrators', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const params = { name: 'default' };
    expect(await bob.caller.call(catalogsApi.list)).toHaveLength(1);
    await bob.caller.call(catalogsApi.get, { params });
    const reader = await mint(server, bob.caller, { scopes: ['catalog:read:default.sales'] });
    await reader.caller.call(catalogsApi.get, { params });
    const apart = await mint(server, bob.caller, { scopes: ['tokens:read'] });
    const narrowAdmin = await mint(server, server.owner, { roles: ['root'], scopes: ['catalog'] });
    const before = (await readAuditChain(server)).length;
    for (const endpoint of [catalogsApi.list, catalogsApi.get]) {
      expect(await apart.caller.refused(endpoint, { params })).toMatchObject({
        status: 403,
        code: 'insufficient_scope',
      });
    }
    for (const [endpoint, asked] of [
      [catalogsApi.create, { body: { name: 'x' } }],
      [catalogsApi.update, { params, body: { name: 'x' } }],
      [catalogsApi.delete, { params }],
    ] as const) {
      expect(await bob.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'forbidden' });
      expect(await narrowAdmin.caller.refused(endpoint, asked)).toMatchObject({
        status: 403,
        code: 'insufficient_scope',
      });
    }
    expect(await readAuditChain(server)).toHaveLength(before);
  });

  test('of another tenant do not exist', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const params = { name: other.catalogName };
    for (const [endpoint, asked] of [
      [catalogsApi.get, { params }],
      [catalogsApi.update, { params, body: { name: 'mine' } }],
      [catalogsApi.delete, { params }],
    ] as const) {
      expect(await server.owner.refused(endpoint, asked)).toMatchObject({
        status: 404,
        detail: 'There is no catalog named "theirs".',
      });
    }
    await server.owner.call(catalogsApi.create, { body: { name: other.catalogName } });
    const list = await server.owner.ask(catalogsApi.list, { query: { count: 'true' } });
    expect(list.headers.get('x-total-count')).toBe('2');
  });
});
