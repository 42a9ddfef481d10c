import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../packages/server/src/iceberg/json.ts';
import { checkRequirements, isCreate } from '../../../../packages/server/src/iceberg/metadata/requirements.ts';
import { addSnapshot, apply, createTable, expectRefusal, setRef, UUID } from './tables.ts';

const TABLE = apply(createTable(), addSnapshot(7), setRef('main', 7), setRef('v1', 7, { type: 'tag' }));

describe('what a commit requires of its table', () => {
  test.each<JsonObject>([
    { type: 'assert-table-uuid', uuid: UUID.toUpperCase() },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 7 },
    { type: 'assert-ref-snapshot-id', ref: 'other', 'snapshot-id': null },
    { type: 'assert-ref-snapshot-id', ref: 'constructor' },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 3 },
    { type: 'assert-current-schema-id', 'current-schema-id': 0 },
    { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 999 },
    { type: 'assert-default-spec-id', 'default-spec-id': 0 },
    { type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 },
  ])('holds: %j', (requirement) => {
    expect(() => checkRequirements(TABLE, [requirement])).not.toThrow();
  });

  test.each<[JsonObject, string]>([
    [{ type: 'assert-create' }, 'table already exists'],
    [{ type: 'assert-table-uuid', uuid: 'x' }, `UUID does not match: expected ${UUID} != x`],
    [{ type: 'assert-ref-snapshot-id', ref: 'main' }, 'branch main was created concurrently'],
    [{ type: 'assert-ref-snapshot-id', ref: 'v1', 'snapshot-id': null }, 'tag v1 was created concurrently'],
    [{ type: 'assert-ref-snapshot-id', ref: 'x', 'snapshot-id': 5 }, 'branch or tag x is missing, expected 5'],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 5 }, 'branch main has changed: expected id 5 != 7'],
    [
      { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 2 },
      'last assigned field id changed: expected id 2 != 3',
    ],
    [{ type: 'assert-current-schema-id', 'current-schema-id': 1 }, 'current schema changed: expected id 1 != 0'],
    [
      { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1000 },
      'last assigned partition id changed: expected id 1000 != 999',
    ],
    [{ type: 'assert-default-spec-id', 'default-spec-id': 1 }, 'default partition spec changed: expected id 1 != 0'],
    [
      { type: 'assert-default-sort-order-id', 'default-sort-order-id': 1 },
      'default sort order changed: expected id 1 != 0',
    ],
  ])('does not hold: %j', (requirement, message) => {
    const exactly = new RegExp(`^Requirement failed: ${message}$`);
    expectRefusal(() => checkRequirements(TABLE, [requirement]), exactly, 'commit_failed');
  });

  test.each<[JsonValue, string]>([
    [null, 'requirements[0] must be an object'],
    [{}, 'requirements[0].type is missing'],
    [{ type: 5 }, 'requirements[0].type must be a string'],
    [{ type: 'assert-nothing' }, 'requirements[0].type: "assert-nothing" is not a requirement of tables'],
    [{ type: 'constructor' }, 'is not a requirement'],
    [{ type: 'assert-view-uuid', uuid: UUID }, 'is not a requirement of tables'],
    [{ type: 'assert-table-uuid' }, 'requirements[0].uuid is missing'],
    [{ type: 'assert-ref-snapshot-id', 'snapshot-id': 5 }, 'requirements[0].ref is missing'],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': '7' }, 'must be a 64-bit integer'],
    [{ type: 'assert-default-spec-id', 'default-spec-id': 2 ** 40 }, 'must be a 32-bit integer'],
  ])('is malformed: %j', (requirement, message) => {
    expectRefusal(() => checkRequirements(TABLE, [requirement]), message);
  });

  test('an unknown requirement is refused even behind one that does not hold', () => {
    const failing = { type: 'assert-current-schema-id', 'current-schema-id': 1 };
    expectRefusal(() => checkRequirements(TABLE, [failing, { type: 'x' }]), 'is not a requirement');
  });
});

describe('the creation of a table', () => {
  test('is required alone, and holds where there is none', () => {
    expect(() => checkRequirements(null, [{ type: 'assert-create' }])).not.toThrow();
    const uuid = { type: 'assert-table-uuid', uuid: UUID };
    expectRefusal(() => checkRequirements(null, [{ type: 'assert-create' }, uuid]), 'must be the only one');
  });

  test('is told from a change, whatever was sent', () => {
    expect(isCreate([{ type: 'assert-create' }])).toBe(true);
    expect(isCreate([null, 5, [], {}, { type: ['assert-create'] }])).toBe(false);
  });

  test('anything else of a table that is not there fails as not found', () => {
    const uuid = { type: 'assert-table-uuid', uuid: UUID };
    expectRefusal(() => checkRequirements(null, [uuid]), 'Table does not exist', 'table_not_found');
  });
});
