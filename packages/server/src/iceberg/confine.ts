import { mayAccess } from '../policies/catalog-access.ts';
import type { Context } from './catalog.ts';
import type { Levels } from './identifiers.ts';
import type { NamedLocation } from './object-format.ts';
import { defaultDirectory } from './warehouse/default-directory.ts';
import { isWithin, requireWithin } from './warehouse/location.ts';

/**
 * Refuses locations outside the catalog's warehouse. A credential that is narrowed to a namespace names locations of that
 * namespace alone (or ones in `ownDirectories`, which the object has already): it could otherwise be vended credentials
 * for another's files. Throws `invalid_request`.
 */
export function confineLocations(
  { caller, catalog }: Context,
  namespace: Levels,
  locations: readonly NamedLocation[],
  ownDirectories: readonly string[],
): void {
  const { root } = catalog.warehouse;
  const isNarrowed = !mayAccess(caller.actor, 'write', catalog.name, []);
  for (const { what, location } of locations) {
    const normalised = requireWithin(root, location, what);
    if (!isNarrowed || ownDirectories.some((own) => isWithin(own, normalised, { orRoot: true }))) continue;
    requireWithin(defaultDirectory(root, namespace), normalised, what);
  }
}
