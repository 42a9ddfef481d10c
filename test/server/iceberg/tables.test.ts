import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PangolinError } from '@pangolin/shared/errors';
import { describe, expect, test } from 'vitest';
import { mint, openTestServer } from '../harness.ts';
import { appendSnapshot, createCatalogCaller, createTestTable, type Loaded, SCHEMA } from './catalog-caller.ts';

const tbl = 'namespaces/ns/tables/tbl';
const BIG = 6839985015861487575n;
const fileOf = (location: string) => fileURLToPath(location);
const setProperty = (updates: object) => ({ updates: [{ action: 'set-properties', updates }] });

async function open() {
  const server = await openTestServer();
  const catalog = createCatalogCaller((await mint(server, server.owner)).caller);
  return { server, catalog };
}

describe('creating a table', () => {
  test('writes its first metadata file, and answers what loading answers', async () => {
    const { server, catalog } = await open();
    const created = await createTestTable(catalog);
    const location = `file://${server.dataDir}/warehouse/default/ns/tbl`;
    expect(created.metadata.location).toBe(location);
    expect(created['metadata-location']).toMatch(/\/ns\/tbl\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/);
    expect(await readdir(join(fileOf(location), 'metadata'))).toHaveLength(1);
    expect(await catalog.ok('GET', tbl)).toEqual(created);
    expect(created.config).toEqual({});
    expect((await catalog.send('HEAD', tbl)).status).toBe(204);
    const whatever = { 'if-none-match': '*' };
    const other = await catalog.send('POST', 'namespaces/ns/tables', { name: 'other', schema: SCHEMA }, whatever);
    expect(other.status).toBe(200);
    await catalog.ok('DELETE', 'namespaces/ns/tables/other');
    expect(await catalog.ok('GET', 'namespaces/ns/tables')).toEqual({
      identifiers: [{ namespace: ['ns'], name: 'tbl' }],
      'next-page-token': null,
    });
  });

  test('by stages keeps nothing and takes no name', async () => {
    const { server, catalog } = await open();
    const staged = await createTestTable(catalog, 'ns', 'tbl', { 'stage-create': true });
    expect(staged).not.toHaveProperty('metadata-location');
    expect(await catalog.refused('GET', tbl)).toBe('404 NoSuchTableException Table does not exist: ns.tbl');
    const place = `${server.dataDir}/warehouse/default/ns/tbl`;
    expect((await readdir(place)).sort()).toEqual(['data', 'metadata']);
    expect(await readdir(`${place}/metadata`)).toEqual([]);
    const uuid = staged.metadata['table-uuid'];
    const commit = {
      requirements: [{ type: 'assert-create' }],
      updates: [
        { action: 'assign-uuid', uuid },
        { action: 'upgrade-format-version', 'format-version': 2 },
        { action: 'add-schema', schema: { ...SCHEMA, 'schema-id': 0 } },
        { action: 'set-current-schema', 'schema-id': -1 },
        { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
        { action: 'set-default-spec', 'spec-id': -1 },
        { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
        { action: 'set-default-sort-order', 'sort-order-id': -1 },
        { action: 'set-location', location: staged.metadata.location },
        { action: 'set-properties', updates: {} },
      ],
    };
    const committed = await catalog.ok<Loaded>('POST', tbl, commit);
    expect(committed.metadata).toMatchObject({ 'table-uuid': uuid, location: staged.metadata.location });
    expect(committed['metadata-location']).toMatch(/\/00000-/);
    expect(await catalog.refused('POST', tbl, commit)).toBe(
      '409 CommitFailedException Requirement failed: table already exists',
    );
  });

  test('needs a free name and a namespace', async () => {
    const { catalog } = await open();
    await createTestTable(catalog);
    const again = { name: 'tbl', schema: SCHEMA };
    const path = 'namespaces/ns/tables';
    expect(await catalog.refused('POST', path, again)).toBe('409 AlreadyExistsException Table already exists: ns.tbl');
    expect(await catalog.refused('POST', path, { ...again, 'stage-create': true })).toMatch(/^409 AlreadyExists/);
    expect(await catalog.refused('POST', 'namespaces/zz/tables', again)).toBe(
      '404 NoSuchNamespaceException Namespace does not exist: zz',
    );
    for (const name of ['', '..', 'a\u0000b', 7, null, 'x'.repeat(256)]) {
      expect(await catalog.refused('POST', path, { ...again, name }), String(name)).toMatch(/^400 BadRequest/);
    }
    for (const type of ['invalid_type', 'decimal', 'decimal(10)', 'fixed[abc]', 'list', 7, {}]) {
      const schema = { type: 'struct', fields: [{ id: 1, name: 'x', type, required: false }] };
      expect(await catalog.refused('POST', path, { name: 'other', schema }), String(type)).toMatch(/^400 BadRequest/);
    }
    expect(await catalog.ok('GET', path)).toMatchObject({ identifiers: [{ name: 'tbl' }] });
  });

  test('gives names that look alike, or lead elsewhere, places of their own in the warehouse', async () => {
    const { server, catalog } = await open();
    await catalog.ok('POST', 'namespaces', { namespace: ['ns'] });
    const names = ['../../etc', 'a/b', 'a_b', 'a b', '%2e%2e%2f', 'ünï', '.hidden', 'con', '日本', '~', '-rf'];
    const locations = new Set<string>();
    for (const name of names) {
      const { metadata } = await catalog.ok<Loaded>('POST', 'namespaces/ns/tables', { name, schema: SCHEMA });
      expect(metadata.location.startsWith(`file://${server.dataDir}/warehouse/default/ns/`), metadata.location).toBe(
        true,
      );
      expect(metadata.location.split('/')).not.toContain('..');
      locations.add(metadata.location);
      expect(await catalog.ok('GET', `namespaces/ns/tables/${encodeURIComponent(name)}`)).toMatchObject({ metadata });
    }
    expect(locations.size).toBe(names.length);
  });
});

describe('loading a table', () => {
  test('again costs nothing when nothing has changed', async () => {
    const { catalog } = await open();
    await createTestTable(catalog);
    const first = await catalog.send('GET', tbl);
    const etag = first.headers.get('etag') ?? '';
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, text, headers } = await catalog.send('GET', tbl, undefined, { 'if-none-match': given });
      expect({ given, status, text, etag: headers.get('etag') }).toEqual({ given, status: 304, text: '', etag });
    }
    const committed = await catalog.send('POST', tbl, setProperty({ a: '1' }));
    const changed = await catalog.send('GET', tbl, undefined, { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).toBe(committed.headers.get('etag'));
    const refs = await catalog.send('GET', `${tbl}?snapshots=refs`);
    expect(refs.headers.get('etag')).not.toBe(changed.headers.get('etag'));
    expect(await catalog.refused('GET', `${tbl}?snapshots=some`)).toMatch(/^400 BadRequest/);
  });

  test('answers all snapshots, or those that a branch or tag has, with every digit of their ids', async () => {
    const { catalog } = await open();
    const { metadata } = await createTestTable(catalog);
    await catalog.ok('POST', tbl, `{"updates":[${appendSnapshot(metadata.location, BIG, 1)}]}`);
    await catalog.ok('POST', tbl, `{"updates":[${appendSnapshot(metadata.location, BIG + 1n, 2, BIG)}]}`);
    const all = await catalog.send('GET', tbl);
    expect(all.text).toContain(`"current-snapshot-id":${BIG + 1n}`);
    expect(all.text).toContain(`"snapshot-id":${BIG},`);
    const refs = await catalog.send('GET', `${tbl}?snapshots=refs`);
    expect((refs.json as { metadata: { snapshots: unknown[] } }).metadata.snapshots).toHaveLength(1);
    expect(refs.text).toContain(`"snapshot-id":${BIG + 1n},`);
  });

  test('says so when its metadata file is gone', async () => {
    const { catalog } = await open();
    const { 'metadata-location': location } = await createTestTable(catalog);
    await rm(fileOf(location));
    expect(await catalog.refused('GET', tbl)).toBe(
      `404 NotFoundException Failed to open input stream for file: ${location}`,
    );
  });
});

describe('a metadata file that is none', () => {
  test('is named, and is no reason to keep a table for ever', async () => {
    const { catalog } = await open();
    const { 'metadata-location': location } = await createTestTable(catalog);
    const beside = location.replace('00000-', '00001-');
    await writeFile(fileOf(beside), '{"format-version": 2');
    const register = { name: 'x', 'metadata-location': beside };
    expect(await catalog.refused('POST', 'namespaces/ns/register', register)).toBe(
      `400 BadRequestException The file ${beside} is no table metadata: It is not valid JSON.`,
    );
    await writeFile(fileOf(beside), '{"format-version": 2}');
    expect(await catalog.refused('POST', 'namespaces/ns/register', register)).toMatch(/is no table metadata: /);
    await rm(fileOf(location));
    await writeFile(fileOf(location), 'garbage');
    await catalog.ok('POST', 'namespaces/ns/tables', { name: 'other', schema: SCHEMA });
    expect((await catalog.send('DELETE', `${tbl}?purgeRequested=true`)).status).toBe(204);
    expect(await catalog.refused('GET', tbl)).toMatch(/^404 NoSuchTable/);
  });

  test('is read again when it is registered again', async () => {
    const { catalog } = await open();
    const created = await createTestTable(catalog);
    const location = created['metadata-location'];
    await catalog.ok('DELETE', tbl);
    const text = await readFile(fileOf(location), 'utf8');
    await writeFile(fileOf(location), text.replace('"properties":{', '"properties":{"a":"1",'));
    const again = await catalog.ok<Loaded>('POST', 'namespaces/ns/register', {
      name: 'tbl',
      'metadata-location': location,
    });
    expect(again.metadata.properties).toMatchObject({ a: '1' });
  });
});

describe('a database that fails in a commit', () => {
  const damaged = new PangolinError('storage_damaged', 'The disk failed.');

  test('and committed before it did, is no failure', async () => {
    const { server, catalog } = await open();
    await createTestTable(catalog);
    const { transact } = server.deps.db;
    server.deps.db.transact = async (unit, options) => {
      await transact(unit, options);
      throw damaged;
    };
    const { metadata } = await catalog.ok<Loaded>('POST', tbl, setProperty({ a: '1' }));
    server.deps.db.transact = transact;
    expect(await catalog.ok('GET', tbl)).toMatchObject({ metadata });
  });

  test('and does not say whether it committed, leaves the outcome open and the file there', async () => {
    const { server, catalog } = await open();
    const { metadata } = await createTestTable(catalog);
    const { transact } = server.deps.db;
    const undone = new Error('undone');
    server.deps.db.transact = async (unit, options) => {
      await transact(async (tx) => {
        await unit(tx);
        throw undone;
      }, options).catch((error) => {
        throw error === undone ? damaged : error;
      });
      throw undone;
    };
    expect(await catalog.refused('POST', tbl, setProperty({ a: '1' }))).toMatch(/^500 CommitStateUnknownException/);
    server.deps.db.transact = transact;
    expect(await readdir(join(fileOf(metadata.location), 'metadata'))).toHaveLength(2);
    expect(await catalog.ok('GET', tbl)).toMatchObject({ metadata });
  });

  test('and says that it did not, leaves nothing', async () => {
    const { server, catalog } = await open();
    const { metadata } = await createTestTable(catalog);
    const { transact } = server.deps.db;
    for (const code of ['storage_busy', 'storage_full'] as const) {
      server.deps.db.transact = async () => {
        throw new PangolinError(code, 'No.');
      };
      expect(await catalog.refused('POST', tbl, setProperty({ a: '1' }))).toMatch(/^503 ServiceUnavailableException/);
    }
    server.deps.db.transact = transact;
    expect(await readdir(join(fileOf(metadata.location), 'metadata'))).toHaveLength(1);
    await catalog.ok('POST', tbl, setProperty({ a: '1' }));
  });
});

describe('committing to a table', () => {
  test('writes a new file beside the old one and swaps the pointer', async () => {
    const { catalog } = await open();
    const created = await createTestTable(catalog);
    const committed = await catalog.ok<Loaded>('POST', tbl, setProperty({ a: '1' }));
    expect(committed['metadata-location']).toMatch(/\/00001-/);
    expect(committed.metadata).toMatchObject({
      properties: { a: '1' },
      'metadata-log': [{ 'metadata-file': created['metadata-location'] }],
    });
    expect(await catalog.ok('GET', tbl)).toEqual({ ...committed, config: {} });
    expect(await readdir(join(fileOf(created.metadata.location), 'metadata'))).toHaveLength(2);
  });

  test('that changes nothing answers what is there', async () => {
    const { catalog } = await open();
    const created = await createTestTable(catalog);
    for (const body of [{}, { updates: [] }, { properties: { a: '1' } }, setProperty({})]) {
      const { 'metadata-location': location } = await catalog.ok<Loaded>('POST', tbl, body);
      expect(location).toBe(created['metadata-location']);
    }
  });

  test('fails when a requirement does, and leaves no file', async () => {
    const { catalog } = await open();
    const { metadata } = await createTestTable(catalog);
    const uuid = '00000000-0000-4000-8000-000000000000';
    const refusals: [object, string][] = [
      [
        { requirements: [{ type: 'assert-table-uuid', uuid }], ...setProperty({ a: '1' }) },
        `409 CommitFailedException Requirement failed: UUID does not match: expected ${metadata['table-uuid']} != ${uuid}`,
      ],
      [
        {
          requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 5 }],
          ...setProperty({ a: '1' }),
        },
        '409 CommitFailedException Requirement failed: branch or tag main is missing, expected 5',
      ],
    ];
    for (const [body, expected] of refusals) expect(await catalog.refused('POST', tbl, body)).toBe(expected);
    for (const body of [
      { requirements: [{ type: 'assert-nothing' }] },
      { updates: [{ action: 'do-something' }] },
      { updates: [{ action: 'add-view-version' }] },
      { updates: [{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 1 }] },
      { updates: 'all' },
    ]) {
      expect(await catalog.refused('POST', tbl, body)).toMatch(/^400 BadRequest/);
    }
    expect(await catalog.refused('POST', 'namespaces/ns/tables/nope', setProperty({ a: '1' }))).toBe(
      '404 NoSuchTableException Table does not exist: ns.nope',
    );
    expect(await readdir(join(fileOf(metadata.location), 'metadata'))).toHaveLength(1);
  });

  test('from many writers at once loses nothing, in one process or two', async () => {
    const { server, catalog } = await open();
    await createTestTable(catalog);
    const beside = await openTestServer({ beside: server });
    const other = createCatalogCaller((await mint(beside, beside.owner)).caller);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? catalog : other).ok('POST', tbl, setProperty({ [`p${i}`]: 'x' }))),
    );
    for (const one of [catalog, other]) {
      const { metadata } = await one.ok<Loaded>('GET', tbl);
      expect(Object.keys(metadata.properties).filter((name) => /^p\d+$/.test(name))).toHaveLength(40);
      expect(metadata['metadata-log']).toHaveLength(40);
      expect(await readdir(join(fileOf(metadata.location), 'metadata'))).toHaveLength(41);
    }
  });

  test('lets old metadata files go when a property says so', async () => {
    const { catalog } = await open();
    const properties = {
      'write.metadata.delete-after-commit.enabled': 'true',
      'write.metadata.previous-versions-max': '2',
    };
    const { metadata } = await createTestTable(catalog, 'ns', 'tbl', { properties });
    for (let i = 0; i < 6; i += 1) await catalog.ok('POST', tbl, setProperty({ i: String(i) }));
    const folder = join(fileOf(metadata.location), 'metadata');
    await expect.poll(() => readdir(folder)).toHaveLength(3);
  });

  test('packs the metadata where a property says so', async () => {
    const { server, catalog } = await open();
    const properties = { 'write.metadata.compression-codec': 'gzip' };
    const created = await createTestTable(catalog, 'ns', 'tbl', { properties });
    expect(created['metadata-location']).toMatch(/\.gz\.metadata\.json$/);
    const beside = await openTestServer({ beside: server });
    const other = createCatalogCaller((await mint(beside, beside.owner)).caller);
    expect(await other.ok('GET', tbl)).toEqual(created);
  });
});

