import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../packages/server/src/iceberg/json.ts';
import { applyUpdates } from '../../../../packages/server/src/iceberg/metadata/apply-updates.ts';
import { readTableMetadata } from '../../../../packages/server/src/iceberg/metadata/read-table-metadata.ts';
import { writeTableMetadata } from '../../../../packages/server/src/iceberg/metadata/write-table-metadata.ts';
import {
  addSnapshot,
  apply,
  createTable,
  createVersion,
  deepFreeze,
  expectRefusal,
  GIVEN,
  json,
  LOCATION,
  NOW_MS,
  SCHEMA,
  setRef,
  UUID,
} from './tables.ts';

const BASE = deepFreeze(createTable());
const refuses = (updates: JsonValue[], message: string | RegExp, code = 'invalid_request', base = BASE) =>
  expectRefusal(() => apply(base, ...updates), message, code);

describe('a commit', () => {
  test.each<[string, JsonObject[]]>([
    ['nothing', []],
    ['no properties', [{ action: 'set-properties', updates: {} }]],
    ['its own UUID', [{ action: 'assign-uuid', uuid: UUID.toUpperCase() }]],
    ['its own version', [{ action: 'upgrade-format-version', 'format-version': 2 }]],
    [
      'its own schema',
      [
        { action: 'add-schema', schema: SCHEMA },
        { action: 'set-current-schema', 'schema-id': -1 },
      ],
    ],
    [
      'its own spec',
      [
        { action: 'add-spec', spec: { fields: [] } },
        { action: 'set-default-spec', 'spec-id': -1 },
      ],
    ],
    ['its own order', [{ action: 'add-sort-order', 'sort-order': { 'order-id': 3, fields: [] } }]],
    ['its own location', [{ action: 'set-location', location: `${LOCATION}//` }]],
    [
      'what is not there removed',
      [
        { action: 'remove-properties', removals: ['x'] },
        { action: 'remove-snapshots', 'snapshot-ids': [1] },
        { action: 'remove-snapshot-ref', 'ref-name': 'main' },
        { action: 'remove-statistics', 'snapshot-id': 1 },
        { action: 'remove-partition-statistics', 'snapshot-id': 1 },
        { action: 'remove-partition-specs', 'spec-ids': [9] },
        { action: 'remove-schemas', 'schema-ids': [9] },
        { action: 'remove-encryption-key', 'key-id': 'x' },
      ],
    ],
  ])('of %s leaves the table as it is', (_, updates) => {
    expect(apply(BASE, ...updates)).toBe(BASE);
  });

  test('takes the names of actions in any case, and refuses what it does not know', () => {
    expect(apply(BASE, { action: 'SET-Location', location: 's3://b/t' }).location).toBe('s3://b/t');
    for (const action of ['add-view-version', 'set-current-view-version', 'constructor', '__proto__', 'x', '']) {
      refuses([{ action }], 'is not an update of tables');
    }
    refuses([{}], 'updates[0].action is missing');
    refuses([{ action: 'set-properties', updates: {} }, 5], 'updates[1] must be an object');
  });

  test('makes the table newer than its base, whatever the clock says, and logs the base’s file', () => {
    const update = { action: 'set-properties', updates: { a: 'b' } };
    const late = applyUpdates(BASE, [update], { ...GIVEN, nowMs: 5 });
    expect(late['last-updated-ms']).toBe(NOW_MS + 1);
    expect(late['metadata-log']).toEqual([{ 'timestamp-ms': NOW_MS, 'metadata-file': GIVEN.baseLocation }]);
    const unlogged = applyUpdates(BASE, [update], { ...GIVEN, baseLocation: null });
    expect(unlogged['metadata-log']).toEqual([]);
  });

  test.each([
    ['3', 3],
    ['0', 1],
    ['x', 20],
    ['100', 20],
  ])('with write.metadata.previous-versions-max %s keeps %i of 20 files', (max, kept) => {
    let table = BASE;
    for (let index = 0; index < 20; index += 1) {
      const updates = [
        { action: 'set-properties', updates: { 'write.metadata.previous-versions-max': max, a: `${index}` } },
      ];
      table = applyUpdates(table, updates, { ...GIVEN, baseLocation: `file:///${index}` });
    }
    expect(table['metadata-log']).toHaveLength(kept);
    expect(table['metadata-log'].at(-1)?.['metadata-file']).toBe('file:///19');
  });

  test('carries on what a newer engine wrote', () => {
    const base = { ...BASE, unknown: { 'x-new': [1] } };
    expect(apply(base, { action: 'set-location', location: 's3://b/t' }).unknown).toBe(base.unknown);
  });
});

