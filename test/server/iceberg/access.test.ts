import { auditApi, catalogsApi, type Role, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createServiceUser, mint, openTestServer, type TestServer } from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';
import { appendSnapshot, createCatalogCaller, createTestTable, type Loaded, SCHEMA } from './catalog-caller.ts';

const tbl = 'namespaces/ns/tables/tbl';
const change = { updates: [{ action: 'set-properties', updates: { a: '1' } }] };

async function open() {
  const server = await openTestServer();
  const catalog = createCatalogCaller((await mint(server, server.owner)).caller);
  const created = await createTestTable(catalog);
  const narrowed = async (...scopes: string[]) =>
    createCatalogCaller((await mint(server, server.owner, { scopes })).caller);
  return { server, catalog, created, narrowed };
}

/** Every operation that changes something, on the table `ns.tbl` and around it. */
const CHANGES: [string, string, object?][] = [
  ['POST', 'namespaces', { namespace: ['new'] }],
  ['POST', 'namespaces/ns/properties', { updates: { a: '1' } }],
  ['DELETE', 'namespaces/ns'],
  ['POST', 'namespaces/ns/tables', { name: 'new', schema: SCHEMA }],
  ['POST', 'namespaces/ns/tables', { name: 'new', schema: SCHEMA, 'stage-create': true }],
  ['POST', tbl, change],
  ['DELETE', tbl],
  ['DELETE', `${tbl}?purgeRequested=true`],
  ['POST', 'namespaces/ns/register', { name: 'x', 'metadata-location': 'file:///etc/passwd' }],
  [
    'POST',
    'tables/rename',
    { source: { namespace: ['ns'], name: 'tbl' }, destination: { namespace: ['ns'], name: 'b' } },
  ],
  ['POST', 'transactions/commit', { 'table-changes': [{ identifier: { namespace: ['ns'], name: 'tbl' }, ...change }] }],
];

const READS: [string, string][] = [
  ['GET', 'namespaces/ns'],
  ['GET', 'namespaces/ns/tables'],
  ['GET', tbl],
  ['GET', `${tbl}/credentials`],
];

