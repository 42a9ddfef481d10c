import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../packages/server/src/iceberg/json.ts';
import { readTableMetadata } from '../../../../packages/server/src/iceberg/metadata/read-table-metadata.ts';
import { writeTableMetadata } from '../../../../packages/server/src/iceberg/metadata/write-table-metadata.ts';
import { createTable, expectRefusal, json, LOCATION, NOW_MS, SCHEMA, UUID } from './tables.ts';

const withType = (type: JsonValue, more: JsonObject = {}) => ({
  schema: { type: 'struct', fields: [{ id: 1, name: 'a', required: false, type, ...more }] },
});

describe('a new table', () => {
  test('is of format version 2, empty, unpartitioned and unsorted when the request says no more', () => {
    expect(JSON.parse(writeTableMetadata(createTable()))).toEqual({
      'format-version': 2,
      'table-uuid': UUID,
      location: LOCATION,
      'last-sequence-number': 0,
      'last-updated-ms': NOW_MS,
      'last-column-id': 3,
      'current-schema-id': 0,
      schemas: [SCHEMA],
      'default-spec-id': 0,
      'partition-specs': [{ 'spec-id': 0, fields: [] }],
      'last-partition-id': 999,
      'default-sort-order-id': 0,
      'sort-orders': [{ 'order-id': 0, fields: [] }],
      properties: { 'write.parquet.compression-codec': 'zstd' },
      'current-snapshot-id': -1,
      refs: {},
      snapshots: [],
      statistics: [],
      'partition-statistics': [],
      'snapshot-log': [],
      'metadata-log': [],
    });
  });

  test('has the format version its properties ask for, and does not keep reserved properties', () => {
    const request = { properties: { 'format-version': '3', uuid: 'x', 'current-schema': '1', owner: 'me' } };
    const metadata = createTable(request);
    expect(metadata).toMatchObject({ 'format-version': 3, 'next-row-id': 0 });
    expect({ ...metadata.properties }).toEqual({ owner: 'me', 'write.parquet.compression-codec': 'zstd' });
    expect(writeTableMetadata(metadata)).toContain('"current-snapshot-id":null,"next-row-id":0,"refs"');
  });

  test.each([
    ['4', /^Unsupported format version: v4 \(supported: v3\)$/],
    ['0', /^Unsupported format version/],
    ['two', /^Unsupported format version/],
    [2, 'must be a string'],
  ])('of format version %j is refused', (version, message) => {
    expectRefusal(() => createTable({ properties: { 'format-version': version } }), message);
  });

  test('of version 1 repeats its schema and spec for the oldest readers', () => {
    const fields = [{ 'source-id': 1, 'field-id': 5, transform: 'bucket[4]', name: 'id_bucket' }];
    const text = writeTableMetadata(
      createTable({ properties: { 'format-version': '1' }, 'partition-spec': { fields } }),
    );
    const file = JSON.parse(text);
    expect(file.schema).toEqual(SCHEMA);
    expect(file['partition-spec']).toEqual([
      { name: 'id_bucket', transform: 'bucket[4]', 'source-id': 1, 'field-id': 1000 },
    ]);
    expect(file).not.toHaveProperty('last-sequence-number');
    expect(Object.keys(file).slice(0, 8)).toEqual([
      'format-version',
      'table-uuid',
      'location',
      'last-updated-ms',
      'last-column-id',
      'schema',
      'current-schema-id',
      'schemas',
    ]);
  });

  test('numbers its fields from 1, a struct’s own before what they hold, and every id that refers to them', () => {
    const metadata = createTable({
      schema: {
        type: 'struct',
        'schema-id': 7,
        'identifier-field-ids': [70],
        fields: [
          {
            id: 50,
            name: 's',
            required: true,
            type: {
              type: 'struct',
              fields: [
                { id: 51, name: 'x', required: false, type: 'int' },
                { id: 70, name: 'y', required: true, type: 'string' },
              ],
            },
          },
          {
            id: 10,
            name: 'm',
            required: false,
            type: {
              type: 'map',
              'key-id': 11,
              key: 'string',
              'value-id': 12,
              value: { type: 'list', 'element-id': 13, element: 'decimal(9, 2)', 'element-required': true },
              'value-required': false,
            },
          },
          { id: 3, name: 'd', required: false, type: 'date' },
        ],
      },
      'partition-spec': { 'spec-id': 4, fields: [{ 'source-id': 3, name: 'd_month', transform: 'month' }] },
      'write-order': {
        'order-id': 9,
        fields: [{ 'source-id': 51, transform: 'identity', direction: 'desc', 'null-order': 'nulls-last' }],
      },
    });
    const file = JSON.parse(writeTableMetadata(metadata));
    expect(file.schemas[0]).toEqual({
      type: 'struct',
      'schema-id': 0,
      'identifier-field-ids': [5],
      fields: [
        {
          id: 1,
          name: 's',
          required: true,
          type: {
            type: 'struct',
            fields: [
              { id: 4, name: 'x', required: false, type: 'int' },
              { id: 5, name: 'y', required: true, type: 'string' },
            ],
          },
        },
        {
          id: 2,
          name: 'm',
          required: false,
          type: {
            type: 'map',
            'key-id': 6,
            key: 'string',
            'value-id': 7,
            value: { type: 'list', 'element-id': 8, element: 'decimal(9,2)', 'element-required': true },
            'value-required': false,
          },
        },
        { id: 3, name: 'd', required: false, type: 'date' },
      ],
    });
    expect(file).toMatchObject({
      'last-column-id': 8,
      'partition-specs': [{ 'spec-id': 0, fields: [{ 'source-id': 3, 'field-id': 1000 }] }],
      'last-partition-id': 1000,
      'sort-orders': [{ 'order-id': 1, fields: [{ 'source-id': 4, direction: 'desc' }] }],
      'default-sort-order-id': 1,
    });
    expect(writeTableMetadata(readTableMetadata(json(writeTableMetadata(metadata))))).toBe(
      writeTableMetadata(metadata),
    );
  });
});

