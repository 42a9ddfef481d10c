import { describe, expect, test } from 'vitest';
import { metadataFileLocation, newLocations } from '../../../../packages/server/src/iceberg/metadata/table-files.ts';
import { addSnapshot, apply, createTable, LOCATION, setRef } from './tables.ts';

describe('the next metadata file', () => {
  const next = (previous: string | null, properties = {}) =>
    metadataFileLocation(createTable({ properties }), previous, 'u');

  test.each([
    [null, '00000-u.metadata.json'],
    [`${LOCATION}/metadata/00000-a.metadata.json`, '00001-u.metadata.json'],
    [`${LOCATION}/metadata/00041-a-b-c.gz.metadata.json`, '00042-u.metadata.json'],
    [`${LOCATION}/metadata/99999-a.metadata.json`, '100000-u.metadata.json'],
    [`${LOCATION}/metadata/v3.metadata.json`, '00000-u.metadata.json'],
    [`${LOCATION}/5-x/metadata/named.metadata.json`, '00000-u.metadata.json'],
    [`${LOCATION}/99999999999999999999-a.metadata.json`, '00000-u.metadata.json'],
  ])('after %s is %s', (previous, name) => {
    expect(next(previous)).toBe(`${LOCATION}/metadata/${name}`);
  });

  test('goes where the table’s properties say, compressed as they say', () => {
    expect(next(null, { 'write.metadata.path': 's3://b/meta//' })).toBe('s3://b/meta/00000-u.metadata.json');
    expect(next(null, { 'write.metadata.compression-codec': 'GZIP' })).toMatch(/00000-u\.gz\.metadata\.json$/);
  });
});

describe('the locations a client names', () => {
  const what = (next: Parameters<typeof newLocations>[0], base: Parameters<typeof newLocations>[1]) =>
    newLocations(next, base).map((one) => [one.what, one.location, one.kind]);
  const statistics = (id: number, path: string) => ({
    action: 'set-statistics',
    statistics: {
      'snapshot-id': id,
      'statistics-path': path,
      'file-size-in-bytes': 1,
      'file-footer-size-in-bytes': 1,
      'blob-metadata': [],
    },
  });
  const base = apply(createTable(), addSnapshot(1), addSnapshot(2), setRef('main', 2), statistics(1, 'file:///s1'));

  test('are all of them for a table that is new here', () => {
    const table = { ...base, properties: { 'write.data.path': 'file:///d' } };
    expect(what(table, null)).toEqual([
      ["The table's location", LOCATION, 'directory'],
      ["The table's property write.data.path", 'file:///d', 'directory'],
      ['The manifest-list of snapshot 1', `${LOCATION}/metadata/snap-1.avro`, 'file'],
      ['The manifest-list of snapshot 2', `${LOCATION}/metadata/snap-2.avro`, 'file'],
      ['The statistics-path of snapshot 1', 'file:///s1', 'file'],
      ['A metadata-file of the metadata-log', `${LOCATION}/metadata/00000-a.metadata.json`, 'file'],
    ]);
  });

  test('are only what a commit adds, whatever it takes away', () => {
    expect(what(base, base)).toEqual([]);
    const next = apply(
      base,
      { action: 'remove-snapshots', 'snapshot-ids': [1] },
      addSnapshot(3, { 'manifest-list': 'file:///etc/m' }),
      statistics(2, 'file:///s2'),
      { action: 'set-location', location: 'file:///elsewhere/' },
      { action: 'set-properties', updates: { 'write.metadata.path': 'file:///m' } },
      {
        action: 'set-partition-statistics',
        'partition-statistics': { 'snapshot-id': 2, 'statistics-path': 'file:///p2', 'file-size-in-bytes': 1 },
      },
    );
    expect(what(next, base)).toEqual([
      ["The table's location", 'file:///elsewhere', 'directory'],
      ["The table's property write.metadata.path", 'file:///m', 'directory'],
      ['The manifest-list of snapshot 3', 'file:///etc/m', 'file'],
      ['The statistics-path of snapshot 2', 'file:///s2', 'file'],
      ['The partition statistics-path of snapshot 2', 'file:///p2', 'file'],
    ]);
  });

  test('are found again when a snapshot or a file of statistics is replaced by one of the same id', () => {
    const next = apply(
      base,
      { action: 'remove-snapshots', 'snapshot-ids': [1] },
      addSnapshot(1, { 'manifest-list': 'file:///other', 'sequence-number': 3 }),
      statistics(1, 'file:///other-statistics'),
    );
    expect(what(next, base).map(([, location]) => location)).toEqual(['file:///other', 'file:///other-statistics']);
  });
});