describe('a credential', () => {
  test('that is narrowed to reading reads, and changes nothing', async () => {
    const { narrowed, catalog, created } = await open();
    const reader = await narrowed('catalog:read');
    for (const [method, path] of READS) expect((await reader.send(method, path)).status, path).toBe(200);
    for (const [method, path, body] of CHANGES) {
      expect(await reader.refused(method, path, body), `${method} ${path}`).toMatch(
        /^403 ForbiddenException The credential lacks the scope catalog:write:default\.\w+\. Mint one/,
      );
    }
    expect(await catalog.ok('GET', tbl)).toEqual(created);
  });

  test('that is narrowed to writing does not read', async () => {
    const { narrowed } = await open();
    const writer = await narrowed('catalog:write');
    for (const [method, path] of READS) expect(await writer.refused(method, path), path).toMatch(/^403 Forbidden/);
    await writer.ok('POST', tbl, change);
  });

  test('that is narrowed to something else sees no catalog', async () => {
    const { narrowed } = await open();
    const other = await narrowed('tokens:read');
    for (const [method, path, body] of [...READS, ...CHANGES, ['GET', 'namespaces'], ['GET', 'config']] as const) {
      expect(await other.refused(method, path, body), `${method} ${path}`).toMatch(/^403 Forbidden/);
    }
  });

  test('that is narrowed to a namespace has that and what is in it, and is not told what else there is', async () => {
    const { narrowed, catalog } = await open();
    await createTestTable(catalog, 'sales');
    await catalog.ok('POST', 'namespaces', { namespace: ['sales', 'eu'] });
    await catalog.ok('POST', 'namespaces/sales%1Feu/tables', { name: 'tbl', schema: SCHEMA });
    await catalog.ok('POST', 'namespaces', { namespace: ['sales2'] });
    await catalog.ok('POST', 'namespaces', { namespace: ['sales.eu'] });
    const paged = await (await narrowed('catalog:read:default.sales2')).ok<{ 'next-page-token': string | null }>(
      'GET',
      'namespaces?pageSize=1',
    );
    expect(paged).toEqual({ namespaces: [['sales2']], 'next-page-token': null });
    const listed = (of: typeof catalog, parent = '') => of.ok('GET', `namespaces${parent}`);

    const sales = await narrowed('catalog:read:default.sales');
    expect(await listed(sales)).toMatchObject({ namespaces: [['sales']] });
    expect(await listed(sales, '?parent=sales')).toMatchObject({ namespaces: [['sales', 'eu']] });
    for (const path of ['namespaces/sales', 'namespaces/sales/tables/tbl', 'namespaces/sales%1Feu/tables/tbl']) {
      expect((await sales.send('GET', path)).status, path).toBe(200);
    }
    // The same words for what is there and what is not.
    for (const path of ['namespaces/ns', 'namespaces/nope', tbl, 'namespaces/nope/tables/x', 'namespaces/sales.eu']) {
      expect(await sales.refused('GET', path), path).toMatch(/^403 ForbiddenException The credential lacks the scope/);
    }
    expect((await sales.send('HEAD', 'namespaces/ns')).status).toBe(403);
    expect((await sales.send('HEAD', tbl)).status).toBe(403);

    const deep = await narrowed('catalog:read:default.sales.eu');
    expect(await listed(deep)).toMatchObject({ namespaces: [['sales']] });
    expect((await deep.send('HEAD', 'namespaces/sales')).status).toBe(204);
    expect(await deep.refused('GET', 'namespaces/sales/tables')).toMatch(/^403 /);
    expect((await deep.send('GET', 'namespaces/sales%1Feu/tables/tbl')).status).toBe(200);

    const dotted = await narrowed('catalog:read:default.sales%2Eeu');
    expect(await listed(dotted)).toMatchObject({ namespaces: [['sales.eu']] });
    expect(await dotted.refused('GET', 'namespaces/sales%1Feu/tables/tbl')).toMatch(/^403 /);
  });

  test('that is narrowed to one catalog does not learn of others', async () => {
    const { server, narrowed } = await open();
    await server.owner.call(catalogsApi.create, { body: { name: 'secret' } });
    await narrowed('catalog:read:default');
    const { caller } = await mint(server, server.owner, { scopes: ['catalog:read:default'] });
    for (const name of ['secret', 'nope']) {
      const other = createCatalogCaller(caller, `/v1/${name}/v1`);
      expect(await other.refused('GET', 'namespaces')).toMatch(/^403 ForbiddenException/);
      expect(await other.refused('GET', 'config')).toMatch(/^403 ForbiddenException/);
    }
  });

  test('of the lowest role reads and writes tables', async () => {
    const { server } = await open();
    for (const role of ['tenant-user', 'tenant-admin', 'root'] satisfies Role[]) {
      const { caller } = await createServiceUser(server, { name: role, role });
      const catalog = createCatalogCaller(caller);
      await catalog.ok('POST', tbl, { updates: [{ action: 'set-properties', updates: { [role]: '1' } }] });
    }
  });

  test('that is revoked or has expired is refused at once', async () => {
    const { server } = await open();
    const minted = await mint(server, server.owner, { expires_in_days: 1 });
    const catalog = createCatalogCaller(minted.caller);
    await catalog.ok('GET', tbl);
    await server.owner.call(tokensApi.revoke, { params: { jti: minted.id } });
    expect(await catalog.refused('GET', tbl)).toMatch(/^401 NotAuthorizedException The token was revoked/);
    expect(await catalog.refused('POST', tbl, change)).toMatch(/^401 NotAuthorizedException/);
    const short = await mint(server, server.owner, { expires_in_days: 1 });
    server.clock.advance(25 * 3_600_000);
    expect(await createCatalogCaller(short.caller).refused('GET', tbl)).toMatch(/^401 NotAuthorizedException/);
  });

  test('of another tenant finds nothing, as if nothing were there', async () => {
    const { server } = await open();
    const { tenantId, catalogName } = await insertSecondTenant(server);
    const { caller } = await createServiceUser(server, { name: 'root', role: 'root' });
    const there = { 'x-pangolin-tenant': tenantId };
    const catalog = createCatalogCaller(caller);
    for (const [method, path] of [...READS, ['GET', 'namespaces']] as const) {
      expect(await catalog.refused(method, path, undefined, there)).toBe(
        '404 NoSuchWarehouseException Warehouse does not exist: default',
      );
    }
    const theirs = createCatalogCaller(caller, `/v1/${catalogName}/v1`);
    expect(await theirs.refused('GET', 'namespaces')).toMatch(/^404 NoSuchWarehouseException/);
    await theirs.ok('POST', 'namespaces', { namespace: ['ns'] }, there);
    const made = await theirs.ok<Loaded>('POST', 'namespaces/ns/tables', { name: 'tbl', schema: SCHEMA }, there);
    expect(made.metadata.location).not.toContain('/warehouse/default/');
    expect(await catalog.ok<Loaded>('GET', tbl)).not.toMatchObject({ metadata: { location: made.metadata.location } });
  });
});

