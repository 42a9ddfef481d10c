import { PangolinError } from '@pangolin/shared/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Int64,
  type JsonObject,
  type JsonValue,
  parseJson,
  stringifyJson,
} from '../../../../packages/server/src/iceberg/json.ts';
import { applyUpdates } from '../../../../packages/server/src/iceberg/metadata/apply-updates.ts';
import { createTableMetadata } from '../../../../packages/server/src/iceberg/metadata/create-table-metadata.ts';
import { readTableMetadata } from '../../../../packages/server/src/iceberg/metadata/read-table-metadata.ts';
import { checkRequirements } from '../../../../packages/server/src/iceberg/metadata/requirements.ts';
import { listColumns } from '../../../../packages/server/src/iceberg/metadata/schema-columns.ts';
import { newLocations } from '../../../../packages/server/src/iceberg/metadata/table-files.ts';
import type { TableMetadata } from '../../../../packages/server/src/iceberg/metadata/table-metadata.ts';
import { writeTableMetadata } from '../../../../packages/server/src/iceberg/metadata/write-table-metadata.ts';
import { createVersion, deepFreeze, GIVEN, LOCATION, NOW_MS } from './tables.ts';

/** An update for the table as it then is; `index` is its place in the commit. */
type Update = (base: TableMetadata, index: number) => JsonValue;

const BIG = 6839985015861487575n;
const snapshotIds = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.constantFrom(BIG, BIG + 1n, 2n ** 63n - 1n));
const smallIds = fc.integer({ min: -1, max: 5 });
const names = fc.constantFrom('main', 'main', 'main', 'b', '__proto__', 'constructor', 'toString', '');
const types = fc.constantFrom('int', 'long', 'string', 'timestamptz', 'decimal(9,2)', 'variant', 'nope');
const properties = fc.dictionary(
  fc.constantFrom('a', 'b', '__proto__', 'constructor', 'write.metadata.previous-versions-max', 's3.endpoint'),
  fc.constantFrom('1', '2', '5', 'x', ''),
);

const fields = fc.array(
  fc.record({
    id: fc.integer({ min: -1, max: 12 }),
    name: fc.constantFrom('a', 'b', 'c', 'd', '__proto__'),
    required: fc.boolean(),
    type: types,
  }),
  { minLength: 1, maxLength: 4 },
);
const partitionFields = fc.array(
  fc.record(
    {
      'source-id': fc.integer({ min: 0, max: 6 }),
      name: fc.constantFrom('p', 'q', 'a'),
      transform: fc.constantFrom('identity', 'bucket[4]', 'day', 'void', 'nope'),
      'field-id': fc.integer({ min: 1000, max: 1004 }),
    },
    { requiredKeys: ['source-id', 'name', 'transform'] },
  ),
  { maxLength: 2 },
);
const sortFields = fc.array(
  fc.record({
    'source-id': fc.integer({ min: 0, max: 6 }),
    transform: fc.constantFrom('identity', 'bucket[4]'),
    direction: fc.constantFrom('asc', 'desc'),
    'null-order': fc.constantFrom('nulls-first', 'nulls-last'),
  }),
  { maxLength: 2 },
);

const fixed =
  (update: JsonValue): Update =>
  () =>
    update;
const make = <T>(values: fc.Arbitrary<T>, toUpdate: (value: T) => JsonValue): fc.Arbitrary<Update> =>
  values.map((value) => fixed(toUpdate(value)));

const addSnapshots: fc.Arbitrary<Update> = fc
  .record({
    id: snapshotIds,
    ahead: fc.integer({ min: -1, max: 2 }),
    rows: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant(2n ** 55n)),
    parent: fc.option(snapshotIds, { nil: undefined }),
    late: fc.integer({ min: -200_000, max: 200_000 }),
  })
  .map(({ id, ahead, rows, parent, late }) => (base, index) => ({
    action: 'add-snapshot',
    snapshot: {
      'snapshot-id': id,
      ...(parent !== undefined && { 'parent-snapshot-id': parent }),
      'sequence-number': BigInt(base['last-sequence-number']) + BigInt(index + ahead),
      'timestamp-ms': NOW_MS + late,
      'manifest-list': `${LOCATION}/metadata/${id}.avro`,
      'first-row-id': index === 0 ? (base['next-row-id'] ?? 0) : BigInt(base['next-row-id'] ?? 0) + 2n ** 58n,
      'added-rows': rows,
    } as JsonObject,
  }));