describe('schemas', () => {
  const wider = (id: number, name = 'extra'): JsonObject => ({
    ...SCHEMA,
    fields: [...(SCHEMA.fields as JsonValue[]), { id, name, required: false, type: 'int' }],
  });
  const add = (schema: JsonObject) => ({ action: 'add-schema', schema });
  const setCurrent = (id: number) => ({ action: 'set-current-schema', 'schema-id': id });

  test('get the next id, whatever was sent, and the last column id goes up', () => {
    const table = apply(BASE, add({ ...wider(9), 'schema-id': 77 }), setCurrent(-1));
    expect(table).toMatchObject({ 'current-schema-id': 1, 'last-column-id': 9 });
    expect(table.schemas.map((schema) => schema['schema-id'])).toEqual([0, 1]);
    expect(table.schemas[0]).toBe(BASE.schemas[0]);
  });

  test('that are there already are used again, also by -1', () => {
    const table = apply(BASE, add(wider(4)), setCurrent(-1), add(SCHEMA), setCurrent(-1));
    expect(table['current-schema-id']).toBe(0);
    expect(table.schemas).toHaveLength(2);
    expect(apply(table, add({ ...wider(4), 'schema-id': 5 }), setCurrent(-1))['current-schema-id']).toBe(1);
  });

  test('with other identifier fields are other schemas', () => {
    expect(apply(BASE, add({ ...SCHEMA, 'identifier-field-ids': [1] })).schemas).toHaveLength(2);
  });

  test('can be removed, but for the current one; its id does not come back within the commit', () => {
    const table = apply(BASE, add(wider(4)), setCurrent(-1), { action: 'remove-schemas', 'schema-ids': [0, 8] });
    expect(table.schemas.map((schema) => schema['schema-id'])).toEqual([1]);
    refuses([{ action: 'remove-schemas', 'schema-ids': [0] }], 'Cannot remove the current schema: 0');
  });

  test('that are not there cannot be current', () => {
    refuses([setCurrent(-1)], 'Cannot set last added schema: no schema has been added');
    refuses([setCurrent(5)], 'Cannot set current schema to unknown schema: 5');
    refuses([{ action: 'set-current-schema' }], 'updates[0].schema-id is missing');
    refuses([add({ ...wider(4), fields: [{ id: -1, name: 'a', required: false, type: 'int' }] })], 'is negative');
    refuses([add(wider(4, 'name'))], 'is there more than once');
  });

  test('of the table have to carry its partitions and its order', () => {
    const partitioned = createTable({
      'partition-spec': { fields: [{ 'source-id': 3, name: 'd', transform: 'day' }] },
    });
    const without = { ...SCHEMA, fields: (SCHEMA.fields as JsonValue[]).slice(0, 2) };
    refuses([add(without), setCurrent(-1)], 'Cannot find source column', 'invalid_request', partitioned);
    const replaced = [add(without), setCurrent(-1), { action: 'add-spec', spec: { fields: [] } }];
    expect(apply(partitioned, ...replaced, { action: 'set-default-spec', 'spec-id': -1 })['default-spec-id']).toBe(1);
  });
});

