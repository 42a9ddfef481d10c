import { describe, expect, test } from 'vitest';
import { metadataFileLocation } from '../../../../packages/server/src/iceberg/metadata/table-files.ts';
import { newViewLocations } from '../../../../packages/server/src/iceberg/views/view-locations.ts';
import { apply, createView, LOCATION } from './sample-views.ts';

describe('a metadata file', () => {
  test.each([
    [null, '00000'],
    [`${LOCATION}/metadata/00000-a.metadata.json`, '00001'],
    [`${LOCATION}/metadata/00041-a.gz.metadata.json`, '00042'],
    [`${LOCATION}/metadata/123456-a.metadata.json`, '123457'],
    [`${LOCATION}/metadata/v3.metadata.json`, '00000'],
    ['registered.json', '00000'],
  ])('after %s is numbered %s', (previous, number) => {
    expect(metadataFileLocation(createView(), previous, 'u')).toBe(`${LOCATION}/metadata/${number}-u.metadata.json`);
  });

  test('lies where the view’s properties say, and is called packed where they ask for it', () => {
    const properties = {
      'write.metadata.path': 'file:///warehouse/elsewhere/',
      'write.metadata.compression-codec': 'GZIP',
    };
    expect(metadataFileLocation(createView({ properties }), null, 'u')).toBe(
      'file:///warehouse/elsewhere/00000-u.gz.metadata.json',
    );
  });
});

describe('the locations to confine', () => {
  const PATH = 'file:///warehouse/elsewhere';
  const at = (path: string) => createView({ properties: { 'write.metadata.path': path } });

  test('are all that a new view names', () => {
    expect(newViewLocations(at(PATH), null)).toEqual([
      { what: "The view's location", location: LOCATION, kind: 'directory' },
      { what: "The view's property write.metadata.path", location: PATH, kind: 'directory' },
    ]);
  });

  test('are only those a commit changed', () => {
    const base = at(PATH);
    expect(newViewLocations(apply(base, { action: 'set-properties', updates: { a: 'b' } }), base)).toEqual([]);
    const moved = apply(base, { action: 'set-location', location: 's3://other/place' });
    expect(newViewLocations(moved, base)).toEqual([
      { what: "The view's location", location: 's3://other/place', kind: 'directory' },
    ]);
    expect(newViewLocations(at('file:///etc'), base).map((one) => one.location)).toEqual(['file:///etc']);
  });
});
