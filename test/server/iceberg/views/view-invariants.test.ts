import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type JsonObject, parseJson } from '../../../../packages/server/src/iceberg/json.ts';
import {
  readViewMetadata,
  writeViewMetadata,
} from '../../../../packages/server/src/iceberg/views/read-view-metadata.ts';
import { dialectsOf } from '../../../../packages/server/src/iceberg/views/read-view-version.ts';
import type { ViewMetadata } from '../../../../packages/server/src/iceberg/views/view-metadata.ts';
import { apply, createView, sqlOf, versionOf } from './sample-views.ts';

const small = fc.integer({ min: -1, max: 6 });
const queries = fc
  .uniqueArray(fc.constantFrom('trino', 'Spark', 'duckdb'), { minLength: 1 })
  .chain((dialects) => fc.constantFrom('select 1', 'select 2').map((sql) => dialects.map((one) => sqlOf(sql, one))));

const update: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record({ columnId: small, name: fc.constantFrom('a', 'b') }).map(({ columnId, name }) => ({
    action: 'add-schema',
    schema: { type: 'struct', fields: [{ id: columnId, name, type: 'long', required: false }] },
  })),
  fc.tuple(small, small, queries).map(([id, schemaId, representations]) => ({
    action: 'add-view-version',
    'view-version': versionOf({ 'version-id': id, 'schema-id': schemaId }, ...representations),
  })),
  small.map((id) => ({ action: 'set-current-view-version', 'view-version-id': id })),
  fc
    .constantFrom(
      ['version.history.num-entries', '1'],
      ['version.history.num-entries', '3'],
      ['replace.drop-dialect.allowed', 'true'],
      ['a', 'b'],
    )
    .map(([name = '', text = '']) => ({ action: 'set-properties', updates: { [name]: text } })),
  fc
    .constantFrom('version.history.num-entries', 'replace.drop-dialect.allowed', 'a')
    .map((name) => ({ action: 'remove-properties', removals: [name] })),
);

const currentOf = (view: ViewMetadata) =>
  view.versions.find((version) => version['version-id'] === view['current-version-id']);

test('any commits, some of them refused, leave a view whole', () => {
  fc.assert(
    fc.property(fc.array(fc.array(update, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (commits) => {
      let view = createView();
      for (const updates of commits) {
        const text = writeViewMetadata(view);
        let next: ViewMetadata;
        try {
          next = apply(view, ...updates);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' });
          continue;
        } finally {
          expect(writeViewMetadata(view), 'a commit never changes its base').toBe(text);
        }
        checkCommit(view, next);
        view = next;
      }
    }),
    { numRuns: 300 },
  );
});

function checkCommit(before: ViewMetadata, after: ViewMetadata): void {
  expect(readViewMetadata(parseJson(writeViewMetadata(after))), 'it is read back as it is').toEqual(after);
  const current = currentOf(after);
  const schemaIds = after.schemas.map((schema) => schema['schema-id']);
  for (const version of after.versions) expect(schemaIds).toContain(version['schema-id']);
  expect(schemaIds, 'schemas are numbered and never lost').toEqual(schemaIds.map((_, index) => index));
  expect(after['version-log'].at(-1)?.['version-id'], 'the log ends with what is current').toBe(
    after['current-version-id'],
  );

  const ids = after.versions.map((version) => version['version-id']);
  for (const entry of after['version-log'])
    expect(ids, 'the log names versions that are there').toContain(entry['version-id']);
  for (const version of after.versions) {
    const old = before.versions.find((one) => one['version-id'] === version['version-id']);
    if (old) expect(version, 'a version never changes').toBe(old);
  }
  const added = ids.filter((id) => !before.versions.some((one) => one['version-id'] === id));
  const limit = Number(after.properties['version.history.num-entries'] ?? 10);
  if (after !== before) expect(ids.length).toBeLessThanOrEqual(Math.max(limit, added.length + 1));

  if (after.properties['replace.drop-dialect.allowed'] === 'true' || !current) return;
  const previous = currentOf(before);
  if (previous) expect(dialectsOf(current)).toEqual(expect.arrayContaining(dialectsOf(previous)));
}
