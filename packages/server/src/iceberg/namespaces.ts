import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { maySee } from '../policies/catalog-access.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import type { IcebergRequest } from './answer.ts';
import type { Context } from './catalog.ts';
import { confineLocations } from './confine.ts';
import { formatNamespace, joinLevels, type Levels, readJoinedLevels, readSegment, splitLevels } from './identifiers.ts';
import { isObject, type JsonObject, type JsonValue } from './json.ts';
import { LOCATION_PROPERTY } from './places.ts';
import { deleteNamespaceRow, findNamespace, hasChildren, insertNamespace, updateNamespaceProperties } from './store.ts';

const MAX_PROPERTIES = 1_000;
const MAX_PROPERTY_NAME_LENGTH = 1_000;

/** A namespace's properties, by name. */
export type Properties = Record<string, string>;

const noNamespace = (levels: Levels) =>
  new PangolinError('namespace_not_found', `Namespace does not exist: ${formatNamespace(levels)}`);

/** Creates a namespace; the one around it must exist. Throws `already_exists` and `namespace_not_found`. */
export async function createNamespace(context: Context, levels: Levels, properties: Properties): Promise<void> {
  const { deps, caller, catalog } = context;
  confineProperties(context, levels, properties);
  refuseTooMany(new Map(Object.entries(properties)));
  const path = joinLevels(levels);
  const parent = levels.slice(0, -1);
  const alreadyThere = () =>
    new PangolinError('already_exists', `Namespace already exists: ${formatNamespace(levels)}`);
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findNamespace(tx, catalog, path)) throw alreadyThere();
      if (parent.length > 0 && !(await findNamespace(tx, catalog, joinLevels(parent)))) throw noNamespace(parent);
      await insertNamespace(tx, {
        id: deps.newId(),
        tenant_id: catalog.tenantId,
        catalog_id: catalog.catalogId,
        path,
        parent_path: joinLevels(parent),
        properties: JSON.stringify(properties),
        created_at: deps.now(),
        created_by: caller.actor.name,
      });
      await record(tx, context, 'namespace.created', levels, {});
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? alreadyThere() : error;
  });
}

/** Reads a namespace's properties. Throws `namespace_not_found`. */
export async function readNamespaceProperties(
  { deps, catalog }: Context,
  levels: Levels,
  db: Executor = deps.db.read,
): Promise<Properties> {
  const row = await findNamespace(db, catalog, joinLevels(levels));
  if (!row) throw noNamespace(levels);
  return readProperties(JSON.parse(row.properties));
}

/** Sets and removes properties. Answers which were set, which removed, and which were not there to remove. */
export async function updateNamespace(
  context: Context,
  levels: Levels,
  { updates, removals }: { updates: Properties; removals: readonly string[] },
) {
  const { deps, caller, catalog } = context;
  const both = removals.find((name) => Object.hasOwn(updates, name));
  if (both !== undefined) {
    throw new PangolinError('contradictory_request', `The property ${JSON.stringify(both)} is both set and removed.`);
  }
  confineProperties(context, levels, updates);
  return transactAs(
    deps,
    caller,
    async (tx) => {
      const before = new Map(Object.entries(await readNamespaceProperties(context, levels, tx)));
      const removed = [...new Set(removals)].filter((name) => before.has(name));
      const missing = [...new Set(removals)].filter((name) => !before.has(name));
      const after = new Map([...before, ...Object.entries(updates)]);
      for (const name of removed) after.delete(name);
      const updated = Object.keys(updates);
      if (updated.length > 0 || removed.length > 0) {
        await updateNamespaceProperties(tx, catalog, joinLevels(levels), JSON.stringify(Object.fromEntries(after)));
        refuseTooMany(after);
        await record(tx, context, 'namespace.updated', levels, { updated, removed });
      }
      return { updated, removed, missing };
    },
    { credentials: 'unchanged' },
  );
}

/** Drops an empty namespace. Throws `namespace_not_found` and `namespace_not_empty`. */
export async function dropNamespace(context: Context, levels: Levels): Promise<void> {
  const { deps, caller, catalog } = context;
  const path = joinLevels(levels);
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (!(await findNamespace(tx, catalog, path))) throw noNamespace(levels);
      if (await hasChildren(tx, catalog, path)) {
        throw new PangolinError('namespace_not_empty', `Namespace ${formatNamespace(levels)} is not empty`);
      }
      await deleteNamespaceRow(tx, catalog, path);
      await record(tx, context, 'namespace.dropped', levels, {});
    },
    { credentials: 'unchanged' },
  );
}

/** The namespace a request's path names: of what the segment may mean, the first that is there. */
export function readRequestedNamespace(request: IcebergRequest): MaybePromise<Levels> {
  return findFirstNamespace(request, readSegment(request.namespace));
}

/** Of several readings of a joined namespace, the levels of the first that exists; if none does, of the likeliest. */
export function findFirstNamespace(context: Context, readings: readonly string[]): MaybePromise<Levels> {
  const [likeliest] = readings as [string];
  if (readings.length === 1) return readJoinedLevels(likeliest);
  const { deps, caller, catalog } = context;
  return (async () => {
    for (const reading of readings) {
      // Which of them exists is no answer to those who may not know.
      if (!maySee(caller.actor, catalog.name, splitLevels(reading))) continue;
      if (await findNamespace(deps.db.read, catalog, reading)) return readJoinedLevels(reading);
    }
    return readJoinedLevels(likeliest);
  })();
}

/** Reads a map of strings. Throws `invalid_request`. */
export function readProperties(value: JsonValue | undefined, field = 'properties'): Properties {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw new PangolinError('invalid_request', `The field '${field}' must map names to strings.`);
  const wrong = Object.entries(value).find(([, one]) => typeof one !== 'string');
  if (wrong) throw new PangolinError('invalid_request', `The property ${JSON.stringify(wrong[0])} must be a string.`);
  const long = Object.keys(value).find((name) => name.length > MAX_PROPERTY_NAME_LENGTH);
  if (long !== undefined) {
    throw new PangolinError('invalid_request', `A property's name has at most ${MAX_PROPERTY_NAME_LENGTH} characters.`);
  }
  return value as JsonObject & Properties;
}

function refuseTooMany(properties: ReadonlyMap<string, string>): void {
  if (properties.size <= MAX_PROPERTIES) return;
  throw new PangolinError('invalid_request', `A namespace has at most ${MAX_PROPERTIES} properties.`);
}

/** Where new tables of the namespace are put is a location that a client names. */
function confineProperties(context: Context, levels: Levels, properties: Properties): void {
  const location = Object.hasOwn(properties, LOCATION_PROPERTY) ? properties[LOCATION_PROPERTY] : undefined;
  if (location === undefined) return;
  confineLocations(context, levels, [{ what: "The namespace's property location", location, kind: 'directory' }], []);
}

const record = (tx: Executor, { deps, caller, catalog }: Context, action: string, levels: Levels, details: object) =>
  recordAudit(tx, deps, caller, {
    action,
    resourceType: 'namespace',
    resourceId: null,
    resourceName: formatNamespace([catalog.name, ...levels]),
    details: { ...details },
  });
