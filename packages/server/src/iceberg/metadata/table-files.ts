import type { NamedLocation } from '../object-format.ts';
import { stripTrailingSlashes } from './locations.ts';
import type { Snapshot, TableMetadata } from './table-metadata.ts';

const PATH_PROPERTIES = [
  'write.metadata.path',
  'write.data.path',
  'write.object-storage.path',
  'write.folder-storage.path',
];

/**
 * The locations in `next` that are not in `base`. Without a base (a new or registered table) all of them, with the files of
 * the metadata log. As long as nothing was removed this looks at nothing but what is new.
 */
export function newLocations(next: TableMetadata, base: TableMetadata | null): NamedLocation[] {
  const locations: NamedLocation[] = [];
  const add = (what: string, location: string, kind: NamedLocation['kind']) =>
    void locations.push({ what, location, kind });

  if (next.location !== base?.location) add("The table's location", next.location, 'directory');
  for (const name of PATH_PROPERTIES) {
    const path = propertyOf(next, name);
    if (path !== undefined && (base === null || propertyOf(base, name) !== path)) {
      add(`The table's property ${name}`, path, 'directory');
    }
  }
  for (const snapshot of added(next.snapshots, base?.snapshots)) {
    for (const { what, location } of filesOf(snapshot)) add(what, location, 'file');
  }
  for (const file of added(next.statistics, base?.statistics)) {
    add(`The statistics-path of snapshot ${file['snapshot-id']}`, file['statistics-path'], 'file');
  }
  for (const file of added(next['partition-statistics'], base?.['partition-statistics'])) {
    add(`The partition statistics-path of snapshot ${file['snapshot-id']}`, file['statistics-path'], 'file');
  }
  if (base !== null) return locations;
  for (const entry of next['metadata-log']) add('A metadata-file of the metadata-log', entry['metadata-file'], 'file');
  return locations;
}

function filesOf(snapshot: Snapshot): { what: string; location: string }[] {
  const { 'snapshot-id': id, 'manifest-list': list, manifests = [] } = snapshot;
  return [
    ...(list === undefined ? [] : [{ what: `The manifest-list of snapshot ${id}`, location: list }]),
    ...manifests.map((location) => ({ what: `A manifest of snapshot ${id}`, location })),
  ];
}

/** A commit shares with its base what it did not touch, and puts what is new at the end. */
function added<T extends object>(next: readonly T[], base: readonly T[] | undefined): readonly T[] {
  if (next === base) return [];
  if (base === undefined || base.length === 0) return next;
  if (next[base.length - 1] === base[base.length - 1]) return next.slice(base.length);
  const old = new Set(base);
  return next.filter((one) => !old.has(one));
}

const DIGITS = 5;

/** What says where metadata files go, of a table as of a view. */
type Placed = Pick<TableMetadata, 'location' | 'properties'>;

/**
 * Where the next metadata file of a table or view goes: `<folder>/00007-<uuid>.metadata.json`, one number after the file it follows.
 * `previous`: null when there is none.
 */
export function metadataFileLocation(metadata: Placed, previous: string | null, uuid: string): string {
  const number = previous === null ? 0 : numberOf(previous) + 1;
  const suffix = isGzip(metadata) ? '.gz.metadata.json' : '.metadata.json';
  return `${metadataFolder(metadata)}/${String(number).padStart(DIGITS, '0')}-${uuid}${suffix}`;
}

/** Where the metadata files of a table or view go, without a slash at its end. */
const metadataFolder = (metadata: Placed): string =>
  stripTrailingSlashes(
    propertyOf(metadata, 'write.metadata.path') || `${stripTrailingSlashes(metadata.location)}/metadata`,
  );

const isGzip = (metadata: Placed): boolean =>
  propertyOf(metadata, 'write.metadata.compression-codec')?.toLowerCase() === 'gzip';

const propertyOf = ({ properties }: Pick<Placed, 'properties'>, name: string): string | undefined =>
  Object.hasOwn(properties, name) ? properties[name] : undefined;

/** -1 for files that other catalogs named otherwise, as in Java. */
function numberOf(location: string): number {
  const name = location.slice(location.lastIndexOf('/') + 1);
  const digits = /^(\d{1,9})-/.exec(name)?.[1];
  return digits === undefined ? -1 : Number(digits);
}
