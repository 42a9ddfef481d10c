import { describe, expect, test } from 'vitest';
import { type JsonObject, type JsonValue, parseJson } from '../../../../packages/server/src/iceberg/json.ts';
import { checkViewRequirements } from '../../../../packages/server/src/iceberg/views/view-requirements.ts';
import { applyViewUpdates } from '../../../../packages/server/src/iceberg/views/view-updates.ts';
import {
  apply,
  createView,
  NOW_MS,
  OTHER_SCHEMA,
  replacing,
  SCHEMA,
  SENT_MS,
  sqlOf,
  UUID,
  versionOf,
} from './sample-views.ts';

const idsOf = (view: { versions: readonly { 'version-id': number }[] }) =>
  view.versions.map((one) => one['version-id']);
const setProperties = (updates: JsonObject): JsonObject => ({ action: 'set-properties', updates });
const invalid = (message: string) => expect.objectContaining({ code: 'invalid_request', message });

describe('replacing a view', () => {
  test('adds a version and makes it current, logged with the time it was made', () => {
    const view = apply(createView(), ...replacing(2, sqlOf('select 2', 'trino')));
    expect(view['current-version-id']).toBe(2);
    expect(view.versions).toEqual([versionOf(), versionOf({ 'version-id': 2 }, sqlOf('select 2', 'trino'))]);
    expect(view['version-log']).toEqual([
      { 'timestamp-ms': SENT_MS, 'version-id': 1 },
      { 'timestamp-ms': SENT_MS, 'version-id': 2 },
    ]);
  });

  test('by two clients that both knew the first version alone leaves versions 2 and 3, of the schemas each named', () => {
    const base = createView({ properties: { 'replace.drop-dialect.allowed': 'true' } });
    const spark = versionOf({ 'version-id': 2, 'schema-id': -1 }, sqlOf('select count(some_id) from ns.tbl', 'spark'));
    const first = apply(
      base,
      { action: 'add-schema', schema: OTHER_SCHEMA },
      { action: 'add-view-version', 'view-version': spark },
      { action: 'set-current-view-version', 'view-version-id': -1 },
    );
    const second = apply(first, ...replacing(2, sqlOf('select count(id) from ns.tbl', 'trino')));
    expect(second.versions.map((one) => [one['version-id'], one['schema-id']])).toEqual([
      [1, 0],
      [2, 1],
      [3, 0],
    ]);
    expect(second['current-version-id']).toBe(3);
  });

  test('keeps a version id that is above all others', () => {
    expect(idsOf(apply(createView(), ...replacing(9, sqlOf('select 2', 'trino'))))).toEqual([1, 9]);
  });

  test('uses the id of an equal version again, whatever its id and time', () => {
    const base = apply(createView(), ...replacing(2, sqlOf('select 2', 'trino')));
    const again = versionOf({ 'version-id': 3, 'timestamp-ms': SENT_MS + 5 });
    const view = apply(
      base,
      { action: 'add-view-version', 'view-version': again },
      { action: 'set-current-view-version', 'view-version-id': -1 },
    );
    expect(idsOf(view)).toEqual([1, 2]);
    expect(view['current-version-id']).toBe(1);
    expect(view['version-log'].at(-1), 'it becomes current again now').toEqual({
      'timestamp-ms': NOW_MS,
      'version-id': 1,
    });
  });

  test('uses the id of a version that says the same in another order', () => {
    const version = (summary: JsonObject, more: JsonObject) => ({
      action: 'add-view-version',
      'view-version': versionOf({ 'version-id': 2, summary, ...more }),
    });
    const base = apply(createView(), version({ a: '1', b: '2' }, { x: { c: 1, d: [2] }, y: true }));
    expect(idsOf(base)).toEqual([1, 2]);
    expect(apply(base, version({ b: '2', a: '1' }, { y: true, x: { d: [2], c: 1 } }))).toBe(base);
    expect(idsOf(apply(base, version({ b: '2', a: '1' }, { y: true, x: { d: [2], c: 2 } })))).toEqual([1, 2, 3]);
  });

  test('with what it is already changes nothing', () => {
    const base = createView();
    expect(apply(base, ...replacing(2, sqlOf('select * from ns.tbl', 'trino')))).toBe(base);
  });

  test('takes -1 for a schema that was there before', () => {
    const version = versionOf({ 'schema-id': -1 }, sqlOf('select 2', 'trino'));
    const view = apply(
      createView(),
      { action: 'add-schema', schema: { ...SCHEMA, 'schema-id': 5 } },
      { action: 'add-view-version', 'view-version': version },
    );
    expect(view.schemas).toHaveLength(1);
    expect(view.versions[1]?.['schema-id']).toBe(0);
  });

  test('takes one action for another however its name is cased', () => {
    expect(apply(createView(), { action: 'Set-Properties', updates: { a: 'b' } }).properties).toEqual({ a: 'b' });
  });

  test('is refused with two queries for one dialect', () => {
    const twice = replacing(2, sqlOf('select 1', 'trino'), sqlOf('select 2', 'TRINO'));
    const message = 'Invalid view version: Cannot add multiple queries for dialect trino';
    expect(() => apply(createView(), ...twice)).toThrow(expect.objectContaining({ code: 'view_invalid', message }));
  });

  test.each<[string, JsonValue[], string]>([
    [
      'an unknown schema',
      [{ action: 'add-view-version', 'view-version': versionOf({ 'schema-id': 4 }) }],
      'Cannot add version with unknown schema: 4',
    ],
    [
      '-1 for a schema nobody added',
      [{ action: 'add-view-version', 'view-version': versionOf({ 'schema-id': -1 }) }],
      'Cannot set last added schema: no schema has been added',
    ],
    [
      '-1 for a version nobody added',
      [{ action: 'set-current-view-version', 'view-version-id': -1 }],
      'Cannot set last version id: no current version id has been set',
    ],
    [
      'an unknown version',
      [{ action: 'set-current-view-version', 'view-version-id': 23 }],
      'Cannot set current version to unknown version: 23',
    ],
    ['another uuid', [{ action: 'assign-uuid', uuid: UUID.replace('5', '6') }], 'Cannot reassign uuid'],
    [
      'a later format version',
      [{ action: 'upgrade-format-version', 'format-version': 2 }],
      'Unsupported format version: v2 (supported: v1)',
    ],
    ['an earlier one', [{ action: 'upgrade-format-version', 'format-version': 0 }], 'Cannot downgrade v1 view to v0'],
    ['an update that is text', ['set-properties'], 'updates[0] must be an object.'],
    ['an update without an action', [{}], 'updates[0].action is missing.'],
    ['a property that is a number', [setProperties({ a: 1 })], 'updates[0].updates.a must be a string.'],
    [
      'a history of less than nothing',
      [setProperties({ 'version.history.num-entries': '-1' })],
      'version.history.num-entries must be positive but was -1',
    ],
    [
      'no ids left',
      [...replacing(2 ** 31 - 1, sqlOf('select 2', 'trino')), ...replacing(2, sqlOf('select 3', 'trino'))],
      'There is no version id above 2147483647.',
    ],
  ])('is refused with %s', (_, updates, message) => {
    expect(() => apply(createView(), ...updates)).toThrow(invalid(message));
  });

  test.each(['add-spec', 'add-snapshot', 'set-snapshot-ref', 'remove-schemas', '__proto__', 'constructor', ''])(
    'is refused with the update %j, which no view has',
    (action) => {
      expect(() => apply(createView(), { action })).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    },
  );

  test('may be as large as a commit can be', () => {
    const thousand = <T>(make: (index: number) => T) => Array.from({ length: 1000 }, (_, index) => make(index));
    const versions = thousand((index) => ({
      action: 'add-view-version',
      'view-version': versionOf({ 'version-id': index + 2 }, sqlOf(`select ${index}`, 'trino')),
    }));
    expect(apply(createView(), ...versions).versions).toHaveLength(1001);
    const properties = thousand((index) =>
      setProperties(Object.fromEntries(thousand((inner) => [`p${index}.${inner % 100}`, 'x']))),
    );
    expect(Object.keys(apply(createView(), ...properties).properties)).toHaveLength(100_000);
  });

  test('is refused with more updates than any engine sends', () => {
    expect(() => apply(createView(), ...Array(1001).fill(setProperties({})))).toThrow('at most 1000 updates');
  });
});

