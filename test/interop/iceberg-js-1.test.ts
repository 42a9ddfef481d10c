import {
  type CommitTableRequest,
  type CreateTableRequest,
  IcebergRestCatalog,
  type IcebergRestCatalogOptions,
} from 'iceberg-js-1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lakehouse, mintToken, openLakehouse } from './lakehouse.ts';

const NAMESPACE = { namespace: ['a b', 'c/d'] };
const PEOPLE: CreateTableRequest = {
  name: 'people',
  schema: {
    type: 'struct',
    fields: [
      { id: 10, name: 'id', type: 'long', required: true },
      { id: 20, name: 'name', type: 'string', required: false, doc: 'as in naïve ☃' },
    ],
  },
};

let lakehouse: Lakehouse;
beforeAll(async () => {
  lakehouse = await openLakehouse();
});
afterAll(() => lakehouse?.close());

const open = (options: Partial<IcebergRestCatalogOptions>, token = lakehouse.token) =>
  new IcebergRestCatalog({ baseUrl: lakehouse.uri, auth: { type: 'bearer', token }, ...options });

/** Every shape of base URL, by what it needs. */
const shapes: Array<[title: string, options: (origin: string) => Partial<IcebergRestCatalogOptions>]> = [
  ['the catalog in the base URL', (origin) => ({ baseUrl: `${origin}/v1/default` })],
  ['the catalog in the base URL, with a slash at the end', (origin) => ({ baseUrl: `${origin}/v1/default/` })],
  ['the catalog as warehouse', (origin) => ({ baseUrl: origin, warehouse: 'default' })],
  ['the catalog as catalogName', (origin) => ({ baseUrl: `${origin}/`, catalogName: 'default' })],
  [
    'the catalog in the base URL and as warehouse',
    (origin) => ({ baseUrl: `${origin}/v1/default`, warehouse: 'default' }),
  ],
];

describe.each(shapes)('iceberg-js 1: %s', (title, options) => {
  const id = { namespace: [title], name: 'people' };
  let catalog: IcebergRestCatalog;
  beforeAll(() => {
    catalog = open(options(lakehouse.server.origin));
  });

  test('the configuration is read and lists what is served', async () => {
    const { defaults, overrides, endpoints } = await catalog.loadConfig();
    expect({ defaults, overrides }).toEqual({ defaults: expect.any(Object), overrides: expect.any(Object) });
    expect(endpoints).toEqual(
      expect.arrayContaining(['GET /v1/{prefix}/namespaces', 'POST /v1/{prefix}/tables/rename']),
    );
  });

  test('namespaces and tables are created, changed, renamed and dropped', async () => {
    await catalog.createNamespace({ namespace: [title] });
    const created = await catalog.createTable({ namespace: [title] }, PEOPLE);
    expect(created.schemas[0]?.fields.map(({ id: field, name }) => [field, name])).toEqual([
      [1, 'id'],
      [2, 'name'],
    ]);
    const updated = await catalog.updateTable(id, {
      requirements: [{ type: 'assert-table-uuid', uuid: created['table-uuid'] ?? '' }],
      updates: [{ action: 'set-properties', updates: { owner: 'ada' } }],
    });
    expect(updated.metadata.properties).toMatchObject({ owner: 'ada' });
    await catalog.renameTable({ source: id, destination: { ...id, name: 'persons' } });
    expect(await catalog.listTables({ namespace: [title] })).toMatchObject({
      identifiers: [{ ...id, name: 'persons' }],
    });
    await catalog.dropTable({ ...id, name: 'persons' }, { purge: true });
    await catalog.dropNamespace({ namespace: [title] });
    expect(await catalog.namespaceExists({ namespace: [title] })).toBe(false);
  });
});

