import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../../audit-chain.ts';
import { mint } from '../../harness.ts';
import { insertSecondTenant, signTheirToken } from '../../second-tenant.ts';
import { createRequest, replacing, sqlOf } from './sample-views.ts';
import { ask, create, openCatalogServer, refused, send, VIEW, VIEWS } from './view-requests.ts';

describe('who may', () => {
  const rename = { source: { namespace: ['ns'], name: 'v' }, destination: { namespace: ['ns'], name: 'w' } };
  const reads: [string, string][] = [
    ['GET', VIEWS],
    ['GET', VIEW],
    ['HEAD', VIEW],
  ];
  const writes: [string, string, unknown][] = [
    ['POST', VIEWS, createRequest({ name: 'w' })],
    ['POST', VIEW, { updates: replacing(2, sqlOf('select 2', 'trino')) }],
    ['DELETE', VIEW, undefined],
    ['POST', 'namespaces/ns/register-view', { name: 'w', 'metadata-location': 'file:///x' }],
    ['POST', 'views/rename', rename],
  ];

  test('nobody reads or writes without a credential', async () => {
    const server = await openCatalogServer();
    await create(server);
    for (const [method, path, body] of [...reads, ...writes]) {
      expect((await send(server.nobody, method, path, body)).status, `${method} ${path}`).toBe(401);
    }
  });

  test('catalog:read reads and cannot write, on record', async () => {
    const server = await openCatalogServer();
    const view = await create(server);
    const { caller } = await mint(server, server.owner, { scopes: ['catalog:read'] });
    for (const [method, path] of reads) {
      expect([200, 204], `${method} ${path}`).toContain((await send(caller, method, path)).status);
    }
    for (const [method, path, body] of writes) {
      expect(await refused(caller, method, path, body), `${method} ${path}`).toContain('403 ForbiddenException: ');
      expect(await readLastAudit(server)).toMatchObject({
        action: expect.stringMatching(/^view\./),
        result: 'failure',
        details: { code: 'insufficient_scope', count: 1 },
      });
    }
    expect(await ask(server.owner, 'GET', VIEW)).toEqual(view);
  });

  test('a scope for one namespace neither reads nor writes, moves into nor places views in another', async () => {
    const server = await openCatalogServer();
    await create(server);
    const scopes = ['catalog:read:default.other', 'catalog:write:default.other'];
    const { caller } = await mint(server, server.owner, { scopes });
    await ask(caller, 'POST', 'namespaces/other/views', createRequest({ name: 'mine' }));
    for (const [method, path, body] of [...reads, ...writes]) {
      expect((await send(caller, method, path, body)).status, `${method} ${path}`).toBe(403);
    }
    const out = { source: { namespace: ['other'], name: 'mine' }, destination: { namespace: ['ns'], name: 'mine' } };
    expect(await refused(caller, 'POST', 'views/rename', out)).toContain('403 ForbiddenException: ');
    const location = `file://${server.dataDir}/warehouse/default/ns/w`;
    const elsewhere = createRequest({ name: 'w', location });
    expect(await refused(caller, 'POST', 'namespaces/other/views', elsewhere)).toContain('400 BadRequestException: ');
  });

  test('a catalog of another tenant does not exist', async () => {
    const server = await openCatalogServer();
    const { catalogName } = await insertSecondTenant(server);
    for (const [method, path, body] of [...reads, ...writes]) {
      const { status, text } = await send(server.owner, method, `/v1/${catalogName}/${path}`, body);
      expect(status, `${method} ${path}`).toBe(404);
      if (method !== 'HEAD') expect(text).toContain('NoSuchWarehouseException');
    }
  });

  test('a view of another tenant, in a catalog of the same name, is not found', async () => {
    const server = await openCatalogServer();
    await create(server);
    const { tenantId } = await insertSecondTenant(server);
    await server.deps.db.transact((tx) =>
      tx.updateTable('catalogs').set({ name: 'default' }).where('tenant_id', '=', tenantId).execute(),
    );
    const tokens = await server.deps.db.read
      .selectFrom('tokens')
      .selectAll()
      .where('tenant_id', '=', tenantId)
      .execute();
    const [row] = tokens;
    const theirs = server.bearer(
      await signTheirToken(server, {
        tenantId,
        userId: row?.owner_id ?? '',
        serviceUserId: '',
        tokenId: row?.id ?? '',
        catalogName: 'default',
      }),
    );
    expect((await send(theirs, 'POST', 'namespaces', { namespace: ['ns'] })).status).toBe(200);
    expect(await refused(theirs, 'GET', VIEW)).toBe('404 NoSuchViewException: View does not exist: ns.v');
    expect(await refused(theirs, 'DELETE', VIEW)).toContain('404 NoSuchViewException');
    expect((await send(theirs, 'GET', VIEWS)).json).toMatchObject({ identifiers: [] });
  });
});
