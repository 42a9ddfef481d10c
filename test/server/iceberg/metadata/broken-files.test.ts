import { PangolinError } from '@pangolin/shared/errors';
import { expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../../../packages/server/src/iceberg/json.ts';
import { readTableMetadata } from '../../../../packages/server/src/iceberg/metadata/read-table-metadata.ts';
import { writeTableMetadata } from '../../../../packages/server/src/iceberg/metadata/write-table-metadata.ts';
import {
  readViewMetadata,
  writeViewMetadata,
} from '../../../../packages/server/src/iceberg/views/read-view-metadata.ts';
import { createView } from '../views/sample-views.ts';
import { addSnapshot, apply, createTable, json, setRef } from './tables.ts';

const OTHERS: JsonValue[] = [null, [], {}, [1], { a: 1 }, '', 'x', true, -5, 2 ** 40, 2n ** 70n];

/** Every JSON value that has one of its values, at any depth, replaced by another. */
function* spoil(value: JsonValue): Generator<JsonValue> {
  yield* OTHERS;
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    for (const spoilt of spoil(inner)) {
      yield Array.isArray(value) ? value.with(Number(name), spoilt) : { ...value, [name]: spoilt };
    }
  }
}

const table = apply(
  createTable({
    'partition-spec': { fields: [{ 'source-id': 1, transform: 'identity', name: 'id' }] },
    'write-order': {
      fields: [{ 'source-id': 1, transform: 'identity', direction: 'asc', 'null-order': 'nulls-last' }],
    },
    properties: { a: 'b' },
  }),
  addSnapshot(1),
  setRef('main', 1),
  { action: 'add-encryption-key', 'encryption-key': { 'key-id': 'k', 'encrypted-key-metadata': 'bQ==' } },
);

test.each<[string, string, (value: JsonValue) => unknown]>([
  ['table', writeTableMetadata(table), readTableMetadata],
  ['view', writeViewMetadata(createView({ properties: { a: 'b' } })), readViewMetadata],
])('a %s’s file with anything wrong in it is refused in words that name the member', (_, text, read) => {
  const file: JsonObject = json(text);
  let refused = 0;
  for (const [name, value] of Object.entries(file)) {
    for (const spoilt of spoil(value)) {
      try {
        read({ ...file, [name]: spoilt });
      } catch (error) {
        refused += 1;
        expect(error).toBeInstanceOf(PangolinError);
        expect(error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining(name) });
        expect(error).not.toMatchObject({ message: expect.stringContaining('body') });
      }
    }
  }
  expect(refused).toBeGreaterThan(100);
});
