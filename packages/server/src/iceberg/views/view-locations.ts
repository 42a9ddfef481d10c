import { stripTrailingSlashes } from '../metadata/locations.ts';
import type { NamedLocation } from '../object-format.ts';
import type { ViewMetadata } from './view-metadata.ts';

const METADATA_PATH = 'write.metadata.path';
const COMPRESSION = 'write.metadata.compression-codec';

/** Where a view's next metadata file goes: numbered one after `previous`, from 00000 on. */
export function viewFileLocation(
  { location, properties }: ViewMetadata,
  previous: string | null,
  uuid: string,
): string {
  const folder = stripTrailingSlashes(properties[METADATA_PATH] || `${stripTrailingSlashes(location)}/metadata`);
  const extension = properties[COMPRESSION]?.toLowerCase() === 'gzip' ? '.gz.metadata.json' : '.metadata.json';
  return `${folder}/${String(numberOf(previous) + 1).padStart(5, '0')}-${uuid}${extension}`;
}

/** Locations that `next` names and `base` did not; all of them when there is no base. */
export function newViewLocations(next: ViewMetadata, base: ViewMetadata | null): NamedLocation[] {
  const named: NamedLocation[] = [];
  if (next.location !== base?.location) {
    named.push({ what: "The view's location", location: next.location, kind: 'directory' });
  }
  const path = next.properties[METADATA_PATH];
  if (path !== undefined && path !== base?.properties[METADATA_PATH]) {
    named.push({ what: `The view's property ${METADATA_PATH}`, location: path, kind: 'directory' });
  }
  return named;
}

/** The number a metadata file has, -1 for one that has none. */
function numberOf(location: string | null): number {
  const digits = /^\d{1,9}(?=-)/.exec(location?.slice(location.lastIndexOf('/') + 1) ?? '')?.[0];
  return digits === undefined ? -1 : Number(digits);
}
