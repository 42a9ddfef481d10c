import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ancestorsOf,
  formatLocation,
  isLocation,
  isWithin,
  rangeUnder,
  readLocation,
  requireWithin,
} from '../../../../packages/server/src/iceberg/warehouse/location.ts';

const ROOT = 'file:///srv/wh';
const normalise = (text: string) => formatLocation(readLocation(text));

/** Text made of what has led out of directories before. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom('..', '.', '/', '//', '\\', '%2e', '%2E%2e', '%252e', '%25252e', '%2f', '%255c', '%5c', '%00'),
      fc.constantFrom('wh', 'a', 'srv', '~', '$HOME', '?', '#', '\0', '\n', 'file:', 's3://', 'bucket', '@', ':', ' '),
      fc.constantFrom('%', '%%32%65', '%c0%ae', '\u2024', '\uff0e', '\uff0f', '\ud800', 'metadata', '*', '..;', '. .'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

function decodeFully(text: string): string {
  const next = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return next === text ? text : decodeFully(next);
}

describe('what a location is', () => {
  test.each([
    ['file:/srv/wh', 'file:///srv/wh'],
    ['file:///srv/wh/', 'file:///srv/wh'],
    ['file://localhost/srv//wh//', 'file:///srv/wh'],
    ['FILE://LocalHost/srv/wh', 'file:///srv/wh'],
    ['/srv/wh', 'file:///srv/wh'],
    ['file:///', 'file:///'],
    ['file:///srv/with space/ä%20b', 'file:///srv/with space/ä%20b'],
    ['file:///srv/...', 'file:///srv/...'],
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/', 's3://bucket'],
    ['s3a://bucket/a/b/', 's3://bucket/a/b'],
    ['s3n://my.bucket-1/a=1', 's3://my.bucket-1/a=1'],
  ])('%s is read as %s', (text, normalised) => {
    expect(normalise(text)).toBe(normalised);
    expect(normalise(normalised)).toBe(normalised);
  });

  test.each([
    ['', 'is not an absolute path'],
    ['wh/t', 'is not an absolute path'],
    ['./wh', 'has a . or .. segment'],
    ['~/wh', 'is not an absolute path'],
    ['file:wh', 'is not an absolute path'],
    ['file:', 'is not an absolute path'],
    ['file://', 'names a host'],
    ['file://localhost', 'names a host'],
    ['file://fileserver/share/wh', 'names a host'],
    ['//fileserver/share/wh', 'is not an absolute path'],
    ['gs://bucket/wh', 'has the scheme gs'],
    ['http://169.254.169.254/latest', 'has the scheme http'],
    ['hdfs:/wh', 'has the scheme hdfs'],
    ['s3:/bucket/wh', 'has no bucket'],
    ['s3://', 'has no bucket'],
    ['s3:///wh', 'has no bucket'],
    ['s3://user@bucket/wh', 'has no valid bucket name'],
    ['s3://bucket:9000/wh', 'has no valid bucket name'],
    ['s3://bu..cket/wh', 'has no valid bucket name'],
    ['s3://*/wh', 'has no valid bucket name'],
    ['s3://bucket//wh', 'has an empty segment'],
    ['s3://bucket/wh//t', 'has an empty segment'],
    ['file:///srv/wh/../etc', 'has a . or .. segment'],
    ['file:///srv/wh/..', 'has a . or .. segment'],
    ['file:///srv/./wh', 'has a . or .. segment'],
    ['file:///srv/%2e%2e/etc', 'has an encoded . or .. segment'],
    ['file:///srv/.%2E/etc', 'has an encoded . or .. segment'],
    ['file:///srv/%252e%252e/etc', 'has an encoded . or .. segment'],
    ['file:///srv/%25252e./etc', 'has an encoded . or .. segment'],
    ['file:///srv/%%32%65%2e/etc', 'has an encoded . or .. segment'],
    ['file:///srv/a%2f..%2fb', 'has an encoded slash'],
    ['file:///srv/a%252Fb', 'has an encoded slash'],
    ['file:///srv/a%5cb', 'has an encoded slash'],
    ['file:///srv/a%00', 'has an encoded control character'],
    ['file:///srv/a\\b', 'has a backslash'],
    ['file:///srv/wh?x', 'has a question mark or a hash sign'],
    ['file:///srv/wh#x', 'has a question mark or a hash sign'],
    ['file:///srv/wh\n', 'has a control character'],
    ['file:///srv/wh\u0085', 'has a control character'],
    ['file:///srv/wh\ud800', 'is not valid Unicode'],
    [`file:///${'a'.repeat(2000)}`, 'has more than 2000 characters'],
  ])('%j is refused, because it %s', (text, problem) => {
    expect(() => readLocation(text)).toThrow(expect.objectContaining({ code: 'invalid_request' }));
    expect(() => readLocation(text)).toThrow(`${problem}. Accepted are file:///an/absolute/path and s3://bucket/path.`);
  });

  test('a refusal names the location, on one line and of bounded length', () => {
    const refusal = (() => {
      try {
        readLocation(`gs://bucket/\n\u001b[2J${'x'.repeat(900)}`, "The table's location");
      } catch (error) {
        return String((error as Error).message);
      }
      return '';
    })();
    expect(refusal).toMatch(/^The table's location "gs:\/\/bucket\/\\n\\u001b\[2Jx+…" has a control character\./);
    expect(refusal.length).toBeLessThan(350);
  });

  test('reading what was formatted changes nothing, whatever was read', () => {
    fc.assert(
      fc.property(fc.constantFrom('file:///', 's3://bucket/', '/', ''), hostileText, (start, rest) => {
        const first = (() => {
          try {
            return normalise(start + rest);
          } catch {
            return null;
          }
        })();
        if (first !== null) expect(normalise(first)).toBe(first);
      }),
    );
  });
});

