import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type JsonObject, type JsonValue, parseJson } from '../../../../packages/server/src/iceberg/json.ts';
import {
  readViewMetadata,
  writeViewMetadata,
} from '../../../../packages/server/src/iceberg/views/read-view-metadata.ts';
import {
  apply,
  createView,
  LOCATION,
  NOW_MS,
  replacing,
  SCHEMA,
  SENT_MS,
  sqlOf,
  UUID,
  versionOf,
} from './sample-views.ts';

const fileOf = (members: JsonObject = {}): JsonObject => ({
  ...(parseJson(writeViewMetadata(createView())) as JsonObject),
  ...members,
});

describe('a new view', () => {
  test('keeps column ids as they were sent, and has its first version as current and in its log', () => {
    expect(createView({ 'view-version': versionOf({ 'schema-id': 77 }) })).toEqual({
      'view-uuid': UUID,
      'format-version': 1,
      location: LOCATION,
      schemas: [SCHEMA],
      'current-version-id': 1,
      versions: [versionOf()],
      'version-log': [{ 'timestamp-ms': SENT_MS, 'version-id': 1 }],
      properties: {},
      unknown: {},
    });
  });

  test('has the version id that was sent, and 1 if none was', () => {
    expect(createView({ 'view-version': versionOf({ 'version-id': 7 }) })['current-version-id']).toBe(7);
    const { 'version-id': _, ...withoutId } = versionOf();
    expect(createView({ 'view-version': withoutId })['current-version-id']).toBe(1);
  });

  test('stores its schema under the id 0 whatever id was sent', () => {
    const view = createView({ schema: { ...SCHEMA, 'schema-id': 42 } });
    expect(view.schemas.map((schema) => schema['schema-id'])).toEqual([0]);
    expect(view.versions[0]?.['schema-id']).toBe(0);
  });

  test('may have columns of types that only format version 3 of tables has', () => {
    const fields = [{ id: 1, name: 'v', type: 'variant', required: false }];
    expect(createView({ schema: { type: 'struct', fields } }).schemas[0]?.fields).toEqual(fields);
  });

  test.each<[string, JsonObject, string]>([
    ['no schema', { schema: null }, 'schema is missing'],
    ['a schema of another type', { schema: { type: 'list' } }, 'schema.type must be "struct"'],
    [
      'a column of no type there is',
      { schema: { type: 'struct', fields: [{ id: 1, name: 'a', type: 'text', required: true }] } },
      'schema.fields[0].type: "text" is not a type',
    ],
    [
      'two columns of one id',
      {
        schema: {
          type: 'struct',
          fields: ['a', 'b'].map((name) => ({ id: 1, name, type: 'int', required: true })),
        },
      },
      'the field id 1 is there more than once',
    ],
    [
      'a negative column id',
      { schema: { type: 'struct', fields: [{ id: -1, name: 'a', type: 'int', required: true }] } },
      'the field id -1 is negative',
    ],
    ['no version', { 'view-version': null }, 'view-version is missing'],
    ['a version that is a list', { 'view-version': [] }, 'view-version must be an object'],
    ['a negative version id', { 'view-version': versionOf({ 'version-id': -2 }) }, 'must not be negative'],
    ['a version id of 64 bits', { 'view-version': versionOf({ 'version-id': 2 ** 40 }) }, 'must be a 32-bit integer'],
    ['a time that is text', { 'view-version': versionOf({ 'timestamp-ms': 'now' }) }, 'view-version.timestamp-ms'],
    [
      'a summary of numbers',
      { 'view-version': versionOf({ summary: { a: 1 } }) },
      'view-version.summary.a must be a string',
    ],
    [
      'no default namespace',
      { 'view-version': versionOf({ 'default-namespace': null }) },
      'default-namespace is missing',
    ],
    [
      'a default namespace that is text',
      { 'view-version': versionOf({ 'default-namespace': 'ns' }) },
      'must be a list',
    ],
    [
      'a level with a control character',
      { 'view-version': versionOf({ 'default-namespace': ['a\x1fb'] }) },
      'control characters',
    ],
    ['a default catalog with one', { 'view-version': versionOf({ 'default-catalog': 'a\nb' }) }, 'control characters'],
    ['no query', { 'view-version': versionOf({ representations: [] }) }, 'must have a query'],
    [
      'a query without a dialect',
      { 'view-version': versionOf({}, { type: 'sql', sql: 'select 1' }) },
      'representations[0].dialect is missing',
    ],
    [
      'a query without SQL',
      { 'view-version': versionOf({}, { type: 'sql', dialect: 'spark' }) },
      'representations[0].sql is missing',
    ],
    [
      'a query without a type',
      { 'view-version': versionOf({}, { sql: 'select 1', dialect: 'spark' }) },
      'representations[0].type is missing',
    ],
    [
      'a dialect with a control character',
      { 'view-version': versionOf({}, sqlOf('select 1', 'spa\0rk')) },
      'control characters',
    ],
    ['properties that are a list', { properties: [] }, 'properties must be an object'],
    ['a property that is null', { properties: { a: null } }, 'properties.a must be a string'],
    ['a property with a control character', { properties: { 'a\n': 'b' } }, 'control characters'],
    [
      'a history of nothing',
      { properties: { 'version.history.num-entries': '0' } },
      'version.history.num-entries must be positive but was 0',
    ],
    [
      'a history of words',
      { properties: { 'version.history.num-entries': 'ten' } },
      'version.history.num-entries must be a whole number',
    ],
  ])('is refused with %s', (_, members, message) => {
    expect(() => createView(members)).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) }),
    );
  });

  test('is refused with two queries for one dialect, however it is spelled', () => {
    const version = versionOf({}, sqlOf('select 1', 'trino'), sqlOf('select 2', 'Trino'));
    expect(() => createView({ 'view-version': version })).toThrow(
      /^Invalid view version: Cannot add multiple queries for dialect trino$/,
    );
  });

  test('may have a property named like a member every object has', () => {
    const request = parseJson('{"properties":{"__proto__":"a","constructor":"b"}}') as JsonObject;
    const text = writeViewMetadata(createView(request));
    expect(text).toContain('"properties":{"__proto__":"a","constructor":"b"}');
    expect(writeViewMetadata(readViewMetadata(parseJson(text)))).toBe(text);
    expect(({} as JsonObject).a).toBeUndefined();
  });
});

