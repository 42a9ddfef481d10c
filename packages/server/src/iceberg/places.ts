import type { Executor } from '../store/schema.ts';
import type { Context } from './catalog.ts';
import { type Identifier, joinLevels } from './identifiers.ts';
import type { NamedLocation } from './object-format.ts';
import { findNamespace, findOverlap } from './store.ts';
import { defaultDirectory, directoryName } from './warehouse/default-directory.ts';
import { ancestorsOf, rangeUnder, requireWithin } from './warehouse/location.ts';

/** The namespace property that says where its tables are put. */
export const LOCATION_PROPERTY = 'location';

/**
 * A directory for a new table or view that no other has: `<warehouse>/<level>/…/<name>`, or under the namespace's own
 * location. After a rename the place of the old name is still in use, and a namespace may be called like a table beside it.
 */
export async function chooseLocation(context: Context, { namespace, name }: Identifier): Promise<string> {
  const { deps, catalog } = context;
  const { root } = catalog.warehouse;
  const home = await readHome(context, namespace);
  const suffix = deps.randomBytes(4).toString('hex');
  const preferred = home === null ? defaultDirectory(root, namespace, name) : `${home}/${directoryName(name)}`;
  for (const candidate of [preferred, `${preferred}-${suffix}`]) {
    if (!(await isTaken(deps.db.read, context, candidate, null))) return candidate;
  }
  return `${root}/${directoryName(name)}-${suffix}`;
}

async function readHome({ deps, catalog }: Context, namespace: readonly string[]): Promise<string | null> {
  const row = await findNamespace(deps.db.read, catalog, joinLevels(namespace));
  const properties = JSON.parse(row?.properties ?? '{}') as Record<string, string>;
  const location = Object.hasOwn(properties, LOCATION_PROPERTY) ? properties[LOCATION_PROPERTY] : undefined;
  if (location === undefined) return null;
  return requireWithin(catalog.warehouse.root, location, "The namespace's property location");
}

/**
 * Of the directories that an object newly claims, one that is somebody else's, lies in one, or holds one. Two tables that
 * shared files would delete each other's, and credentials vended for one would open the other.
 */
export async function findTakenDirectory(
  tx: Executor,
  context: Context,
  named: readonly NamedLocation[],
  ownId: string | null,
): Promise<NamedLocation | undefined> {
  const { root } = context.catalog.warehouse;
  for (const one of named) {
    if (one.kind === 'directory' && (await isTaken(tx, context, requireWithin(root, one.location, one.what), ownId)))
      return one;
  }
  return undefined;
}

/** Whether a table or view, other than `ownId`, lies at, in or around a location of the warehouse. */
async function isTaken(db: Executor, { catalog }: Context, location: string, ownId: string | null) {
  const ancestors = ancestorsOf(catalog.warehouse.root, location);
  return (await findOverlap(db, catalog, [location, ...ancestors], rangeUnder(location), ownId)) !== undefined;
}