const updates: fc.Arbitrary<Update> = fc.oneof(
  { arbitrary: addSnapshots, weight: 6 },
  {
    arbitrary: make(fc.tuple(names, snapshotIds, fc.constantFrom('branch', 'tag')), ([name, id, type]) => ({
      action: 'set-snapshot-ref',
      'ref-name': name,
      'snapshot-id': id,
      type: name === 'main' ? 'branch' : type,
    })),
    weight: 6,
  },
  make(names, (name) => ({ action: 'remove-snapshot-ref', 'ref-name': name })),
  make(fc.array(snapshotIds, { maxLength: 3 }), (ids) => ({ action: 'remove-snapshots', 'snapshot-ids': ids })),
  make(fields, (list) => ({ action: 'add-schema', schema: { type: 'struct', fields: list } })),
  make(smallIds, (id) => ({ action: 'set-current-schema', 'schema-id': id })),
  make(fc.array(smallIds, { maxLength: 2 }), (ids) => ({ action: 'remove-schemas', 'schema-ids': ids })),
  make(partitionFields, (list) => ({ action: 'add-spec', spec: { fields: list } })),
  make(smallIds, (id) => ({ action: 'set-default-spec', 'spec-id': id })),
  make(fc.array(smallIds, { maxLength: 2 }), (ids) => ({ action: 'remove-partition-specs', 'spec-ids': ids })),
  make(sortFields, (list) => ({ action: 'add-sort-order', 'sort-order': { 'order-id': 1, fields: list } })),
  make(smallIds, (id) => ({ action: 'set-default-sort-order', 'sort-order-id': id })),
  make(properties, (map) => ({ action: 'set-properties', updates: map })),
  make(fc.array(names), (list) => ({ action: 'remove-properties', removals: list })),
  make(snapshotIds, (id) => ({
    action: 'set-partition-statistics',
    'partition-statistics': { 'snapshot-id': id, 'statistics-path': `s${id}`, 'file-size-in-bytes': BIG },
  })),
  make(snapshotIds, (id) => ({ action: 'remove-partition-statistics', 'snapshot-id': id })),
  make(fc.integer({ min: 0, max: 4 }), (version) => ({
    action: 'upgrade-format-version',
    'format-version': version,
  })),
  make(fc.constantFrom('k', '__proto__'), (id) => ({
    action: 'add-encryption-key',
    'encryption-key': { 'key-id': id, 'encrypted-key-metadata': 'bQ==' },
  })),
  make(fc.constantFrom('file:///a', 'file:///b/', ''), (location) => ({ action: 'set-location', location })),
);

/** As it arrives: integers are numbers while those are exact. */
const overTheWire = (value: JsonValue): JsonValue => parseJson(stringifyJson(value));

const versions = fc.constantFrom(1, 2, 3) as fc.Arbitrary<1 | 2 | 3>;
const commits = fc.array(fc.array(updates, { minLength: 1, maxLength: 4 }), { maxLength: 25 });

/** What a refused commit leaves behind: nothing. Any other error is a bug. */
function tryTo<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (error instanceof PangolinError && ['invalid_request', 'commit_failed'].includes(error.code)) return null;
    throw error;
  }
}

const isUnique = (ids: readonly Int64[]) => new Set(ids).size === ids.length;

