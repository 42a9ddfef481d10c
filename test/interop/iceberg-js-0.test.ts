import { type CreateTableRequest, IcebergRestCatalog, type IcebergRestCatalogOptions, typesEqual } from 'iceberg-js-0';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lakehouse, openLakehouse } from './lakehouse.ts';

const tableOf = (name: string, type: string | object = 'long'): CreateTableRequest =>
  ({
    name,
    schema: { type: 'struct', fields: [{ id: 1, name: 'id', type, required: true }], 'schema-id': 0 },
  }) as CreateTableRequest;

let lakehouse: Lakehouse;
beforeAll(async () => {
  lakehouse = await openLakehouse();
});
afterAll(() => lakehouse?.close());

const open = (options: Partial<IcebergRestCatalogOptions>) =>
  new IcebergRestCatalog({ baseUrl: lakehouse.uri, auth: { type: 'bearer', token: lakehouse.token }, ...options });

const shapes: Array<[title: string, options: (origin: string) => Partial<IcebergRestCatalogOptions>]> = [
  ['the catalog in the base URL', (origin) => ({ baseUrl: `${origin}/v1/default` })],
  ['the catalog in the base URL, with a slash at the end', (origin) => ({ baseUrl: `${origin}/v1/default/` })],
  ['the catalog as catalogName', (origin) => ({ baseUrl: origin, catalogName: 'default' })],
  [
    'the catalog in the base URL and as catalogName',
    (origin) => ({ baseUrl: `${origin}/v1/default`, catalogName: 'default' }),
  ],
];

describe.each(shapes)('iceberg-js 0.8: %s', (title, options) => {
  test('namespaces and tables are created, listed, loaded, told to exist and dropped', async () => {
    const catalog = open(options(lakehouse.server.origin));
    const namespace = { namespace: [title] };
    const inner = { namespace: [title, 'inner'] };
    await catalog.createNamespace(namespace, { properties: { owner: 'ada' } });
    await catalog.createNamespace(inner);
    expect((await catalog.loadNamespaceMetadata(namespace)).properties).toMatchObject({ owner: 'ada' });
    expect(await catalog.listNamespaces()).toContainEqual(namespace);
    expect(await catalog.listNamespaces(namespace)).toEqual([inner]);
    const created = await catalog.createTable(inner, tableOf('people'));
    const people = { ...inner, name: 'people' };
    expect(await catalog.loadTable(people)).toEqual(created);
    expect(await catalog.listTables(inner)).toEqual([people]);
    expect([await catalog.tableExists(people), await catalog.tableExists({ ...inner, name: 'x' })]).toEqual([
      true,
      false,
    ]);
    expect(await catalog.createTableIfNotExists(inner, tableOf('people'))).toEqual(created);
    await catalog.dropTable(people, { purge: true });
    await catalog.dropNamespace(inner);
    expect(await catalog.namespaceExists(inner)).toBe(false);
    await catalog.dropNamespace(namespace);
  });
});

describe('iceberg-js 0.8', () => {
  const namespace = { namespace: ['old'] };
  let catalog: IcebergRestCatalog;
  beforeAll(async () => {
    catalog = open({ accessDelegation: ['vended-credentials'] });
    await catalog.createNamespace(namespace);
  });

  test('its updateTable, which sends no updates, is answered with the table as it is', async () => {
    const created = await catalog.createTable(namespace, tableOf('settings'));
    const answer = await catalog.updateTable({ ...namespace, name: 'settings' }, { properties: { a: 'b' } });
    expect(answer['metadata-location']).toContain('/metadata/00000-');
    expect(answer.metadata).toEqual(created);
  });

  test('every type that Iceberg has is taken', async () => {
    const types = ['boolean', 'int', 'long', 'float', 'double', 'decimal(10,2)', 'decimal(38, 0)', 'date', 'time'];
    types.push('timestamp', 'timestamptz', 'string', 'uuid', 'binary', 'fixed[16]');
    const nested = [
      { type: 'list', 'element-id': 2, element: 'string', 'element-required': false },
      { type: 'map', 'key-id': 2, key: 'string', 'value-id': 3, value: 'long', 'value-required': true },
      { type: 'struct', fields: [{ id: 2, name: 'x', type: 'double', required: false }] },
    ];
    for (const [index, type] of [...types, ...nested].entries()) {
      await catalog.createTable(namespace, tableOf(`typed${index}`, type));
      const { schemas } = await catalog.loadTable({ ...namespace, name: `typed${index}` });
      const found = schemas[0]?.fields[0]?.type;
      const isSame = typeof type === 'string' && typeof found === 'string' && typesEqual(found, type);
      if (!isSame) expect(found).toEqual(type);
    }
  });

  test.each([
    'invalid_type',
    'decimal',
    'decimal()',
    'decimal(10)',
    'decimal(a,b)',
    'decimal(39,2)',
    'fixed',
    'fixed[]',
    'fixed[abc]',
    { type: 'list', element: 'string', 'element-required': false },
    { type: 'map', key: 'string', value: 'long', 'value-required': true },
  ])('what is no type is refused in Iceberg’s shape: %j', async (type) => {
    const created = catalog.createTable(namespace, tableOf('mistyped', type));
    await expect(created).rejects.toMatchObject({ name: 'IcebergError', status: 400, icebergCode: 400 });
    expect(await catalog.tableExists({ ...namespace, name: 'mistyped' })).toBe(false);
  });

  test('refusals have Iceberg’s shape', async () => {
    const missing = catalog.loadTable({ ...namespace, name: 'missing' });
    await expect(missing).rejects.toMatchObject({ status: 404, icebergType: 'NoSuchTableException', icebergCode: 404 });
    const again = catalog.createNamespace(namespace);
    await expect(again).rejects.toMatchObject({ status: 409, icebergType: 'AlreadyExistsException', icebergCode: 409 });
    expect(await catalog.createNamespaceIfNotExists(namespace)).toBeUndefined();
  });
});