describe('the types of columns', () => {
  test.each([
    'invalid_type',
    'LONG',
    'decimal',
    'decimal()',
    'decimal(10)',
    'decimal(a,b)',
    'decimal(39,2)',
    'decimal(5,6)',
    'decimal(0,0)',
    'fixed',
    'fixed[]',
    'fixed[abc]',
    'fixed[0]',
    'fixed[99999999999]',
    'struct',
    'list',
    '',
    '__proto__',
    'constructor',
    5,
    true,
    [],
    {},
    { type: 'list', element: 'int', 'element-required': true },
    { type: 'list', 'element-id': 2, 'element-required': true },
    { type: 'map', key: 'int', value: 'int', 'value-required': true },
    { type: 'map', 'key-id': 2, key: 'int', value: 'int', 'value-required': true },
    { type: 'struct' },
    { type: 'tuple', fields: [] },
    { type: 'struct', fields: [{ id: 2, name: 'x', required: false, type: 'nope' }] },
  ])('%j is refused, naming where it stands', (type) => {
    expectRefusal(() => createTable(withType(type)), /schema\.fields\[0\]\.type/);
  });

  test.each(['fixed[16]', 'decimal(38,10)', 'uuid', 'binary', 'time', 'timestamp'])('%s is accepted', (type) => {
    expect(createTable(withType(type)).schemas[0]?.fields[0]?.type).toBe(type);
  });

  test.each(['variant', 'timestamp_ns', 'timestamptz_ns', 'unknown', 'geometry', 'geography'])(
    '%s takes format version 3',
    (type) => {
      expectRefusal(() => createTable(withType(type)), `${type} is not supported until v3`);
      expect(createTable({ ...withType(type), properties: { 'format-version': '3' } })['format-version']).toBe(3);
    },
  );

  test.each(['geometry(srid:4326)', 'geography(OGC:CRS84,spherical)', 'geography(OGC:CRS84)'])(
    '%s is a type of version 3',
    (type) => {
      expect(createTable({ ...withType(type), properties: { 'format-version': '3' } })['format-version']).toBe(3);
    },
  );

  const identifiedBy = (type: string) => ({
    schema: {
      type: 'struct',
      'identifier-field-ids': [1],
      fields: [{ id: 1, name: 'a', required: type !== 'unknown', type }],
    },
    properties: { 'format-version': '3' },
  });

  test.each(['timestamp_ns', 'timestamptz_ns', 'decimal(9,2)', 'uuid'])('%s may identify a row', (type) => {
    expect(createTable(identifiedBy(type)).schemas[0]?.['identifier-field-ids']).toEqual([1]);
  });

  test.each(['variant', 'geometry(srid:4326)', 'geography', 'unknown'])('%s may not identify a row', (type) => {
    const kind = type.replace(/\(.*/, '');
    expectRefusal(() => createTable(identifiedBy(type)), `the identifier field a must not be of type ${kind}`);
  });

  test('an initial default takes format version 3', () => {
    expectRefusal(() => createTable(withType('int', { 'initial-default': 1 })), 'not supported until v3');
    const created = createTable({
      ...withType('int', { 'initial-default': 1 }),
      properties: { 'format-version': '3' },
    });
    expect(created.schemas[0]?.fields[0]).toMatchObject({ 'initial-default': 1 });
  });
});

describe('a schema that does not hold together is refused', () => {
  const field = (more: JsonObject = {}): JsonObject => ({ id: 1, name: 'a', required: true, type: 'int', ...more });
  const struct = (...fields: JsonValue[]): JsonObject => ({ type: 'struct', fields });

  test.each<[string, JsonValue, string]>([
    ['no schema', null, 'schema is missing'],
    ['a schema that is a list', [], 'schema must be an object'],
    ['a schema of another type', { type: 'list', fields: [] }, 'schema.type must be "struct"'],
    ['no fields', { type: 'struct' }, 'schema.fields is missing'],
    ['fields as an object', { type: 'struct', fields: {} }, 'schema.fields must be a list'],
    ['a field without an id', struct({ name: 'a', required: true, type: 'int' }), 'schema.fields[0].id is missing'],
    ['an id beyond 32 bits', struct(field({ id: 2 ** 31 })), 'schema.fields[0].id must be a 32-bit integer'],
    ['an id as a string', struct(field({ id: '1' })), 'must be a 32-bit integer'],
    ['an empty name', struct(field({ name: '' })), 'schema.fields[0].name must not be empty'],
    ['a name with a NUL', struct(field({ name: 'a\u0000' })), 'control characters'],
    ['a name that is half a character', struct(field({ name: '\ud800' })), 'valid Unicode'],
    ['required as a string', struct(field({ required: 'true' })), 'must be true or false'],
    ['the same id twice', struct(field(), field({ name: 'b' })), 'field id 1 is there more than once'],
    ['the same name twice', struct(field(), field({ id: 2 })), 'field name "a" is there more than once'],
    ['an unknown identifier field', { ...struct(field()), 'identifier-field-ids': [9] }, 'not in the schema'],
    ['a float identifier', { ...struct(field({ type: 'double' })), 'identifier-field-ids': [1] }, 'float or double'],
    ['an optional identifier', { ...struct(field({ required: false })), 'identifier-field-ids': [1] }, 'be required'],
  ])('%s', (_, schema, message) => {
    expectRefusal(() => createTable({ schema }), message);
  });

  test('types nested without end', () => {
    let type: JsonValue = 'int';
    for (let id = 2; id < 2000; id += 1) {
      type = { type: 'list', 'element-id': id, element: type, 'element-required': true };
    }
    expectRefusal(() => createTable(withType(type)), 'nested more than 64 levels');
  });

  test('unknown members nested without end', () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 5000; level += 1) deep = [deep];
    expectRefusal(() => createTable(withType('int', { extra: deep })), 'nested more than 64 levels');
  });

  test('a column name may have line breaks, as CSV headers do', () => {
    expect(createTable(withType('int', { name: 'a\nb' })).schemas[0]?.fields[0]?.name).toBe('a\nb');
  });
});