describe('partition specs', () => {
  const field = (name: string, transform: string, more: JsonObject = {}) => ({
    'source-id': 1,
    name,
    transform,
    ...more,
  });
  const add = (...fields: JsonObject[]) => ({ action: 'add-spec', spec: { 'spec-id': 0, fields } });
  const setDefault = (id: number) => ({ action: 'set-default-spec', 'spec-id': id });
  const idsOf = (table: ReturnType<typeof apply>) =>
    table['partition-specs'].map((spec) => spec.fields.map((one) => one['field-id']));

  test('keep the field ids that were sent; what was partitioned by before gets its id again, and the rest the next', () => {
    const first = apply(BASE, add(field('b', 'bucket[4]', { 'field-id': 1005 })), setDefault(-1));
    expect(first).toMatchObject({ 'default-spec-id': 1, 'last-partition-id': 1005 });
    const second = apply(first, add(field('c', 'truncate[5]'), field('other', 'bucket[4]')));
    expect(idsOf(second)).toEqual([[], [1005], [1006, 1005]]);
    expect(second['last-partition-id']).toBe(1006);
  });

  test('that partition the same way are used again', () => {
    const first = apply(BASE, add(field('b', 'bucket[4]')), setDefault(-1));
    expect(apply(first, add(field('b', 'bucket[4]', { 'field-id': 4000 })), setDefault(-1))).toBe(first);
  });

  test('of version 1 are numbered from 1000 without a gap', () => {
    const base = createVersion(1);
    expect(idsOf(apply(base, add(field('b', 'bucket[4]'), field('c', 'void'))))).toEqual([[], [1000, 1001]]);
    refuses([add(field('b', 'bucket[4]', { 'field-id': 1001 }))], 'sequential IDs', 'invalid_request', base);
  });

  test('are bound to the schema that is current then', () => {
    const schema = {
      ...SCHEMA,
      fields: [...(SCHEMA.fields as JsonValue[]), { id: 4, name: 'n', required: false, type: 'int' }],
    };
    const byNew = add({ 'source-id': 4, name: 'p', transform: 'identity' });
    const addSchema = { action: 'add-schema', schema };
    refuses([addSchema, byNew], 'Cannot find source column');
    const setCurrent = { action: 'set-current-schema', 'schema-id': -1 };
    expect(apply(BASE, addSchema, setCurrent, byNew)['partition-specs']).toHaveLength(2);
  });

  test('can be removed, but for the default one', () => {
    const first = apply(BASE, add(field('b', 'bucket[4]')), setDefault(-1));
    expect(idsOf(apply(first, { action: 'remove-partition-specs', 'spec-ids': [0, 9] }))).toEqual([[1000]]);
    refuses([{ action: 'remove-partition-specs', 'spec-ids': [0] }], 'Cannot remove the default partition spec: 0');
  });

  test('that do not fit are refused', () => {
    refuses([setDefault(-1)], 'Cannot set last added spec: no spec has been added');
    refuses([setDefault(7)], 'unknown spec: 7');
    refuses([add(field('b', 'bucket[4]', { 'field-id': 2 ** 31 }))], 'must be a 32-bit integer');
    const same = { 'field-id': 1000 };
    refuses(
      [add(field('a', 'bucket[4]', same), field('b', 'bucket[5]', same))],
      'field id 1000 is there more than once',
    );
    refuses([add(field('b', 'bucket[4]', { 'field-id': 2 ** 31 - 1 }), field('c', 'void'))], 'no field id after');
    refuses([{ action: 'add-spec', spec: {} }], 'updates[0].spec.fields is missing');
  });
});

describe('sort orders', () => {
  const field = (id: number) => ({
    'source-id': id,
    transform: 'identity',
    direction: 'asc',
    'null-order': 'nulls-first',
  });
  const add = (...fields: JsonObject[]) => ({ action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields } });
  const setDefault = (id: number) => ({ action: 'set-default-sort-order', 'sort-order-id': id });

  test('are numbered from 1, used again when they are equal, and 0 is no order', () => {
    const table = apply(BASE, add(field(1)), add(field(2)), add(field(1)), setDefault(-1));
    expect(table['sort-orders'].map((order) => order['order-id'])).toEqual([0, 1, 2]);
    expect(table['default-sort-order-id']).toBe(1);
    expect(apply(table, add(), setDefault(-1))['default-sort-order-id']).toBe(0);
  });

  test('that do not fit are refused', () => {
    refuses([setDefault(-1)], 'Cannot set last added sort order: no sort order has been added');
    refuses([setDefault(3)], 'unknown sort order: 3');
    refuses([add(field(9))], 'Cannot find source column');
  });
});