describe('iceberg-js 1', () => {
  let catalog: IcebergRestCatalog;
  beforeAll(async () => {
    catalog = open({});
    await catalog.createNamespace({ namespace: ['a b'] });
    await catalog.createNamespace(NAMESPACE, { properties: { owner: 'ada' } });
    await catalog.createTable(NAMESPACE, PEOPLE);
  });

  const people = { ...NAMESPACE, name: 'people' };

  test('nested namespaces are listed, described and changed', async () => {
    expect(await catalog.listNamespaces({ parent: { namespace: ['a b'] } })).toMatchObject({ namespaces: [NAMESPACE] });
    const change = { removals: ['owner', 'nothing'], updates: { team: 'x' } };
    expect(await catalog.updateNamespaceProperties(NAMESPACE, change)).toEqual({
      removed: ['owner'],
      updated: ['team'],
      missing: ['nothing'],
    });
    expect((await catalog.loadNamespaceMetadata(NAMESPACE)).properties).toMatchObject({ team: 'x' });
  });

  test('a table is loaded only where it has changed: 304 with its ETag, anew after a commit', async () => {
    const first = await catalog.loadTableResult(people);
    expect(first?.etag).toMatch(/^(W\/)?".+"$/);
    const ifNoneMatch = first?.etag ?? '';
    expect(await catalog.loadTableResult(people, { ifNoneMatch })).toBeNull();
    expect(await catalog.loadTable(people, { ifNoneMatch: `"x", ${ifNoneMatch}` })).toBeNull();
    const updates = [{ action: 'set-properties' as const, updates: { n: '1' } }];
    await catalog.commitTable(people, { requirements: [], updates });
    const second = await catalog.loadTableResult(people, { ifNoneMatch });
    expect(second?.metadata.properties).toMatchObject({ n: '1' });
    expect(second?.etag).not.toBe(first?.etag);
  });

  test('the ETag of a created table is that of the table as it is loaded', async () => {
    const created = await catalog.createTableResult(NAMESPACE, { ...PEOPLE, name: 'fresh' });
    const id = { ...NAMESPACE, name: 'fresh' };
    expect(await catalog.loadTableResult(id, { ifNoneMatch: created.etag ?? '', snapshots: 'all' })).toBeNull();
    expect(await catalog.loadTableResult(id, { ifNoneMatch: created.etag ?? '' })).toBeNull();
    await catalog.dropTable(id);
  });

  test('what exists is told from what does not', async () => {
    expect(await catalog.tableExists(people)).toBe(true);
    expect(await catalog.tableExists({ ...people, name: 'nobody' })).toBe(false);
    expect(await catalog.namespaceExists(NAMESPACE)).toBe(true);
    expect(await catalog.namespaceExists({ namespace: ['nowhere'] })).toBe(false);
    expect(await catalog.createNamespaceIfNotExists(NAMESPACE)).toBeUndefined();
    expect(await catalog.createTableIfNotExists(NAMESPACE, PEOPLE)).toMatchObject({ 'format-version': 2 });
  });

  test('a dropped table is registered from its metadata file', async () => {
    const { 'metadata-location': location } = await catalog.createTableResult(NAMESPACE, { ...PEOPLE, name: 'lost' });
    const request = { name: 'found', 'metadata-location': location ?? '' };
    await expect(catalog.registerTable(NAMESPACE, { ...request, name: 'people' })).rejects.toMatchObject({
      status: 409,
    });
    await catalog.dropTable({ ...NAMESPACE, name: 'lost' });
    const found = await catalog.registerTableResult(NAMESPACE, request);
    expect(found['metadata-location']).toBe(location);
    await catalog.dropTable({ ...NAMESPACE, name: 'found' });
  });

  test('pages of a listing come one after the other and end', async () => {
    const many = { namespace: ['many'] };
    await catalog.createNamespace(many);
    for (let n = 0; n < 5; n += 1) await catalog.createTable(many, { ...PEOPLE, name: `t${n}` });
    const names: string[] = [];
    let page = await catalog.listTables(many, { pageSize: 2 });
    for (let pages = 1; ; pages += 1) {
      expect(page.identifiers.length).toBeLessThanOrEqual(2);
      names.push(...page.identifiers.map(({ name }) => name));
      if (page.nextPageToken === undefined) break;
      expect(pages).toBeLessThan(5);
      page = await catalog.listTables(many, { pageSize: 2, pageToken: page.nextPageToken });
    }
    expect(names).toEqual(['t0', 't1', 't2', 't3', 't4']);
    expect((await catalog.listTables(many)).identifiers).toHaveLength(5);
  });

  test('every refusal has Iceberg’s shape: the class, its number and a message', async () => {
    const nowhere = { namespace: ['nowhere'] };
    const mustBeNew: CommitTableRequest = { requirements: [{ type: 'assert-create' }], updates: [] };
    const unknown = { requirements: [], updates: [{ action: 'explode' }] } as unknown as CommitTableRequest;
    const both = { removals: ['a'], updates: { a: '1' } };
    const refusals: Array<[ask: () => Promise<unknown>, status: number, type: string]> = [
      [() => catalog.loadTable({ ...NAMESPACE, name: 'x' }), 404, 'NoSuchTableException'],
      [() => catalog.loadNamespaceMetadata(nowhere), 404, 'NoSuchNamespaceException'],
      [() => catalog.listTables(nowhere), 404, 'NoSuchNamespaceException'],
      [() => catalog.createTable(NAMESPACE, PEOPLE), 409, 'AlreadyExistsException'],
      [() => catalog.createNamespace(NAMESPACE), 409, 'AlreadyExistsException'],
      [() => catalog.dropNamespace(NAMESPACE), 409, 'NamespaceNotEmptyException'],
      [() => catalog.updateTable(people, mustBeNew), 409, 'CommitFailedException'],
      [() => catalog.updateTable(people, unknown), 400, 'BadRequestException'],
      [() => catalog.updateNamespaceProperties(NAMESPACE, both), 422, 'UnprocessableEntityException'],
      [() => open({}, 'no token').listNamespaces(), 401, 'NotAuthorizedException'],
      [
        () => open({ baseUrl: lakehouse.server.origin, warehouse: 'nowhere' }).loadConfig(),
        404,
        'NoSuchWarehouseException',
      ],
    ];
    for (const [ask, status, icebergType] of refusals) {
      const message = expect.stringMatching(/\w/);
      await expect(ask()).rejects.toMatchObject({
        name: 'IcebergError',
        status,
        icebergType,
        icebergCode: status,
        message,
      });
    }
  });

  test('a token that may only read is refused a commit: ForbiddenException', async () => {
    const reader = open({}, await mintToken(lakehouse.box, ['--scope', 'catalog:read']));
    expect(await reader.tableExists(people)).toBe(true);
    const updates = [{ action: 'set-properties' as const, updates: { n: '2' } }];
    const commit = reader.updateTable(people, { requirements: [], updates });
    await expect(commit).rejects.toMatchObject({ status: 403, icebergType: 'ForbiddenException', icebergCode: 403 });
  });
});
