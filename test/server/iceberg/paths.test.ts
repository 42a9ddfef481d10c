import { RESERVED_CATALOG_NAMES } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { mint, openTestServer } from '../harness.ts';
import { createCatalogCaller, createTestTable } from './catalog-caller.ts';

interface Config {
  defaults: object;
  overrides: Record<string, string>;
  endpoints: string[];
}

async function open() {
  const server = await openTestServer();
  const { caller } = await mint(server, server.owner);
  return { server, caller };
}

describe('the base paths that clients form', () => {
  test('all lead to the same catalog', async () => {
    const { caller } = await open();
    await createTestTable(createCatalogCaller(caller));
    for (const base of [
      '/v1/default/v1',
      '/v1/default',
      '/v1/default/v1/default',
      '//v1/default/v1',
      '/v1/default//v1',
      '/v1//default//v1/',
    ]) {
      const catalog = createCatalogCaller(caller, base);
      const { metadata } = await catalog.ok<{ metadata: object }>('GET', 'namespaces/ns/tables/tbl');
      expect(metadata, base).toMatchObject({ 'format-version': 2 });
      expect((await catalog.send('HEAD', 'namespaces/ns/tables/tbl')).status, base).toBe(204);
    }
  });

  test('never lead to two catalogs at once', async () => {
    const { caller } = await open();
    const catalog = createCatalogCaller(caller, '/v1/default/v1/other');
    expect(await catalog.refused('GET', 'namespaces')).toMatch(/^404 NotFoundException/);
  });

  test('that are none are refused in words that clients of Iceberg understand', async () => {
    const { caller } = await open();
    const catalog = createCatalogCaller(caller);
    expect(await catalog.refused('GET', 'nothing/here')).toMatch(
      /^404 NotFoundException There is nothing at this path/,
    );
    expect(await catalog.refused('PATCH', 'namespaces')).toBe(
      '405 BadRequestException This path takes GET, POST, not PATCH.',
    );
    expect(await catalog.refused('GET', 'namespaces/')).toMatch(/^400 BadRequestException The path has an empty name/);
    for (const path of ['namespaces//tables', 'namespaces/ns/tables//metrics', 'namespaces//tables/tbl']) {
      expect(await catalog.refused('POST', path, {}), path).toMatch(
        /^400 BadRequestException The path has an empty name/,
      );
    }
    expect((await catalog.send('GET', 'config/')).status).toBe(200);
    expect(await catalog.refused('GET', 'namespaces/%ff')).toMatch(/^400 BadRequestException/);
    for (const name of ['nope', ...RESERVED_CATALOG_NAMES.filter((one) => one !== 'config' && one !== 'oauth')]) {
      const other = createCatalogCaller(caller, `/v1/${name}/v1`);
      expect(await other.refused('GET', 'namespaces')).toMatch(/^404 N/);
    }
  });

  test('have the token endpoint beside them', async () => {
    const { server } = await open();
    for (const path of [
      '/v1/oauth/tokens',
      '/v1/default/oauth/tokens',
      '/v1/default/v1/oauth/tokens',
      '//v1/oauth/tokens',
      '//v1/default//v1/oauth/tokens',
    ]) {
      const { json } = await server.nobody.send('POST', path, {
        body: 'grant_type=client_credentials&client_secret=nonsense',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
      expect(json, path).toMatchObject({ error: 'invalid_client' });
    }
  });

  test('do not become public by how a table is called', async () => {
    const { server, caller } = await open();
    await createTestTable(createCatalogCaller(caller), 'oauth', 'tokens');
    const nobody = createCatalogCaller(server.nobody);
    expect(await nobody.refused('GET', 'namespaces/oauth/tables/tokens')).toMatch(/^401 NotAuthorizedException/);
  });
});

describe('the configuration', () => {
  test('names a prefix to those alone who named a warehouse', async () => {
    const { caller } = await open();
    const config = (path: string) => createCatalogCaller(caller, '').ok<Config>('GET', path);
    expect(await config('v1/config')).toMatchObject({ defaults: {}, overrides: {} });
    expect((await config('v1/config?warehouse=default')).overrides).toEqual({ prefix: 'default' });
    expect((await config('v1/default/v1/config')).overrides).toEqual({});
    expect((await config('v1/default/config')).overrides).toEqual({});
    const catalog = createCatalogCaller(caller, '/v1');
    expect(await catalog.refused('GET', 'config?warehouse=nope')).toBe(
      '404 NoSuchWarehouseException Warehouse does not exist: nope',
    );
    expect(await catalog.refused('GET', 'nope/v1/config')).toMatch(/^404 NoSuchWarehouseException/);
  });

  test('advertises exactly what is served', async () => {
    const { caller } = await open();
    const { endpoints } = await createCatalogCaller(caller, '/v1').ok<Config>('GET', 'config');
    expect(new Set(endpoints).size).toBe(endpoints.length);
    const paths = new Set(endpoints.map((one) => one.split(' ')[1] ?? ''));
    for (const path of paths) {
      const asked = path.replace('{prefix}', 'default').replace(/\{\w+\}/g, 'x');
      for (const method of ['GET', 'POST', 'HEAD', 'DELETE', 'PUT']) {
        const { status } = await caller.send(method, asked);
        const isServed = endpoints.includes(`${method} ${path}`);
        expect({ method, path, isServed: status !== 405 }).toEqual({ method, path, isServed });
      }
    }
  });

  test('takes a credential', async () => {
    const { server } = await open();
    for (const path of ['config', 'config?warehouse=default', 'default/v1/config']) {
      expect(await createCatalogCaller(server.nobody, '/v1').refused('GET', path)).toMatch(/^401 /);
    }
  });
});