describe('snapshots', () => {
  const log = (table: ReturnType<typeof apply>) => table['snapshot-log'].map((entry) => entry['snapshot-id']);
  const one = deepFreeze(apply(BASE, addSnapshot(1), setRef('main', 1)));

  test('are stored as they were sent, and move no branch', () => {
    const big = 6839985015861487575n;
    const table = apply(
      BASE,
      addSnapshot(big, {
        'timestamp-ms': NOW_MS,
        'x-more': json('{"a":[1.0]}'),
        summary: { operation: 'append', 'added-records': '3' },
      }),
    );
    expect(table).toMatchObject({ 'current-snapshot-id': -1, 'last-sequence-number': big, refs: {} });
    const text = `{"snapshot-id":${big},"timestamp-ms":${NOW_MS},"manifest-list":"${LOCATION}/metadata/snap-${big}.avro","summary":{"operation":"append","added-records":"3"},"sequence-number":${big},"x-more":{"a":[1.0]}}`;
    expect(writeTableMetadata(table)).toContain(`"snapshots":[${text}]`);
  });

  test('become current when main is set to them, at their own time, and at the commit’s when the table goes back', () => {
    expect(one).toMatchObject({
      'current-snapshot-id': 1,
      'snapshot-log': [{ 'timestamp-ms': NOW_MS + 1, 'snapshot-id': 1 }],
    });
    const two = apply(one, addSnapshot(2, { 'parent-snapshot-id': 1 }), setRef('main', 2));
    const back = applyUpdates(two, [setRef('main', 1)], { ...GIVEN, nowMs: NOW_MS + 5000 });
    expect(back['snapshot-log'].at(-1)).toEqual({ 'timestamp-ms': NOW_MS + 5000, 'snapshot-id': 1 });
    expect(log(back)).toEqual([1, 2, 1]);
  });

  test('that were current only within the commit are not in its history', () => {
    const two = apply(one, addSnapshot(2), setRef('main', 2), addSnapshot(3), setRef('main', 3));
    expect(log(two)).toEqual([1, 3]);
    expect(two.snapshots).toHaveLength(3);
  });

  test('cut the history when they are removed, and take branches, tags and statistics with them', () => {
    const statistics = { 'snapshot-id': 2, 'statistics-path': 'file:///s', 'file-size-in-bytes': 1 };
    const three = apply(
      one,
      addSnapshot(2),
      setRef('old', 2),
      { action: 'set-partition-statistics', 'partition-statistics': statistics },
      setRef('main', 2),
      setRef('main', 1),
      addSnapshot(3),
      setRef('main', 3),
    );
    const again = apply(apply(apply(one, addSnapshot(2), setRef('main', 2)), addSnapshot(3), setRef('main', 3)), {
      action: 'remove-snapshots',
      'snapshot-ids': [2, 99],
    });
    expect(log(again)).toEqual([3]);
    const left = apply(three, { action: 'remove-snapshots', 'snapshot-ids': [2] });
    expect(Object.keys(left.refs)).toEqual(['main']);
    expect(left['partition-statistics']).toEqual([]);
    const none = apply(left, { action: 'remove-snapshots', 'snapshot-ids': [3] });
    expect(none).toMatchObject({ 'current-snapshot-id': -1, 'snapshot-log': [] });
  });

  test('have to follow each other, or the client may try again', () => {
    const stale = addSnapshot(5, { 'sequence-number': 1, 'parent-snapshot-id': 1 });
    refuses(
      [stale],
      'Cannot add snapshot with sequence number 1 older than last sequence number 1',
      'commit_failed',
      one,
    );
    const fresh = apply(one, addSnapshot(5, { 'sequence-number': 0 }));
    expect(fresh['last-sequence-number']).toBe(1);
    expect(apply(createVersion(1), addSnapshot(5))['last-sequence-number']).toBe(0);
  });

  test('of version 3 have rows of their own', () => {
    const base = createVersion(3);
    refuses([addSnapshot(1)], 'first-row-id is null', 'invalid_request', base);
    refuses([addSnapshot(1, { 'first-row-id': 0 })], 'added-rows is missing', 'invalid_request', base);
    refuses([addSnapshot(1, { 'first-row-id': 0, 'added-rows': -1 })], 'must not be negative', 'invalid_request', base);
    const huge = { 'first-row-id': 5, 'added-rows': 2n ** 63n - 5n };
    refuses([addSnapshot(1, huge)], 'no row id after', 'invalid_request', base);
    const table = apply(base, addSnapshot(1, { 'first-row-id': 0, 'added-rows': 2n ** 60n }));
    expect(table['next-row-id']).toBe(2n ** 60n);
    const overlapping = addSnapshot(2, { 'first-row-id': 7, 'added-rows': 1 });
    refuses([overlapping], 'first-row-id is behind table next-row-id', 'commit_failed', table);
  });

  test.each<[string, JsonObject, string]>([
    ['an id that is there', addSnapshot(1, { 'sequence-number': 9 }), 'Snapshot already exists for id: 1'],
    ['the id -1', addSnapshot(2, { 'snapshot-id': -1 }), 'must not be -1'],
    ['an id of 65 bits', addSnapshot(2, { 'snapshot-id': 2n ** 64n }), 'must be a 64-bit integer'],
    ['an id as text', addSnapshot(2, { 'snapshot-id': '2' }), 'snapshot.snapshot-id must be a 64-bit integer'],
    ['no time', addSnapshot(2, { 'timestamp-ms': null }), 'updates[0].snapshot.timestamp-ms is missing'],
    ['a time without end', addSnapshot(2, { 'timestamp-ms': 8e15 }), 'before the year 10000'],
    ['no manifest list', addSnapshot(2, { 'manifest-list': null }), 'manifest-list is missing'],
    ['manifests instead', addSnapshot(2, { 'manifest-list': null, manifests: ['a'] }), 'manifest-list is missing'],
    ['a summary of numbers', addSnapshot(2, { summary: { a: 1 } }), 'summary.a must be a string'],
  ])('with %s are refused', (_, update, message) => {
    refuses([update], message, 'invalid_request', one);
  });

  test('of a clock that is behind do not make a history that Java cannot read', () => {
    const late = apply(one, addSnapshot(2, { 'timestamp-ms': NOW_MS - 3_600_000 }), setRef('main', 2));
    expect(late['snapshot-log'].map((entry) => entry['timestamp-ms'])).toEqual([NOW_MS + 1, NOW_MS + 1]);
    const early = apply(one, addSnapshot(2, { 'timestamp-ms': NOW_MS + 3_600_000 }), setRef('main', 2));
    expect(early['last-updated-ms']).toBe(NOW_MS + 3_600_000);
  });
});