describe('what lies within a warehouse', () => {
  test('a location within it is returned normalised', () => {
    expect(requireWithin(ROOT, 'file:/srv/wh/ns//t/', "The table's location")).toBe('file:///srv/wh/ns/t');
    expect(requireWithin('s3://b/wh', 's3a://b/wh/t', "The table's location")).toBe('s3://b/wh/t');
    expect(requireWithin('s3://b', 's3://b/t', "The table's location")).toBe('s3://b/t');
  });

  test.each(['s3://b/t', 'file:///srv/whale/t', 'file:///srv', 'file:///srv/wh', '/etc/passwd', 'file:///srv/WH/t'])(
    '%s is refused by name, and so is the warehouse itself',
    (location) => {
      expect(() => requireWithin(ROOT, location, "The table's location")).toThrow(
        `The table's location must lie within the catalog's warehouse file:///srv/wh; it is ${normalise(location)}`,
      );
    },
  );

  test('the root counts where it is asked for, and text that is no location never does', () => {
    expect(isWithin(ROOT, 'file:/srv/wh/')).toBe(false);
    expect(isWithin(ROOT, 'file:/srv/wh/', { orRoot: true })).toBe(true);
    expect(isWithin(ROOT, 'file:///srv/wha', { orRoot: true })).toBe(false);
    expect(isWithin(ROOT, 'file:///srv/wh/../x')).toBe(false);
    expect(isWithin(ROOT, '')).toBe(false);
    expect(isWithin('s3://b/wh', 's3://b2/wh/x')).toBe(false);
  });

  test('a data file may have an encoded slash, as engines write partitions; a location that is to be stored may not', () => {
    const file = `${ROOT}/t/data/day=2026%2F01%2F01/a.parquet`;
    expect(isWithin(ROOT, file)).toBe(true);
    expect(() => requireWithin(ROOT, file, 'The location')).toThrow('has an encoded slash');
  });

  test('no text whatsoever that is accepted leads out, however it is decoded and resolved', () => {
    fc.assert(
      fc.property(fc.constantFrom(`${ROOT}/`, ROOT, 'file:', 's3://b/wh/', ''), hostileText, (start, rest) => {
        for (const root of [ROOT, 's3://b/wh']) {
          const accepted = (() => {
            try {
              return requireWithin(root, start + rest, 'The location');
            } catch {
              return null;
            }
          })();
          if (accepted === null) continue;
          expect(accepted.startsWith(`${root}/`)).toBe(true);
          expect(accepted.endsWith('/')).toBe(false);
          const path = decodeFully(accepted).replace(/^\w+:\/\//, '');
          expect(posix.normalize(path.replaceAll('\\', '/'))).toBe(path);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('where a location stands among others', () => {
  test('its ancestors are those from the root down to its parent', () => {
    expect(ancestorsOf(ROOT, `${ROOT}/a/b/c`)).toEqual([ROOT, `${ROOT}/a`, `${ROOT}/a/b`]);
    expect(ancestorsOf('s3://b', 's3://b/a/t')).toEqual(['s3://b', 's3://b/a']);
    expect(ancestorsOf('file:///', 'file:///a/t')).toEqual(['file:///', 'file:///a']);
    expect(ancestorsOf(ROOT, ROOT)).toEqual([]);
    expect(ancestorsOf(ROOT, 's3://b/a')).toEqual([]);
  });

  test('a range holds exactly the locations under one', () => {
    // `%2e` and `%0a` are no directories' names.
    const segment = fc.stringMatching(/^[ -.0-9A-Za-z]{1,6}$/).filter((text) => isLocation(`${ROOT}/${text}`));
    fc.assert(
      fc.property(segment, segment, (one, other) => {
        const { from, before } = rangeUnder(`${ROOT}/${one}`);
        for (const text of [
          `${ROOT}/${one}`,
          `${ROOT}/${other}`,
          `${ROOT}/${one}/${other}`,
          `${ROOT}/${one}${other}`,
        ]) {
          expect(text >= from && text < before, text).toBe(isWithin(`${ROOT}/${one}`, text));
        }
      }),
    );
    expect(rangeUnder('file:///')).toEqual({ from: 'file:///', before: 'file://0' });
  });
});