function checkInvariants(next: TableMetadata, base: TableMetadata, everyFieldId: Set<number>): void {
  const snapshotIdsOf = new Set(next.snapshots.map((one) => one['snapshot-id']));
  for (const ref of Object.values(next.refs)) expect(snapshotIdsOf).toContain(ref['snapshot-id']);
  expect(next.refs.main?.['snapshot-id'] ?? -1).toBe(next['current-snapshot-id']);
  if (next['current-snapshot-id'] !== -1)
    expect(next['snapshot-log'].at(-1)?.['snapshot-id']).toBe(next['current-snapshot-id']);
  for (const file of next['partition-statistics'].map((one) => one['snapshot-id']))
    expect(typeof file).not.toBe('string');

  for (const schema of next.schemas) for (const { id } of listColumns(schema)) everyFieldId.add(id);
  expect(next['last-column-id']).toBeGreaterThanOrEqual(Math.max(...everyFieldId));
  const partitionIds = next['partition-specs'].flatMap((spec) => spec.fields.map((field) => field['field-id']));
  expect(next['last-partition-id']).toBeGreaterThanOrEqual(Math.max(999, ...partitionIds));

  expect(isUnique(next.snapshots.map((one) => one['snapshot-id']))).toBe(true);
  expect(isUnique(next.schemas.map((one) => one['schema-id']))).toBe(true);
  expect(isUnique(next['partition-specs'].map((one) => one['spec-id']))).toBe(true);
  expect(isUnique(next['sort-orders'].map((one) => one['order-id']))).toBe(true);
  expect(next.schemas.map((one) => one['schema-id'])).toContain(next['current-schema-id']);
  expect(next['partition-specs'].map((one) => one['spec-id'])).toContain(next['default-spec-id']);
  expect(next['sort-orders'].map((one) => one['order-id'])).toContain(next['default-sort-order-id']);

  expect(next['last-sequence-number'] >= base['last-sequence-number']).toBe(true);
  expect((next['next-row-id'] ?? 0) >= (base['next-row-id'] ?? 0)).toBe(true);
  expect(next['format-version']).toBeGreaterThanOrEqual(base['format-version']);
  expect(next['table-uuid']).toBe(base['table-uuid']);
  if (next !== base) expect(next['last-updated-ms']).toBeGreaterThan(base['last-updated-ms']);
  expect(next['metadata-log'].length).toBeLessThanOrEqual(100);
}

/** What Java refuses to read: times that go back by more than a minute. */
function checkTimes(table: TableMetadata): void {
  const times = [...table['snapshot-log'].map((entry) => entry['timestamp-ms']), table['last-updated-ms']];
  for (const [index, time] of times.entries()) expect(time).toBeGreaterThanOrEqual((times[index - 1] ?? time) - 60_000);
}

describe('whatever updates are sent to a table, in whatever order', () => {
  test('its metadata holds together, survives being written and read, and no base is changed', () => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(versions, commits, (version, list) => {
        let base = deepFreeze(createVersion(version));
        const everyFieldId = new Set<number>();
        for (const [place, commit] of list.entries()) {
          const given = { ...GIVEN, nowMs: NOW_MS + place, baseLocation: `file:///${place}` };
          const body = commit.map((update, index) => overTheWire(update(base, index)));
          const next = tryTo(() => applyUpdates(base, body, given));
          if (next === null) refused += 1;
          else accepted += 1;
          if (next === null) continue;
          checkInvariants(next, base, everyFieldId);
          checkTimes(next);
          const text = writeTableMetadata(next);
          const again = readTableMetadata(parseJson(text));
          expect(writeTableMetadata(again)).toBe(text);
          expect(again).toEqual(next);
          // Every second commit is to a table that was read from its file.
          base = deepFreeze(place % 2 === 0 ? next : again);
        }
      }),
      { numRuns: 300 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(300);
  });

  test('every file that is new is found', () => {
    fc.assert(
      fc.property(versions, fc.array(updates, { minLength: 1, maxLength: 6 }), (version, list) => {
        const base = deepFreeze(createVersion(version));
        const next = tryTo(() =>
          applyUpdates(
            base,
            list.map((update, index) => overTheWire(update(base, index))),
            GIVEN,
          ),
        );
        if (next === null) return;
        const found = newLocations(next, base).filter(({ what }) => what.startsWith('The manifest-list'));
        expect(found.map(({ location }) => location)).toEqual(next.snapshots.map((one) => one['manifest-list']));
      }),
      { numRuns: 300 },
    );
  });
});

