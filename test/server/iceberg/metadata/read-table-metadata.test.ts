import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../packages/server/src/iceberg/json.ts';
import { readTableMetadata } from '../../../../packages/server/src/iceberg/metadata/read-table-metadata.ts';
import { selectSnapshots } from '../../../../packages/server/src/iceberg/metadata/select-snapshots.ts';
import {
  schemaKey,
  writeTableMetadata,
} from '../../../../packages/server/src/iceberg/metadata/write-table-metadata.ts';
import { expectRefusal, json, LOCATION, NOW_MS, SCHEMA, snapshot, UUID } from './tables.ts';

/** As the first engines wrote it. */
const FIRST: JsonObject = {
  'format-version': 1,
  location: LOCATION,
  'last-updated-ms': NOW_MS,
  'last-column-id': 3,
  schema: SCHEMA,
  'partition-spec': [{ name: 'at_day', transform: 'day', 'source-id': 3 }],
};

const SECOND: JsonObject = {
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
};

const read = (more: JsonObject = {}) => readTableMetadata({ ...SECOND, ...more });
const rewrite = (value: JsonValue) => JSON.parse(writeTableMetadata(readTableMetadata(value)));

describe('a metadata file', () => {
  test('of version 1 gets what later versions have', () => {
    expect(rewrite(FIRST)).toMatchObject({
      'current-schema-id': 0,
      schemas: [SCHEMA],
      'default-spec-id': 0,
      'partition-specs': [{ 'spec-id': 0, fields: [{ 'source-id': 3, 'field-id': 1000 }] }],
      'last-partition-id': 1000,
      'default-sort-order-id': 0,
      'sort-orders': [{ 'order-id': 0, fields: [] }],
      'current-snapshot-id': -1,
      refs: {},
      properties: {},
      snapshots: [],
    });
  });

  test('without a UUID has the same at every load, and another place another', () => {
    const uuid = readTableMetadata(FIRST)['table-uuid'];
    expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(readTableMetadata(FIRST)['table-uuid']).toBe(uuid);
    expect(readTableMetadata({ ...FIRST, location: 'file:///other' })['table-uuid']).not.toBe(uuid);
  });

  test.each([null, -1, undefined])('whose current snapshot is %s has none', (id) => {
    const { 'current-snapshot-id': current, refs } = read(id === undefined ? {} : { 'current-snapshot-id': id });
    expect([current, Object.keys(refs)]).toEqual([-1, []]);
  });

  test('without refs has main at its current snapshot', () => {
    const { refs } = read({ 'current-snapshot-id': 5, snapshots: [snapshot(5)] });
    expect(refs.main).toEqual({ 'snapshot-id': 5, type: 'branch' });
  });

  test('may have null for its lists and maps', () => {
    const names = ['properties', 'refs', 'snapshots', 'snapshot-log', 'metadata-log', 'statistics'];
    const nulls = Object.fromEntries([...names, 'partition-statistics', 'encryption-keys'].map((name) => [name, null]));
    expect(writeTableMetadata(read(nulls))).toBe(writeTableMetadata(read()));
  });

  test('keeps integers of 64 bits and members that are unknown here, at every place', () => {
    const text = JSON.stringify({
      ...SECOND,
      schemas: [{ ...SCHEMA, 'x-schema': 1 }],
      'partition-specs': [{ 'spec-id': 0, fields: [], 'x-spec': [1] }],
      'current-snapshot-id': 'ID',
      snapshots: [{ ...snapshot(1), 'snapshot-id': 'ID', 'x-snapshot': { a: null, b: 'NUMBER' } }],
      refs: { main: { 'snapshot-id': 'ID', type: 'branch', 'x-ref': true } },
      'x-table': { '0': 'NUMBER' },
    });
    const exact = text.replaceAll('"ID"', '6839985015861487575').replaceAll('"NUMBER"', '1.000');
    const metadata = readTableMetadata(json(exact));
    expect(metadata['current-snapshot-id']).toBe(6839985015861487575n);
    const written = writeTableMetadata(metadata);
    for (const part of [
      '"x-schema":1',
      '"x-spec":[1]',
      '"x-snapshot":{"a":null,"b":1.000}',
      '"x-ref":true',
      '"x-table":{"0":1.000}',
      '"current-snapshot-id":6839985015861487575',
    ]) {
      expect(written).toContain(part);
    }
    expect(writeTableMetadata(readTableMetadata(json(written)))).toBe(written);
  });

  test('is written in the order Java writes it', () => {
    const file = rewrite({
      ...SECOND,
      'format-version': 3,
      'next-row-id': 4,
      'encryption-keys': [{ 'key-id': 'k', 'encrypted-key-metadata': 'bQ==' }],
    });
    expect(Object.keys(file)).toEqual([
      'format-version',
      'table-uuid',
      'location',
      'last-sequence-number',
      'last-updated-ms',
      'last-column-id',
      'current-schema-id',
      'schemas',
      'default-spec-id',
      'partition-specs',
      'last-partition-id',
      'default-sort-order-id',
      'sort-orders',
      'properties',
      'current-snapshot-id',
      'next-row-id',
      'encryption-keys',
      'refs',
      'snapshots',
      'statistics',
      'partition-statistics',
      'snapshot-log',
      'metadata-log',
    ]);
  });

  test.each([1, 2])('of version %i has the same text whether or not its schemas were compared before', (version) => {
    const file = { ...SECOND, 'format-version': version };
    const [written, compared] = [readTableMetadata(file), readTableMetadata(file)];
    const keys = compared.schemas.map(schemaKey);
    expect(writeTableMetadata(compared)).toBe(writeTableMetadata(written));
    expect(written.schemas.map(schemaKey)).toEqual(keys);
    expect(keys).not.toContainEqual(expect.stringContaining('schema-id'));
  });

  test.each<[string, JsonValue, string]>([
    ['is no object', [], 'must be an object'],
    ['has no version', { ...SECOND, 'format-version': null }, 'format-version is missing'],
    ['is of version 4', { ...SECOND, 'format-version': 4 }, 'format-version must be 1, 2 or 3'],
    ['of version 2 has no UUID', { ...SECOND, 'table-uuid': null }, 'table-uuid is missing'],
    ['has a UUID that is none', { ...SECOND, 'table-uuid': 'x' }, 'table-uuid must be a UUID'],
    ['has no location', { ...SECOND, location: null }, 'location is missing'],
    ['has no sequence number', { ...SECOND, 'last-sequence-number': null }, 'last-sequence-number is missing'],
    ['has a time as text', { ...SECOND, 'last-updated-ms': '1' }, 'last-updated-ms must be a time'],
    ['of version 2 has only a schema', { ...SECOND, schemas: null, schema: SCHEMA }, 'current-schema-id'],
    ['is without its current schema', { ...SECOND, 'current-schema-id': 9 }, 'current-schema-id 9 is not among'],
    ['is without its default spec', { ...SECOND, 'default-spec-id': 9 }, 'default-spec-id 9 is not among'],
    ['is without its default order', { ...SECOND, 'default-sort-order-id': 9 }, 'default-sort-order-id 9 is not'],
    ['has a schema twice', { ...SECOND, schemas: [SCHEMA, SCHEMA] }, 'schemas: the id 0 is there more than once'],
    ['has a snapshot twice', { ...SECOND, snapshots: [snapshot(1), snapshot(1)] }, 'snapshots: the id 1 is there more'],
    ['has a snapshot id that is text', { ...SECOND, snapshots: [{ ...snapshot(1), 'snapshot-id': '1' }] }, '64-bit'],
    ['has a snapshot without files', { ...SECOND, snapshots: [{ ...snapshot(1), 'manifest-list': null }] }, 'manifest'],
    ['has a current snapshot that is gone', { ...SECOND, 'current-snapshot-id': 4 }, 'refs: main is at snapshot 4'],
    [
      'has main elsewhere',
      { ...SECOND, snapshots: [snapshot(1)], refs: { main: { 'snapshot-id': 1, type: 'branch' } } },
      'current-snapshot-id does not match the main branch of refs (-1 != 1)',
    ],
    ['has refs that are a list', { ...SECOND, refs: [] }, 'refs must be an object'],
    ['of version 3 has no next row', { ...SECOND, 'format-version': 3 }, 'next-row-id is missing'],
    ['has a sequence number of 65 bits', { ...SECOND, 'last-sequence-number': 2n ** 63n }, 'must be a 64-bit integer'],
  ])('that %s is refused', (_, value, message) => {
    expectRefusal(() => readTableMetadata(value), message);
  });

  test('with branches named as an object’s own members is read and written as it was', () => {
    const refs = json('{"__proto__":{"snapshot-id":1,"type":"tag"},"constructor":{"snapshot-id":1,"type":"branch"}}');
    const text = writeTableMetadata(read({ snapshots: [snapshot(1)], refs }));
    expect(text).toContain('"refs":{"__proto__":{"snapshot-id":1,"type":"tag"},"constructor":{"snapshot-id":1');
    expect(writeTableMetadata(readTableMetadata(json(text)))).toBe(text);
  });
});

test('only the snapshots that branches and tags are at are selected, and nothing else is left out', () => {
  const metadata = read({
    snapshots: [snapshot(1), snapshot(2), snapshot(3)],
    'current-snapshot-id': 3,
    refs: { main: { 'snapshot-id': 3, type: 'branch' }, t: { 'snapshot-id': 1, type: 'tag' } },
    'snapshot-log': [{ 'timestamp-ms': NOW_MS, 'snapshot-id': 2 }],
  });
  const selected = selectSnapshots(metadata, 'refs');
  expect(selected.snapshots.map((one) => one['snapshot-id'])).toEqual([1, 3]);
  expect(selected['snapshot-log']).toBe(metadata['snapshot-log']);
  expect(selectSnapshots(metadata, 'all')).toBe(metadata);
});