describe('the audit trail', () => {
  const eventsOf = (server: TestServer) => server.owner.call(auditApi.list, { query: { limit: 20 } });

  test('has who changed which table, and how', async () => {
    const { server, catalog } = await open();
    await catalog.ok('POST', tbl, change);
    await catalog.ok('DELETE', `${tbl}?purgeRequested=true`);
    const events = await eventsOf(server);
    expect(events.slice(0, 4)).toMatchObject([
      { action: 'table.dropped', resource_name: 'default.ns.tbl', result: 'success', details: { purge: true } },
      { action: 'table.updated', resource_name: 'default.ns.tbl', details: { updates: ['set-properties'] } },
      { action: 'table.created', resource_type: 'table', resource_name: 'default.ns.tbl', credential_type: 'personal' },
      { action: 'namespace.created', resource_name: 'default.ns' },
    ]);
    const [dropped, updated, created] = events;
    expect(new Set([dropped, updated, created].map((event) => event?.resource_id)).size).toBe(1);
  });

  test('has who was denied a change, how often and why, and nothing of what failed otherwise', async () => {
    const { server, narrowed, catalog } = await open();
    const reader = await narrowed('catalog:read');
    await reader.refused('POST', tbl, change);
    await catalog.refused('POST', 'namespaces/ns/tables', { name: 'tbl', schema: SCHEMA });
    await reader.refused('POST', tbl, change);
    expect((await eventsOf(server)).slice(0, 2)).toMatchObject([
      {
        result: 'failure',
        action: 'table.updated',
        resource_name: 'default.ns.tbl',
        credential_type: 'personal',
        details: { code: 'insufficient_scope', count: 2 },
      },
      { result: 'success' },
    ]);
  });
});

describe('the audit trail of refusals', () => {
  test('has also those that never reached a catalog, and names what the request named', async () => {
    const { server, narrowed } = await open();
    const elsewhere = await narrowed('catalog:write:other');
    expect(await elsewhere.refused('DELETE', tbl)).toMatch(/lacks the scope catalog:write:default\. /);
    const beside = await narrowed('catalog:write:default.zz');
    const rename = { source: { namespace: ['a b'], name: 'x' }, destination: { namespace: ['ns'], name: 'y' } };
    await beside.refused('POST', 'tables/rename', rename);
    const events = await server.owner.call(auditApi.list, { query: { result: 'failure', limit: 2 } });
    expect(events).toMatchObject([
      { action: 'table.renamed', result: 'failure', resource_name: 'default.a b.x' },
      { action: 'table.dropped', result: 'failure', resource_name: 'default.ns.tbl' },
    ]);
  });
});