describe('a dialect', () => {
  const base = createView({ 'view-version': versionOf({}, sqlOf('select 1', 'Spark'), sqlOf('select 1', 'trino')) });
  const onlyTrino = replacing(2, sqlOf('select 2', 'TRINO'));

  test('is not lost by replacing a view', () => {
    expect(() => apply(base, ...onlyTrino)).toThrow(
      invalid(
        'Cannot replace view due to loss of view dialects (replace.drop-dialect.allowed=false):\n' +
          'Previous dialects: [spark, trino]\nNew dialects: [trino]',
      ),
    );
  });

  test('is dropped where the view, or the same commit, allows it', () => {
    const allow = setProperties({ 'replace.drop-dialect.allowed': 'TRUE' });
    expect(apply(apply(base, allow), ...onlyTrino)['current-version-id']).toBe(2);
    expect(apply(base, ...onlyTrino, allow)['current-version-id']).toBe(2);
    const forbid = setProperties({ 'replace.drop-dialect.allowed': 'false' });
    expect(() => apply(apply(base, allow), forbid, ...onlyTrino)).toThrow('loss of view dialects');
  });

  test('is not lost by returning to an older version', () => {
    const view = apply(createView(), ...replacing(2, sqlOf('select 1', 'trino'), sqlOf('select 1', 'spark')));
    expect(() => apply(view, { action: 'set-current-view-version', 'view-version-id': 1 })).toThrow(
      'loss of view dialects',
    );
  });

  test('may be added', () => {
    expect(apply(createView(), ...replacing(2, sqlOf('1', 'duckdb'), sqlOf('1', 'trino')))['current-version-id']).toBe(
      2,
    );
  });
});

