import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogsApi } from '@pangolin/shared/contract/catalogs';
import { PangolinError } from '@pangolin/shared/errors';
import { parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../../../../packages/server/src/iceberg/json.ts';
import { readTableMetadata } from '../../../../packages/server/src/iceberg/metadata/read-table-metadata.ts';
import { readManifest, readManifestList } from '../../../../packages/server/src/iceberg/purge/manifests.ts';
import { readAuditChain } from '../../audit-chain.ts';
import { openTestServer, type TestServer } from '../../harness.ts';

const TABLE = '/v1/demo/v1/namespaces/sample/tables/sightings';

const createDemo = (server: TestServer) =>
  server.owner.call(catalogsApi.create, { body: { name: 'demo', with_sample_data: true } });

async function listFiles(server: TestServer): Promise<string[]> {
  const folder = join(server.dataDir, 'warehouse', 'demo');
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

const readFirst = async (paths: AsyncIterable<string>): Promise<string> => {
  for await (const path of paths) return path;
  throw new Error('There is none.');
};

const readAt = (location: string) => readFile(new URL(location));

/** Has the storage fail at its nth file. */
function failAt(server: TestServer, nth: number): void {
  const { warehouses } = server.deps;
  let count = 0;
  server.deps.warehouses = {
    ...warehouses,
    async open(location) {
      const warehouse = await warehouses.open(location);
      return {
        ...warehouse,
        async create(file, content) {
          count += 1;
          if (count === nth) throw new PangolinError('storage_full', 'The disk is full', { hint: 'Make room.' });
          await warehouse.create(file, content);
        },
      };
    },
  };
}

describe('a catalog with sample data', () => {
  test('has a table that loads, and whose snapshot leads to files that are there and parse', async () => {
    const server = await openTestServer();
    await createDemo(server);
    const loaded = await server.owner.send('GET', TABLE);
    expect(loaded.status).toBe(200);
    const { metadata: raw } = parseJson(loaded.text) as { metadata: object };
    const metadata = readTableMetadata(raw as Parameters<typeof readTableMetadata>[0]);
    const [snapshot] = metadata.snapshots;
    expect(metadata.snapshots).toHaveLength(1);
    expect(metadata['current-snapshot-id']).toBe(snapshot?.['snapshot-id']);
    expect(metadata.refs).toEqual({ main: { type: 'branch', 'snapshot-id': snapshot?.['snapshot-id'] } });
    expect(metadata['last-sequence-number']).toBe(1);
    expect(metadata['format-version']).toBe(2);
    expect(snapshot).toMatchObject({ 'timestamp-ms': server.clock.nowMs, summary: { 'total-records': '200' } });
    const manifest = await readFirst(readManifestList(await readAt(snapshot?.['manifest-list'] ?? '')));
    const data = await readFirst(readManifest(await readAt(manifest)));
    const rows = await parquetReadObjects({ file: new Uint8Array(await readAt(data)).buffer });
    expect(rows).toHaveLength(100);
    expect(await listFiles(server)).toHaveLength(6);
  });

  test('is created on record, and one without has nothing in it', async () => {
    const server = await openTestServer();
    await createDemo(server);
    const actions = (await readAuditChain(server)).map(({ action }) => action);
    expect(actions.slice(-4)).toEqual(['catalog.created', 'namespace.created', 'table.created', 'table.updated']);
    await server.owner.call(catalogsApi.create, { body: { name: 'plain', with_sample_data: false } });
    const { json } = await server.owner.send('GET', '/v1/plain/v1/namespaces');
    expect(json).toMatchObject({ namespaces: [] });
  });

  test('leaves nothing when its table is dropped with purge, and can be deleted then', async () => {
    const server = await openTestServer();
    await createDemo(server);
    expect((await server.owner.send('DELETE', `${TABLE}?purgeRequested=true`)).status).toBe(204);
    await server.deps.iceberg.background.settle(10_000);
    expect(await listFiles(server)).toEqual([]);
    expect((await server.owner.send('DELETE', '/v1/demo/v1/namespaces/sample')).status).toBe(204);
    await server.owner.call(catalogsApi.delete, { params: { name: 'demo' } });
  });

  test.each([1, 2, 3, 5, 6])('is not created at all when the storage fails at file %i, and says so', async (nth) => {
    const server = await openTestServer();
    const { deps } = server;
    const { warehouses } = deps;
    failAt(server, nth);
    const body = { name: 'demo', with_sample_data: true };
    const problem = await server.owner.refused(catalogsApi.create, { body });
    expect(problem).toMatchObject({
      ...{ status: 503, code: 'storage_full', hint: 'Make room.' },
      detail: 'The catalog was not created, for its sample data could not be: The disk is full',
    });
    expect((await server.owner.call(catalogsApi.list)).map(({ name }) => name)).toEqual(['default']);
    await deps.iceberg.background.settle(10_000);
    expect(await listFiles(server)).toEqual([]);
    deps.warehouses = warehouses;
    await createDemo(server);
    expect((await server.owner.send('GET', TABLE)).status).toBe(200);
  });

  test('is not created where its directory cannot be made', async () => {
    const server = await openTestServer();
    await writeFile(join(server.dataDir, 'warehouse'), 'a file where a directory should be');
    const body = { name: 'demo', with_sample_data: true };
    const problem = await server.owner.refused(catalogsApi.create, { body });
    expect(problem.detail).toMatch(/^The catalog was not created, for its sample data could not be: /);
    expect((await server.owner.call(catalogsApi.list)).map(({ name }) => name)).toEqual(['default']);
  });
});