describe('what a client names', () => {
  test('is never outside of the warehouse', async () => {
    const { server, catalog, created } = await open();
    const { location } = created.metadata;
    const outside = [
      'file:///etc',
      '/etc',
      `file://${server.dataDir}`,
      `file://${server.dataDir}/warehouse/default`,
      `file://${server.dataDir}/warehouse/default2/x`,
      `file://${server.dataDir}/warehouse/other/x`,
      `${location}/../../../../../../etc`,
      `${location}/%2e%2e/%2e%2e/x`,
      `${location}/%252e%252e/x`,
      's3://bucket/x',
      'http://169.254.169.254/latest',
      'relative/path',
      '',
      'file://evil.example/etc',
    ];
    const update = (updates: object[]) => catalog.refused('POST', tbl, { updates });
    for (const place of outside) {
      const refusals = [
        await catalog.refused('POST', 'namespaces/ns/tables', { name: 'x', schema: SCHEMA, location: place }),
        await catalog.refused('POST', 'namespaces/ns/register', { name: 'x', 'metadata-location': place }),
        await update([{ action: 'set-location', location: place }]),
        await catalog.refused('POST', 'namespaces', { namespace: ['x'], properties: { location: place } }),
        await catalog.refused('POST', 'namespaces/ns/properties', { updates: { location: place } }),
      ];
      if (!place.endsWith('/default')) {
        refusals.push(await catalog.refused('POST', tbl, `{"updates":[${appendSnapshot(place, 1, 1)}]}`));
      }
      for (const name of ['write.data.path', 'write.metadata.path', 'write.object-storage.path']) {
        refusals.push(await update([{ action: 'set-properties', updates: { [name]: place } }]));
      }
      for (const refusal of refusals) expect(refusal, place).toMatch(/^400 BadRequestException /);
    }
    expect(await catalog.ok('GET', tbl)).toEqual(created);
  });

  test('is never a place of another table, around it or inside it', async () => {
    const { catalog, created } = await open();
    const { location } = created.metadata;
    const parent = location.slice(0, location.lastIndexOf('/'));
    for (const place of [location, `${location}/`, `${location}/data`, parent]) {
      const body = { name: 'x', schema: SCHEMA, location: place };
      expect(await catalog.refused('POST', 'namespaces/ns/tables', body)).toMatch(/in use by another table or view/);
    }
    await createTestTable(catalog, 'ns', 'other');
    for (const updates of [
      [{ action: 'set-location', location }],
      [{ action: 'set-properties', updates: { 'write.data.path': `${location}/data` } }],
    ]) {
      const refused = await catalog.refused('POST', 'namespaces/ns/tables/other', { updates });
      expect(refused).toMatch(/in use by another table or view/);
    }
    const register = { name: 'twin', 'metadata-location': created['metadata-location'] };
    expect(await catalog.refused('POST', 'namespaces/ns/register', register)).toMatch(/in use by another/);
    // Also where only its data is written.
    const place = `${parent}2/claimed`;
    const claim = { updates: [{ action: 'set-properties', updates: { 'write.data.path': place } }] };
    await catalog.ok('POST', 'namespaces/ns/tables/other', claim);
    const inside = { name: 'x', schema: SCHEMA, location: `${place}/x` };
    expect(await catalog.refused('POST', 'namespaces/ns/tables', inside)).toMatch(/in use by another/);
    const release = { updates: [{ action: 'remove-properties', removals: ['write.data.path'] }] };
    await catalog.ok('POST', 'namespaces/ns/tables/other', release);
    await catalog.ok('POST', 'namespaces/ns/tables', inside);
    // A namespace called like the table beside it.
    await catalog.ok('POST', 'namespaces', { namespace: ['ns', 'tbl'] });
    const nested = await catalog.ok<Loaded>('POST', 'namespaces/ns%1Ftbl/tables', { name: 'x', schema: SCHEMA });
    expect(nested.metadata.location.startsWith(`${location}/`)).toBe(false);
  });

  test('by a credential for one namespace is a place of that namespace', async () => {
    const { server, catalog, narrowed } = await open();
    const root = `file://${server.dataDir}/warehouse/default`;
    await catalog.ok('POST', 'namespaces', { namespace: ['mine'] });
    const mine = await narrowed('catalog:write:default.mine', 'catalog:read:default.mine');
    const create = (location: string) => ['namespaces/mine/tables', { name: 'x', schema: SCHEMA, location }] as const;
    for (const place of [`${root}/free`, `${root}/ns/free`, `${root}/mine2/x`]) {
      expect(await mine.refused('POST', ...create(place))).toMatch(/^400 BadRequestException /);
    }
    expect(await mine.refused('POST', 'namespaces/mine/properties', { updates: { location: `${root}/ns` } })).toMatch(
      /^400/,
    );
    await mine.ok('POST', ...create(`${root}/mine/elsewhere`));
    const moved = { updates: [{ action: 'set-location', location: `${root}/ns/stolen` }] };
    expect(await mine.refused('POST', 'namespaces/mine/tables/x', moved)).toMatch(/^400 BadRequestException /);
    await mine.ok('POST', 'namespaces/mine/tables/x', change);
  });
});