describe('renaming, dropping and registering', () => {
  test('a rename moves the name alone, also into another namespace', async () => {
    const { catalog } = await open();
    const created = await createTestTable(catalog);
    await createTestTable(catalog, 'other', 'taken');
    const rename = (destination: object, source: object = { namespace: ['ns'], name: 'tbl' }) => ({
      source,
      destination,
    });
    const refusals: [object, string][] = [
      [rename({ namespace: ['zz'], name: 'x' }), '404 NoSuchNamespaceException Namespace does not exist: zz'],
      [
        rename({ namespace: ['other'], name: 'taken' }),
        '409 AlreadyExistsException Cannot rename ns.tbl to other.taken. Table already exists',
      ],
      [
        rename({ namespace: ['ns'], name: 'x' }, { namespace: ['ns'], name: 'nope' }),
        '404 NoSuchTableException Table does not exist: ns.nope',
      ],
    ];
    for (const [body, expected] of refusals)
      expect(await catalog.refused('POST', 'tables/rename', body)).toBe(expected);
    expect((await catalog.send('POST', 'tables/rename', rename({ namespace: ['other'], name: 'moved' }))).status).toBe(
      204,
    );
    expect(await catalog.ok('GET', 'namespaces/other/tables/moved')).toEqual(created);
    expect(await catalog.refused('GET', tbl)).toMatch(/^404 NoSuchTable/);
    const again = await createTestTable(catalog);
    expect(again.metadata.location).toMatch(/\/ns\/tbl-[0-9a-f]{8}$/);
  });

  test('a drop leaves the files, a purge does not', async () => {
    const { server, catalog } = await open();
    const created = await createTestTable(catalog);
    expect((await catalog.send('DELETE', tbl)).status).toBe(204);
    expect(await catalog.refused('DELETE', tbl)).toBe('404 NoSuchTableException Table does not exist: ns.tbl');
    const body = { name: 'back', 'metadata-location': created['metadata-location'] };
    expect(await catalog.ok('POST', 'namespaces/ns/register', body)).toEqual(created);
    expect((await catalog.send('DELETE', 'namespaces/ns/tables/back?purgeRequested=True')).status).toBe(204);
    await expect.poll(() => readdir(join(server.dataDir, 'warehouse/default/ns')).catch(() => [])).toEqual([]);
    await createTestTable(catalog, 'ns', 'kept', { properties: { 'gc.enabled': 'false' } });
    expect(await catalog.refused('DELETE', 'namespaces/ns/tables/kept?purgeRequested=true')).toMatch(
      /^400 .*gc\.enabled/,
    );
    expect(await catalog.refused('DELETE', 'namespaces/ns/tables/kept?purgeRequested=yes')).toMatch(/^400 /);
    expect((await catalog.send('HEAD', 'namespaces/ns/tables/kept')).status).toBe(204);
  });

  test('registering takes a metadata file as it is, and over another only when asked', async () => {
    const { catalog } = await open();
    const created = await createTestTable(catalog);
    const committed = await catalog.ok<Loaded>('POST', tbl, setProperty({ a: '1' }));
    const register = (location: string, more: object = {}) =>
      [`namespaces/ns/register`, { name: 'tbl', 'metadata-location': location, ...more }] as const;
    const old = created['metadata-location'];
    expect(await catalog.refused('POST', ...register(old))).toBe(
      '409 AlreadyExistsException Table already exists: ns.tbl',
    );
    expect(await catalog.ok('POST', ...register(old, { overwrite: true }))).toEqual(created);
    expect(await catalog.ok('GET', tbl)).toEqual(created);
    await catalog.ok('DELETE', tbl);
    expect(await catalog.ok('POST', ...register(committed['metadata-location']))).toMatchObject({
      'metadata-location': committed['metadata-location'],
      metadata: committed.metadata,
    });
    const missing = old.replace('00000-', '00009-');
    expect(await catalog.refused('POST', 'namespaces/ns/register', { name: 'x', 'metadata-location': missing })).toBe(
      `404 NotFoundException Failed to open input stream for file: ${missing}`,
    );
  });

  test('metrics are welcome', async () => {
    const { catalog } = await open();
    await createTestTable(catalog);
    for (const report of ['scan-report', 'commit-report', 'of-tomorrow']) {
      const { status } = await catalog.send('POST', `${tbl}/metrics`, { 'report-type': report, x: BIG.toString() });
      expect(status).toBe(204);
    }
    expect(await catalog.refused('POST', 'namespaces/ns/tables/nope/metrics', {})).toMatch(/^404 NoSuchTable/);
    expect(await catalog.ok('GET', `${tbl}/credentials`)).toEqual({ 'storage-credentials': [] });
  });
});

