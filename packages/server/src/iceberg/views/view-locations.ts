import type { NamedLocation } from '../object-format.ts';
import type { ViewMetadata } from './view-metadata.ts';

const METADATA_PATH = 'write.metadata.path';

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
