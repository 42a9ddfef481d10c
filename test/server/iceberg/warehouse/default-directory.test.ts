import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  defaultDirectory,
  directoryName,
} from '../../../../packages/server/src/iceberg/warehouse/default-directory.ts';
import { requireWithin } from '../../../../packages/server/src/iceberg/warehouse/location.ts';

const ROOT = 'file:///srv/wh';

describe('where a table is put when nobody says', () => {
  test('plain names make a path that reads as the table does', () => {
    expect(defaultDirectory(ROOT, ['sales', 'eu_2026'], 'Orders.v2')).toBe(`${ROOT}/sales/eu_2026/Orders.v2`);
    expect(defaultDirectory('s3://bucket', ['sales'])).toBe('s3://bucket/sales');
  });

  test.each([
    ['a b', 'a_b-c8687a08'],
    ['../../etc', '_._.._etc-'],
    ['..', '_.-'],
    ['.hidden', '_hidden-'],
    ['', '_-e3b0c442'],
    ['a/b', 'a_b-'],
    ['%2e%2e', '_2e_2e-'],
    ['größe', 'gr__e-'],
    ['CON', '_CON-'],
    ['nul.txt', '_nul.txt-'],
    ['table.', 'table.-'],
    ['looks-0123abcd', 'looks-0123abcd-'],
  ])('%j becomes %s and the beginning of a hash', (name, start) => {
    expect(directoryName(name).startsWith(start)).toBe(true);
    expect(directoryName(name)).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]*-[0-9a-f]{8}$/);
  });

  test('a long name is cut to 100 bytes, and two that begin alike stay apart', () => {
    expect(directoryName('x'.repeat(100))).toBe('x'.repeat(100));
    expect(directoryName('x'.repeat(101))).toHaveLength(100);
    expect(directoryName(`con.${'x'.repeat(101)}`)).toHaveLength(100);
    expect(directoryName('x'.repeat(101))).not.toBe(directoryName('x'.repeat(102)));
  });

  test('no names whatsoever lead out of the warehouse', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('..', '.', '/', '\\', '%2e%2e', '../..', '~'));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 4 }), name, (levels, table) => {
        const directory = defaultDirectory(ROOT, levels, table);
        expect(requireWithin(ROOT, directory, 'The location')).toBe(directory);
        expect(directory.split('/')).toHaveLength(ROOT.split('/').length + levels.length + 1);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no two names meet, not even one that is made to look like what the other became', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 6 });
    fc.assert(
      fc.property(name, name, (one, other) => {
        if (one !== other) expect(directoryName(one)).not.toBe(directoryName(other));
        expect(directoryName(directoryName(one)) === directoryName(one)).toBe(directoryName(one) === one);
      }),
      { numRuns: 2_000 },
    );
  });
});
