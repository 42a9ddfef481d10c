import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../../audit-chain.ts';
import { openTestServer } from '../../harness.ts';
import { createRequest, SCHEMA, sqlOf, versionOf } from './sample-views.ts';
import { ask, create, namesOf, openCatalogServer, refused, send, TABLES, VIEW, VIEWS } from './view-requests.ts';

describe('creating a view', () => {
  test('answers its metadata, stores it in a file numbered 0, and is on record', async () => {
    const server = await openCatalogServer();
    const view = await create(server, { properties: { a: 'b' } });
    expect(view.metadata).toMatchObject({
      'format-version': 1,
      location: `file://${server.dataDir}/warehouse/default/ns/v`,
      properties: { a: 'b' },
      schemas: [SCHEMA],
      'current-version-id': 1,
      versions: [versionOf()],
    });
    expect(view.metadata['view-uuid']).toMatch(/^[0-9a-f]{8}-/);
    expect(view.config).toEqual({});
    expect(view['metadata-location']).toMatch(/\/ns\/v\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/);
    expect(JSON.parse(await readFile(fileURLToPath(view['metadata-location']), 'utf8'))).toEqual(view.metadata);
    expect(await ask(server.owner, 'GET', VIEW)).toEqual(view);
    expect(await readLastAudit(server)).toMatchObject({
      action: 'view.created',
      result: 'success',
      resource_type: 'view',
      resource_name: 'default.ns.v',
      details: { metadata_location: view['metadata-location'] },
    });
  });

  test('is refused for what is no view', async () => {
    const server = await openCatalogServer();
    expect(await refused(server.owner, 'POST', VIEWS, { name: 'v' })).toBe(
      '400 BadRequestException: schema is missing.',
    );
    const twice = versionOf({}, sqlOf('1', 'trino'), sqlOf('2', 'Trino'));
    expect(await refused(server.owner, 'POST', VIEWS, createRequest({ 'view-version': twice }))).toBe(
      '400 IllegalArgumentException: Invalid view version: Cannot add multiple queries for dialect trino',
    );
    for (const body of [
      '{',
      '[]',
      createRequest({ name: '' }),
      createRequest({ name: 'a\nb' }),
      createRequest({ name: 7 }),
    ]) {
      expect(await refused(server.owner, 'POST', VIEWS, body)).toContain('400 BadRequestException: ');
    }
    expect(await namesOf(server, VIEWS)).toEqual({ identifiers: [], 'next-page-token': null });
  });

  test('is refused outside of the warehouse, in another’s directory and without a namespace', async () => {
    const server = await openCatalogServer();
    const place = `file://${server.dataDir}/warehouse/default/ns/v`;
    await create(server);
    for (const location of ['file:///etc', `${place}/../../../../x`, 's3://bucket/v', `${place}/inside`, place]) {
      const body = createRequest({ name: 'w', location });
      expect(await refused(server.owner, 'POST', VIEWS, body), location).toContain('400 BadRequestException: ');
      const property = createRequest({ name: 'w', properties: { 'write.metadata.path': location } });
      expect(await refused(server.owner, 'POST', VIEWS, property), location).toContain('400 BadRequestException: ');
    }
    expect(await refused(server.owner, 'POST', 'namespaces/gone/views', createRequest())).toBe(
      '404 NoSuchNamespaceException: Namespace does not exist: gone',
    );
  });

  test('is refused where a view or table of that name is, and the other way round', async () => {
    const server = await openCatalogServer();
    await create(server);
    expect(await refused(server.owner, 'POST', VIEWS, createRequest())).toBe(
      '409 AlreadyExistsException: View already exists: ns.v',
    );
    const table = (name: string) => ({ name, schema: SCHEMA });
    expect(await refused(server.owner, 'POST', TABLES, table('v'))).toBe(
      '409 AlreadyExistsException: View with same name already exists: ns.v',
    );
    expect((await send(server.owner, 'POST', TABLES, table('t'))).status).toBe(200);
    expect(await refused(server.owner, 'POST', VIEWS, createRequest({ name: 't' }))).toBe(
      '409 AlreadyExistsException: Table with same name already exists: ns.t',
    );
    expect(await refused(server.owner, 'GET', 'namespaces/ns/views/t')).toBe(
      '404 NoSuchViewException: View does not exist: ns.t',
    );
    expect(await refused(server.owner, 'GET', 'namespaces/ns/tables/v')).toContain('404 NoSuchTableException: ');
  });

  test('understands names that PyIceberg encodes twice, from PyIceberg alone', async () => {
    const server = await openCatalogServer();
    const named = (name: string, agent: string) =>
      send(server.owner, 'POST', VIEWS, createRequest({ name }), { 'user-agent': agent });
    for (const name of ['a%20b', '100%', '%zz']) expect((await named(name, 'PyIceberg/0.12.0')).status).toBe(200);
    for (const name of ['c%20d', '%ff']) expect((await named(name, 'curl/8')).status).toBe(200);
    expect((await named('x%0Ay', 'PyIceberg/0.12.0')).status, 'what is decoded is read as strictly').toBe(400);
    expect(await namesOf(server, VIEWS)).toMatchObject({
      identifiers: ['%ff', '%zz', '100%', 'a b', 'c%20d'].map((name) => ({ namespace: ['ns'], name })),
    });
    expect((await send(server.owner, 'HEAD', 'namespaces/ns/views/a%20b')).status).toBe(204);
  });
});