describe('a transaction', () => {
  const change = (name: string, body: object) => ({
    identifier: { namespace: ['ns'], name },
    requirements: [],
    ...body,
  });

  test('changes all of its tables or none', async () => {
    const { catalog } = await open();
    const a = await createTestTable(catalog, 'ns', 'a');
    const b = await createTestTable(catalog, 'ns', 'b');
    const commit = (...changes: object[]) => ({ 'table-changes': changes });
    const both = commit(change('a', setProperty({ x: '1' })), change('b', setProperty({ x: '1' })));
    const { status, text } = await catalog.send('POST', 'transactions/commit', both);
    expect({ status, text }).toEqual({ status: 204, text: '' });
    const uuid = '00000000-0000-4000-8000-000000000000';
    for (const bad of [
      change('b', { requirements: [{ type: 'assert-table-uuid', uuid }] }),
      change('nope', setProperty({ x: '2' })),
      change('b', { updates: [{ action: 'nonsense' }] }),
      { ...setProperty({ x: '2' }) },
    ]) {
      const refused = await catalog.refused(
        'POST',
        'transactions/commit',
        commit(change('a', setProperty({ x: '2' })), bad),
      );
      expect(refused).toMatch(/^(409 CommitFailed|404 NoSuchTable|400 BadRequest)/);
    }
    for (const { metadata } of [a, b]) {
      const folder = join(fileOf(metadata.location), 'metadata');
      expect(await readdir(folder)).toHaveLength(2);
    }
    expect((await catalog.ok<Loaded>('GET', 'namespaces/ns/tables/a')).metadata.properties).toMatchObject({ x: '1' });
  });

  test('makes several changes to one table one after the other, and creates tables', async () => {
    const { catalog } = await open();
    await createTestTable(catalog, 'ns', 'a');
    const body = {
      'table-changes': [
        change('a', setProperty({ x: '1', y: '1' })),
        change('a', { updates: [{ action: 'remove-properties', removals: ['x'] }] }),
        change('new', {
          requirements: [{ type: 'assert-create' }],
          updates: [
            { action: 'add-schema', schema: { ...SCHEMA, 'schema-id': 0 } },
            { action: 'set-current-schema', 'schema-id': -1 },
            { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
            { action: 'set-default-spec', 'spec-id': -1 },
            { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
            { action: 'set-default-sort-order', 'sort-order-id': -1 },
          ],
        }),
      ],
    };
    await catalog.ok('POST', 'transactions/commit', body);
    const { metadata } = await catalog.ok<Loaded>('GET', 'namespaces/ns/tables/a');
    expect(metadata.properties).toEqual({ y: '1', 'write.parquet.compression-codec': 'zstd' });
    expect(metadata['metadata-log']).toHaveLength(1);
    expect(await catalog.ok('GET', 'namespaces/ns/tables/new')).toMatchObject({ metadata: { 'last-column-id': 1 } });
  });
});