describe('branches and tags', () => {
  const one = deepFreeze(apply(BASE, addSnapshot(1), setRef('main', 1)));
  const retention = { 'min-snapshots-to-keep': 3, 'max-snapshot-age-ms': 4, 'max-ref-age-ms': 5 };

  test('keep how long they are kept', () => {
    expect(apply(one, setRef('main', 1, retention)).refs.main).toEqual({
      'snapshot-id': 1,
      type: 'branch',
      ...retention,
    });
    expect(apply(one, setRef('main', 1))).toBe(one);
  });

  test('of any name are kept apart', () => {
    const table = apply(one, setRef('__proto__', 1), setRef('constructor', 1, { type: 'tag' }));
    expect(Object.keys(table.refs)).toEqual(['main', '__proto__', 'constructor']);
    const text = writeTableMetadata(table);
    expect(writeTableMetadata(readTableMetadata(json(text)))).toBe(text);
    expect(apply(table, { action: 'remove-snapshot-ref', 'ref-name': 'toString' })).toBe(table);
  });

  test('without main there is no current snapshot, and still a history', () => {
    const table = apply(one, { action: 'remove-snapshot-ref', 'ref-name': 'main' });
    const log = one['snapshot-log'];
    expect(table).toMatchObject({ 'current-snapshot-id': -1, 'snapshot-log': log, snapshots: one.snapshots });
    expect(apply(table, setRef('main', 1))).toMatchObject({ 'current-snapshot-id': 1 });
    // What replacing a table sends, in one commit.
    const replaced = apply(
      one,
      { action: 'remove-snapshot-ref', 'ref-name': 'main' },
      addSnapshot(2),
      setRef('main', 2),
    );
    expect(replaced['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([1, 2]);
  });

  test.each<[JsonObject, string]>([
    [setRef('main', 9), 'Cannot set main to unknown snapshot: 9'],
    [setRef('main', 1, { type: 'tag' }), 'Cannot set main to a tag'],
    [setRef('b', 1, { type: 'twig' }), 'must be "branch" or "tag"'],
    [setRef('', 1), 'ref-name must not be empty'],
    [setRef('a\n', 1), 'control characters'],
    [setRef('b', 1, { 'min-snapshots-to-keep': 0 }), 'must be greater than 0'],
    [setRef('b', 1, { 'max-ref-age-ms': 2n ** 63n }), 'must be a 64-bit integer'],
    [setRef('b', 1, { type: 'tag', 'min-snapshots-to-keep': 1 }), 'Tags do not support'],
    [{ action: 'set-snapshot-ref', type: 'branch', 'snapshot-id': 1 }, 'ref-name is missing'],
  ])('number %# that do not fit are refused', (update, message) => {
    refuses([update], message, 'invalid_request', one);
  });
});

describe('the rest of a table', () => {
  test('a UUID stays, and a version only goes up', () => {
    refuses([{ action: 'assign-uuid', uuid: GIVEN.newUuid }], 'Cannot reassign');
    refuses([{ action: 'assign-uuid', uuid: 'x' }], 'uuid must be a UUID');
    const upgrade = (version: JsonValue) => ({ action: 'upgrade-format-version', 'format-version': version });
    refuses([upgrade(1)], 'Cannot downgrade v2 table to v1');
    refuses([upgrade(4)], 'unsupported format version: v4 (supported: v3)');
    refuses([upgrade('3')], 'must be a 32-bit integer');
    expect(apply(BASE, upgrade(3))).toMatchObject({ 'format-version': 3, 'next-row-id': 0 });
    expect(apply(createVersion(1), upgrade(2))).toMatchObject({ 'format-version': 2, 'last-sequence-number': 0 });
  });

  test('properties are set and removed, also as older clients ask it', () => {
    const table = apply(BASE, { action: 'set-properties', updated: { a: '1', b: '2', uuid: 'x' } });
    expect({ ...table.properties }).toEqual({ ...BASE.properties, a: '1', b: '2' });
    expect({ ...apply(table, { action: 'remove-properties', removed: ['a', 'z'] }).properties }).toEqual({
      ...BASE.properties,
      b: '2',
    });
    refuses([{ action: 'set-properties' }], 'updates[0].updates is missing');
    refuses([{ action: 'set-properties', updates: { a: null } }], 'updates[0].updates.a must be a string');
    refuses([{ action: 'set-properties', updates: { 's3.endpoint': 'http://evil' } }], 's3.endpoint is refused');
    refuses([{ action: 'remove-properties', removals: 'a' }], 'removals must be a list');
  });

  test('a location is text without control characters', () => {
    refuses([{ action: 'set-location', location: '' }], 'must not be empty');
    refuses([{ action: 'set-location', location: 's3://a\u0000' }], 'control characters');
    refuses([{ action: 'set-location', location: ['s3://a'] }], 'must be a string');
  });

  test('a snapshot has one file of statistics', () => {
    const set = (path: string, more: JsonObject = {}) => ({
      action: 'set-statistics',
      statistics: {
        'snapshot-id': 1,
        'statistics-path': path,
        'file-size-in-bytes': 5,
        'file-footer-size-in-bytes': 2,
        'blob-metadata': [{ type: 't', 'snapshot-id': 1, 'sequence-number': 1, fields: [1], properties: { ndv: '3' } }],
      },
      ...more,
    });
    const table = apply(BASE, set('a'), set('b', { 'snapshot-id': 1 }));
    expect(table.statistics.map((file) => file['statistics-path'])).toEqual(['b']);
    expect(apply(table, { action: 'remove-statistics', 'snapshot-id': 1 }).statistics).toEqual([]);
    refuses([set('a', { 'snapshot-id': 2 })], 'snapshot-id does not match: 2 vs 1');
    refuses([{ action: 'set-statistics', statistics: { 'snapshot-id': 1 } }], 'is missing');
  });

  test('keys for encryption are added once', () => {
    const add = (metadata: string) => ({
      action: 'add-encryption-key',
      'encryption-key': { 'key-id': 'k', 'encrypted-key-metadata': metadata },
    });
    const table = apply(BASE, add('one'), add('two'));
    expect(table['encryption-keys']).toEqual([{ 'key-id': 'k', 'encrypted-key-metadata': 'one' }]);
    expect(apply(table, { action: 'remove-encryption-key', 'key-id': 'k' })['encryption-keys']).toEqual([]);
  });
});

describe('a table that a commit creates', () => {
  const CREATION: JsonObject[] = [
    { action: 'assign-uuid', uuid: UUID },
    { action: 'upgrade-format-version', 'format-version': 2 },
    { action: 'add-schema', schema: { ...SCHEMA, 'schema-id': 0 } },
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
    { action: 'set-default-spec', 'spec-id': -1 },
    { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    { action: 'set-location', location: LOCATION },
    { action: 'set-properties', updates: {} },
    addSnapshot(1),
    setRef('main', 1),
  ];

  test('is what PyIceberg’s transactions ask for', () => {
    expect(apply(null, ...CREATION)).toMatchObject({
      'format-version': 2,
      'table-uuid': UUID,
      location: LOCATION,
      'last-column-id': 3,
      'current-schema-id': 0,
      'default-spec-id': 0,
      'last-partition-id': 999,
      'default-sort-order-id': 0,
      'current-snapshot-id': 1,
      'metadata-log': [],
    });
  });

  test('keeps the column ids its data was written with', () => {
    const schema = { type: 'struct', fields: [{ id: 41, name: 'a', required: false, type: 'int' }] };
    const table = apply(null, { action: 'add-schema', schema }, { action: 'set-current-schema', 'schema-id': -1 });
    expect(table).toMatchObject({
      'last-column-id': 41,
      location: 'file:///warehouse/ns/default',
      'table-uuid': GIVEN.newUuid,
      'partition-specs': [{ 'spec-id': 0, fields: [] }],
      'sort-orders': [{ 'order-id': 0, fields: [] }],
    });
    expect(table.schemas[0]?.fields[0]?.id).toBe(41);
  });

  test.each([1, 3])('has version %i when that is what is asked for first', (version) => {
    const updates = [...CREATION.slice(2, 10), { action: 'upgrade-format-version', 'format-version': version }];
    expect(apply(null, ...updates)['format-version']).toBe(version);
  });

  test('has to have a schema before anything refers to one', () => {
    expectRefusal(() => apply(null), 'the table has no current schema yet');
    expectRefusal(() => apply(null, { action: 'add-spec', spec: { fields: [] } }), 'no current schema yet');
    expectRefusal(() => apply(null, addSnapshot(1)), 'Attempting to add a snapshot before a schema is added');
    expectRefusal(() => apply(null, ...CREATION.slice(2, 5)), 'no default partition spec yet');
  });
});