describe('a metadata file', () => {
  test('is read back as it was written, in the order of members that Java writes', () => {
    const view = apply(createView(), ...replacing(2, sqlOf('select 2', 'trino'), sqlOf('select 2', 'spark')));
    const text = writeViewMetadata(view);
    expect(readViewMetadata(parseJson(text))).toEqual(view);
    expect(Object.keys(parseJson(text) as JsonObject)).toEqual([
      'view-uuid',
      'format-version',
      'location',
      'properties',
      'schemas',
      'current-version-id',
      'versions',
      'version-log',
    ]);
  });

  test('keeps members that are not known here, at every level and to the last digit', () => {
    const text = writeViewMetadata(
      readViewMetadata(
        fileOf({
          novelty: [9007199254740993n, { __proto__: null, deep: true }],
          versions: [versionOf({ mood: 'new', representations: [{ type: 'graph', nodes: [1, 2] }] })],
          schemas: [{ ...SCHEMA, colour: 'red' }],
          'version-log': [{ 'timestamp-ms': SENT_MS, 'version-id': 1, by: 'ada' }],
        }),
      ),
    );
    for (const kept of [
      '9007199254740993',
      '"deep":true',
      '"mood":"new"',
      '"nodes":[1,2]',
      '"colour":"red"',
      '"by":"ada"',
    ]) {
      expect(text).toContain(kept);
    }
    const view = readViewMetadata(parseJson(text));
    const next = apply(view, { action: 'set-properties', updates: { a: 'b' } });
    expect(writeViewMetadata(next)).toContain('9007199254740993');
  });

  test('may leave its properties out', () => {
    const { properties: _, ...file } = fileOf();
    expect(readViewMetadata(file).properties).toEqual({});
  });

  test.each<[string, JsonValue, string]>([
    ['text', 'view', 'must be an object'],
    ['a list', [], 'must be an object'],
    ['a table', { 'format-version': 2, 'table-uuid': UUID }, 'view-uuid is missing'],
    ['a uuid that is a number', fileOf({ 'view-uuid': 5 }), 'view-uuid must be a string'],
    ['a uuid with a line break', fileOf({ 'view-uuid': 'a\nb' }), 'must be a UUID'],
    ['a later format version', fileOf({ 'format-version': 2 }), 'format-version must be 1'],
    ['no location', fileOf({ location: '' }), 'location must not be empty'],
    ['schemas that are null', fileOf({ schemas: null }), 'schemas is missing'],
    ['a schema id twice', fileOf({ schemas: [SCHEMA, SCHEMA] }), 'schemas: the id 0 is there more than once'],
    ['no schema', fileOf({ schemas: [] }), 'versions: the schema-id 0 of the current version is not among the schemas'],
    [
      'a version id twice',
      fileOf({ versions: [versionOf(), versionOf()] }),
      'versions: the id 1 is there more than once',
    ],
    [
      'a negative version id',
      fileOf({ versions: [versionOf(), versionOf({ 'version-id': -1 })] }),
      'versions: the id -1 must not be negative',
    ],
    ['no version', fileOf({ versions: [] }), 'current-version-id 1 is not among the versions'],
    [
      'a current version that is not there',
      fileOf({ 'current-version-id': 2 }),
      'current-version-id 2 is not among the versions',
    ],
    ['no log', fileOf({ 'version-log': null }), 'version-log is missing'],
    [
      'a log entry without its time',
      fileOf({ 'version-log': [{ 'version-id': 1 }] }),
      'version-log[0].timestamp-ms is missing',
    ],
    ['an unknown member without end', fileOf({ deep: nest(5_000) }), 'levels deep'],
    ['a type without end', fileOf({ schemas: [nestType(5_000)] }), 'levels deep'],
  ])('is refused when it holds %s', (_, value, message) => {
    expect(() => readViewMetadata(value)).toThrow(
      expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(message) }),
    );
  });

  test('of any content at all is read or refused, never anything else', () => {
    const names = [
      'view-uuid',
      'location',
      'format-version',
      'schemas',
      'versions',
      'current-version-id',
      'version-log',
      'properties',
      '__proto__',
    ];
    const value = fc.jsonValue({ depthSize: 'small' }) as fc.Arbitrary<JsonValue>;
    fc.assert(
      fc.property(fc.constantFrom(...names), value, (name, replaced) => {
        const file = Object.fromEntries([...Object.entries(fileOf()), [name, replaced]]);
        try {
          const text = writeViewMetadata(readViewMetadata(file));
          expect(writeViewMetadata(readViewMetadata(parseJson(text)))).toBe(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
        }
      }),
    );
  });
});

function nest(levels: number): JsonValue {
  let value: JsonValue = NOW_MS;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

function nestType(levels: number): JsonObject {
  let type: JsonValue = 'int';
  for (let level = 0; level < levels; level += 1)
    type = { type: 'list', 'element-id': level + 2, element: type, 'element-required': true };
  return { type: 'struct', fields: [{ id: 1, name: 'a', type, required: true }] };
}