describe('the partitions and the order of a new table', () => {
  const spec = (...fields: JsonValue[]) => ({ 'partition-spec': { fields } });

  test.each<[string, JsonObject, string]>([
    ['an unknown column', { 'source-id': 9, name: 'p', transform: 'identity' }, 'Cannot find source column'],
    ['an unknown transform', { 'source-id': 1, name: 'p', transform: 'hash' }, 'is not a transform'],
    ['no buckets', { 'source-id': 1, name: 'p', transform: 'bucket[0]' }, 'is not a transform'],
    ['a transform without its argument', { 'source-id': 1, name: 'p', transform: 'bucket' }, 'is not a transform'],
    [
      'a day of a number',
      { 'source-id': 1, name: 'p', transform: 'day' },
      'Invalid source type long for transform: day',
    ],
    ['the name of another column', { 'source-id': 1, name: 'name', transform: 'identity' }, 'name of a column'],
    ['the name of its column, but not identity', { 'source-id': 1, name: 'id', transform: 'bucket[2]' }, 'of a column'],
    ['no name', { 'source-id': 1, name: '', transform: 'identity' }, 'must not be empty'],
  ])('a partition by %s is refused', (_, field, message) => {
    expectRefusal(() => createTable(spec(field)), message);
  });

  test('a partition name may be used once', () => {
    const field = { 'source-id': 1, name: 'p', transform: 'identity' };
    expectRefusal(() => createTable(spec(field, { ...field, 'source-id': 2 })), 'more than once');
  });

  test('partitions are numbered from 1000', () => {
    const metadata = createTable(
      spec(
        { 'source-id': 1, name: 'id', transform: 'identity' },
        { 'source-id': 3, 'field-id': 7, name: 'h', transform: 'hour' },
      ),
    );
    expect(metadata['partition-specs'][0]?.fields.map((field) => field['field-id'])).toEqual([1000, 1001]);
    expect(metadata['last-partition-id']).toBe(1001);
  });

  test.each<[JsonObject, string]>([
    [{ 'source-id': 9 }, 'Cannot find source column'],
    [{ direction: 'up' }, 'must be "asc" or "desc"'],
    [{ 'null-order': 'first' }, 'must be "nulls-first" or "nulls-last"'],
    [{ transform: 'nope' }, 'is not a transform'],
  ])('an order by %j is refused', (more, message) => {
    const field = { 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-first', ...more };
    expectRefusal(() => createTable({ 'write-order': { fields: [field] } }), message);
  });
});

describe('the properties of a table', () => {
  test.each([
    's3.endpoint',
    'S3.Endpoint',
    'client.region',
    'gcs.service.host',
    'adls.account-host',
    'hdfs.host',
    'hf.endpoint',
    'py-io-impl',
    'io-impl',
    'header.X-Api',
    'uri',
    'token',
    'write.py-location-provider.impl',
  ])('%s, which would send every reader elsewhere, is refused', (name) => {
    expectRefusal(() => createTable({ properties: { [name]: 'x' } }), `The table property ${name} is refused`);
  });

  test.each<[JsonValue, string]>([
    [{ a: null }, 'properties.a must be a string'],
    [{ a: 1 }, 'properties.a must be a string'],
    [{ '': 'x' }, 'must not be empty'],
    [{ 'a\u0001': 'x' }, 'control characters'],
    [[], 'properties must be an object'],
  ])('%j is refused', (properties, message) => {
    expectRefusal(() => createTable({ properties }), message);
  });

  test('may have the names of an object’s own', () => {
    const properties = json('{"__proto__":"a","constructor":"b","toString":"c","toJSON":"d","isLosslessNumber":"e"}');
    const text = writeTableMetadata(createTable({ properties }));
    expect(text).toContain(
      '"properties":{"__proto__":"a","constructor":"b","toString":"c","toJSON":"d","isLosslessNumber":"e",' +
        '"write.parquet.compression-codec":"zstd"}',
    );
    expect(writeTableMetadata(readTableMetadata(json(text)))).toBe(text);
  });
});