describe('the history of a view', () => {
  const grow = (count: number, properties: JsonObject = {}) => {
    let view = createView({ properties });
    for (let id = 2; id <= count; id += 1) view = apply(view, ...replacing(id, sqlOf(`select ${id}`, 'trino')));
    return view;
  };

  test('has the last ten versions unless the view says otherwise', () => {
    expect(idsOf(grow(13))).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(idsOf(grow(5, { 'version.history.num-entries': '2' }))).toEqual([4, 5]);
    expect(grow(5, { 'version.history.num-entries': '2' })['version-log'].map((entry) => entry['version-id'])).toEqual([
      4, 5,
    ]);
  });

  test('keeps the current version although it is the oldest', () => {
    const view = apply(
      grow(4),
      { action: 'set-current-view-version', 'view-version-id': 1 },
      setProperties({ 'version.history.num-entries': '2' }),
    );
    expect(idsOf(view)).toEqual([1, 4]);
    expect(view['version-log']).toEqual([
      { 'timestamp-ms': SENT_MS, 'version-id': 4 },
      { 'timestamp-ms': NOW_MS, 'version-id': 1 },
    ]);
  });

  test('keeps every version that the commit itself adds', () => {
    const base = createView({ properties: { 'version.history.num-entries': '1' } });
    expect(idsOf(apply(base, ...replacing(2, sqlOf('2', 'trino')), ...replacing(3, sqlOf('3', 'trino'))))).toEqual([
      2, 3,
    ]);
  });
});

describe('updates that change nothing', () => {
  test.each<[string, JsonObject]>([
    ['its own uuid', { action: 'assign-uuid', uuid: UUID.toUpperCase() }],
    ['its own format version', { action: 'upgrade-format-version', 'format-version': 1 }],
    ['a schema it has', { action: 'add-schema', schema: SCHEMA, 'last-column-id': 9 }],
    ['its own location, with a slash', { action: 'set-location', location: 'file:///warehouse/ns/v//' }],
    ['no properties', setProperties({})],
    ['properties it has', setProperties({ a: 'b' })],
    ['properties it has not, removed', { action: 'remove-properties', removals: ['x', '__proto__'] }],
    ['its current version', { action: 'set-current-view-version', 'view-version-id': 1 }],
  ])('leave the metadata itself: %s', (_, update) => {
    const base = createView({ properties: { a: 'b' } });
    expect(apply(base, update)).toBe(base);
  });

  test('leave it also when there are none', () => {
    const base = createView();
    for (const updates of [undefined, null, []]) expect(applyViewUpdates(base, updates, { nowMs: NOW_MS })).toBe(base);
  });
});

describe('properties and location', () => {
  test('are set and removed, by today’s names and by those of old clients', () => {
    const set = apply(createView({ properties: { a: '1', b: '2' } }), setProperties({ b: '3' }), {
      action: 'set-properties',
      updated: { c: '4' },
    });
    expect(set.properties).toEqual({ a: '1', b: '3', c: '4' });
    expect(
      apply(set, { action: 'remove-properties', removals: ['a'] }, { action: 'remove-properties', removed: ['c'] })
        .properties,
    ).toEqual({ b: '3' });
  });

  test('a property may be named __proto__', () => {
    const view = apply(createView(), parseJson('{"action":"set-properties","updates":{"__proto__":"x"}}'));
    expect(Object.entries(view.properties)).toEqual([['__proto__', 'x']]);
    expect(Object.entries(apply(view, { action: 'remove-properties', removals: ['__proto__'] }).properties)).toEqual(
      [],
    );
  });

  test('a location loses the slash at its end', () => {
    expect(apply(createView(), { action: 'set-location', location: 'file:///warehouse/moved/' }).location).toBe(
      'file:///warehouse/moved',
    );
  });
});

describe('requirements', () => {
  const check = (...requirements: JsonValue[]) => checkViewRequirements(createView(), requirements);

  test('hold for the view’s uuid in any case, and when there are none', () => {
    check({ type: 'assert-view-uuid', uuid: UUID.toUpperCase() });
    for (const none of [undefined, null, []]) checkViewRequirements(createView(), none);
  });

  test('fail the commit for another uuid', () => {
    expect(() => check({ type: 'assert-view-uuid', uuid: 'other' })).toThrow(
      expect.objectContaining({
        code: 'commit_failed',
        message: `Requirement failed: view UUID does not match: expected ${UUID} != other`,
      }),
    );
  });

  test.each<[string, JsonValue]>([
    ['one of tables', { type: 'assert-table-uuid', uuid: UUID }],
    ['one nobody knows', { type: 'assert-weather' }],
    ['one without a type', { uuid: UUID }],
    ['one without a uuid', { type: 'assert-view-uuid' }],
    ['one that is text', 'assert-view-uuid'],
  ])('are refused with %s', (_, requirement) => {
    expect(() => check(requirement)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
  });

  test('are refused when they are no list', () => {
    expect(() => checkViewRequirements(createView(), { type: 'assert-view-uuid' })).toThrow(
      'requirements must be a list.',
    );
  });
});