describe('whatever JSON is sent', () => {
  const anything = fc.json({ maxDepth: 4 }).map(parseJson);
  /** A request that was right, with one value replaced by another. */
  const spoil = (value: JsonValue, path: number, by: JsonValue): JsonValue => {
    if (typeof value !== 'object' || value === null || path === 0) return by;
    const keys = Object.keys(value);
    const key = keys[path % keys.length];
    if (key === undefined) return by;
    const object = value as JsonObject;
    const inner = spoil(object[key] ?? null, Math.floor(path / (keys.length + 1)), by);
    return Array.isArray(value)
      ? value.map((element, index) => (String(index) === key ? inner : element))
      : { ...object, [key]: inner };
  };
  const places = fc.nat({ max: 5000 });

  test('a table is created from it, or it is refused', () => {
    const request: JsonObject = {
      schema: {
        type: 'struct',
        'identifier-field-ids': [1],
        fields: [
          { id: 1, name: 'a', required: true, type: 'int', doc: 'x' },
          {
            id: 2,
            name: 'l',
            required: true,
            type: { type: 'list', 'element-id': 3, element: 'int', 'element-required': true },
          },
          {
            id: 4,
            name: 's',
            required: true,
            type: { type: 'struct', fields: [{ id: 5, name: 'x', required: true, type: 'date' }] },
          },
        ],
      },
      'partition-spec': { fields: [{ 'source-id': 5, name: 'm', transform: 'month' }] },
      'write-order': {
        fields: [{ 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-last' }],
      },
      properties: { a: 'b' },
    };
    fc.assert(
      fc.property(places, anything, (path, by) => {
        const spoilt = spoil(request, path, by);
        if (typeof spoilt !== 'object' || spoilt === null || Array.isArray(spoilt)) return;
        const given = { uuid: GIVEN.newUuid, location: LOCATION, nowMs: NOW_MS };
        const created = tryTo(() => createTableMetadata(spoilt as JsonObject, given));
        if (created === null) return;
        const text = writeTableMetadata(created);
        expect(writeTableMetadata(readTableMetadata(parseJson(text)))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test('a metadata file is read, or it is refused', () => {
    const table = parseJson(
      writeTableMetadata(
        applyUpdates(
          createVersion(3),
          [
            {
              action: 'add-snapshot',
              snapshot: {
                'snapshot-id': BIG,
                'timestamp-ms': NOW_MS,
                'manifest-list': 'm',
                'first-row-id': 0,
                'added-rows': 1,
                'sequence-number': 1,
                summary: { operation: 'append' },
              },
            },
            { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': BIG },
          ],
          GIVEN,
        ),
      ),
    );
    fc.assert(
      fc.property(places, anything, (path, by) => {
        const read = tryTo(() => readTableMetadata(spoil(table, path, by)));
        if (read === null) return;
        const text = writeTableMetadata(read);
        expect(writeTableMetadata(readTableMetadata(parseJson(text)))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  test('updates and requirements are applied and checked, or refused', () => {
    const base = deepFreeze(createVersion(2));
    const actions = fc.constantFrom('add-schema', 'add-spec', 'add-snapshot', 'set-properties', 'set-statistics', 'x');
    const updatesOfAnything = fc.record({
      action: actions,
      schema: anything,
      spec: anything,
      snapshot: anything,
      updates: anything,
      statistics: anything,
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(anything, updatesOfAnything)), (list) => {
        tryTo(() => applyUpdates(base, list, GIVEN));
        tryTo(() => checkRequirements(base, list));
      }),
      { numRuns: 1000 },
    );
  });
});
