import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../../audit-chain.ts';
import { replacing, SCHEMA, sqlOf } from './sample-views.ts';
import { ask, create, namesOf, openCatalogServer, refused, send, TABLES, VIEW, VIEWS } from './view-requests.ts';

describe('dropping, renaming and registering', () => {
  test('a dropped view is gone and its file stays, on record; dropping it again is 404', async () => {
    const server = await openCatalogServer();
    const view = await create(server);
    const { status, text } = await send(server.owner, 'DELETE', VIEW);
    expect({ status, text }).toEqual({ status: 204, text: '' });
    expect(await readLastAudit(server)).toMatchObject({ action: 'view.dropped', resource_name: 'default.ns.v' });
    expect(await readFile(fileURLToPath(view['metadata-location']), 'utf8')).not.toBe('');
    expect(await refused(server.owner, 'DELETE', VIEW)).toBe('404 NoSuchViewException: View does not exist: ns.v');
    expect(await refused(server.owner, 'GET', VIEW)).toContain('404 NoSuchViewException');
  });

  test('a table is not dropped as a view, nor a view as a table', async () => {
    const server = await openCatalogServer();
    await create(server);
    await send(server.owner, 'POST', TABLES, { name: 't', schema: SCHEMA });
    expect(await refused(server.owner, 'DELETE', `${VIEWS}/t`)).toContain('404 NoSuchViewException');
    expect(await refused(server.owner, 'DELETE', `${TABLES}/v`)).toContain('404 NoSuchTableException');
  });

  test('a renamed view has its metadata under the new name, in whatever namespace, on record', async () => {
    const server = await openCatalogServer();
    const view = await create(server);
    const rename = { source: { namespace: ['ns'], name: 'v' }, destination: { namespace: ['other'], name: 'w' } };
    expect((await send(server.owner, 'POST', 'views/rename', rename)).status).toBe(204);
    expect(await readLastAudit(server)).toMatchObject({
      action: 'view.renamed',
      resource_name: 'default.ns.v',
      details: { new_name: 'other.w' },
    });
    expect(await ask(server.owner, 'GET', 'namespaces/other/views/w')).toEqual(view);
    expect(await refused(server.owner, 'GET', VIEW)).toContain('404 NoSuchViewException');
    const again = await create(server);
    expect(again.metadata.location, 'its old place is still in use').not.toBe(view.metadata.location);
  });

  test('renaming is refused without a source, without a namespace, and onto what exists', async () => {
    const server = await openCatalogServer();
    await create(server);
    await create(server, { name: 'b' });
    await send(server.owner, 'POST', TABLES, { name: 't', schema: SCHEMA });
    const rename = (source: string, namespace: string, name: string) =>
      refused(server.owner, 'POST', 'views/rename', {
        source: { namespace: ['ns'], name: source },
        destination: { namespace: [namespace], name },
      });
    expect(await rename('gone', 'ns', 'x')).toBe('404 NoSuchViewException: View does not exist: ns.gone');
    expect(await rename('t', 'ns', 'x')).toBe('404 NoSuchViewException: View does not exist: ns.t');
    expect(await rename('v', 'gone', 'x')).toBe('404 NoSuchNamespaceException: Namespace does not exist: gone');
    expect(await rename('v', 'ns', 'b')).toBe(
      '409 AlreadyExistsException: Cannot rename ns.v to ns.b. View already exists',
    );
    expect(await rename('v', 'ns', 't')).toBe(
      '409 AlreadyExistsException: Cannot rename ns.v to ns.t. Table already exists',
    );
    expect(await refused(server.owner, 'POST', 'views/rename', { source: { namespace: ['ns'], name: 'v' } })).toContain(
      '400',
    );
  });

  test('a registered view has the very file it is told, on record', async () => {
    const server = await openCatalogServer();
    const view = await create(server);
    await send(server.owner, 'DELETE', VIEW);
    const body = { name: 'back', 'metadata-location': view['metadata-location'] };
    expect(await ask(server.owner, 'POST', 'namespaces/ns/register-view', body)).toEqual(view);
    expect(await readLastAudit(server)).toMatchObject({ action: 'view.registered', resource_name: 'default.ns.back' });
    const replaced = await ask(server.owner, 'POST', 'namespaces/ns/views/back', {
      updates: replacing(2, sqlOf('select 2', 'trino')),
    });
    expect(replaced['metadata-location']).toContain('/ns/v/metadata/00001-');
    expect(await refused(server.owner, 'POST', 'namespaces/ns/register-view', body)).toBe(
      '409 AlreadyExistsException: View already exists: ns.back',
    );
  });

  test('registering is refused for missing files, tables’ files and files outside of the warehouse', async () => {
    const server = await openCatalogServer();
    const register = (location: unknown) =>
      refused(server.owner, 'POST', 'namespaces/ns/register-view', { name: 'r', 'metadata-location': location });
    const missing = `file://${server.dataDir}/warehouse/default/ns/x/metadata/00000-x.metadata.json`;
    expect(await register(missing)).toBe(`404 NotFoundException: Failed to open input stream for file: ${missing}`);
    const table = await ask(server.owner, 'POST', TABLES, { name: 't', schema: SCHEMA });
    await send(server.owner, 'DELETE', `${TABLES}/t`);
    expect(await register(table['metadata-location'])).toContain('view-uuid is missing');
    const { 'metadata-location': mine } = await create(server);
    expect(await register(mine), 'it is another view’s still').toContain('400 BadRequestException: ');
    for (const location of ['file:///etc/passwd', `${missing}/../../../../../../x`, 7, '']) {
      expect(await register(location), String(location)).toContain('400 BadRequestException: ');
    }
    expect(await namesOf(server, VIEWS)).toMatchObject({ identifiers: [{ name: 'v' }] });
  });
});