describe('reading views', () => {
  test('lists the views of a namespace without its tables, whole or by pages', async () => {
    const server = await openCatalogServer();
    for (const name of ['c', 'a', 'b']) await create(server, { name });
    await send(server.owner, 'POST', TABLES, { name: 'aa', schema: SCHEMA });
    const identifier = (name: string) => ({ namespace: ['ns'], name });
    expect(await namesOf(server, VIEWS)).toEqual({
      identifiers: ['a', 'b', 'c'].map(identifier),
      'next-page-token': null,
    });
    const first = (await namesOf(server, `${VIEWS}?pageSize=2`)) as { 'next-page-token': string };
    expect(first).toMatchObject({ identifiers: ['a', 'b'].map(identifier) });
    const next = `pageSize=2&pageToken=${first['next-page-token']}`;
    expect(await namesOf(server, `${VIEWS}?${next}`)).toEqual({
      identifiers: [identifier('c')],
      'next-page-token': null,
    });
    expect(await refused(server.owner, 'GET', `${TABLES}?${next}`), 'a page token is good for its list').toContain(
      '400',
    );
    expect(await refused(server.owner, 'GET', 'namespaces/gone/views')).toContain('404 NoSuchNamespaceException');
  });

  test('tells whether a view exists, at every base path', async () => {
    const server = await openCatalogServer();
    await create(server);
    for (const base of ['/v1/default', '/v1/default/v1', '/v1/default/v1/default']) {
      expect((await send(server.owner, 'HEAD', `${base}/${VIEW}`)).status, base).toBe(204);
      const { status, text } = await send(server.owner, 'HEAD', `${base}/${VIEWS}/gone`);
      expect({ status, text }).toEqual({ status: 404, text: '' });
    }
    expect(await refused(server.owner, 'GET', `${VIEWS}/gone`)).toBe(
      '404 NoSuchViewException: View does not exist: ns.gone',
    );
  });

  test('says which file is missing, and not that the view is', async () => {
    const server = await openCatalogServer();
    const { 'metadata-location': location } = await create(server);
    await rm(fileURLToPath(location));
    expect(await refused(server.owner, 'GET', VIEW)).toBe(
      `404 NotFoundException: Failed to open input stream for file: ${location}`,
    );
  });

  test('reads packed metadata files, and writes them where a view asks for it', async () => {
    const server = await openCatalogServer();
    const view = await create(server, { properties: { 'write.metadata.compression-codec': 'gzip' } });
    expect(view['metadata-location']).toMatch(/\.gz\.metadata\.json$/);
    const content = gunzipSync(await readFile(fileURLToPath(view['metadata-location']))).toString();
    expect(JSON.parse(content)).toEqual(view.metadata);
    await send(server.owner, 'DELETE', VIEW);
    const body = { name: 'v', 'metadata-location': view['metadata-location'] };
    const beside = await openTestServer({ beside: server });
    expect(await ask(beside.owner, 'POST', 'namespaces/ns/register-view', body)).toEqual(view);
  });

  test('advertises exactly what it serves', async () => {
    const server = await openCatalogServer();
    const { endpoints } = (await send(server.owner, 'GET', '/v1/config')).json as { endpoints: string[] };
    expect(new Set(endpoints.filter((one) => /view/.test(one)))).toEqual(
      new Set([
        'GET /v1/{prefix}/namespaces/{namespace}/views',
        'POST /v1/{prefix}/namespaces/{namespace}/views',
        'GET /v1/{prefix}/namespaces/{namespace}/views/{view}',
        'HEAD /v1/{prefix}/namespaces/{namespace}/views/{view}',
        'POST /v1/{prefix}/namespaces/{namespace}/views/{view}',
        'DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}',
        'POST /v1/{prefix}/namespaces/{namespace}/register-view',
        'POST /v1/{prefix}/views/rename',
      ]),
    );
  });
});
