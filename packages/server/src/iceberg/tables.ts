import { PangolinError } from '@pangolin/shared/errors';
import type { Context } from './catalog.ts';
import type { Change } from './change.ts';
import { commitChange } from './commit.ts';
import { confineLocations } from './confine.ts';
import type { Identifier } from './identifiers.ts';
import { type JsonObject, type JsonValue, parseJson } from './json.ts';
import { applyUpdates } from './metadata/apply-updates.ts';
import { createTableMetadata } from './metadata/create-table-metadata.ts';
import { stripTrailingSlashes } from './metadata/locations.ts';
import { readTableMetadata } from './metadata/read-table-metadata.ts';
import { checkRequirements, isCreate } from './metadata/requirements.ts';
import { metadataFileLocation, newLocations } from './metadata/table-files.ts';
import type { TableMetadata } from './metadata/table-metadata.ts';
import { checkTableProperties } from './metadata/table-properties.ts';
import { writeTableMetadata } from './metadata/write-table-metadata.ts';
import type { MetadataFile } from './metadata-files.ts';
import type { ObjectFormat } from './object-format.ts';
import { requireFreeName, requireNamespace } from './objects.ts';
import { chooseLocation } from './places.ts';
import { isWithin } from './warehouse/location.ts';

/** More than any client sends at once, and little enough to apply in a moment. */
const MAX_UPDATES = 10_000;

/** How tables are kept. */
export const TABLE_FORMAT: ObjectFormat<TableMetadata> = {
  kind: 'table',
  title: 'Table',
  notFound: 'table_not_found',
  parse: (text) => readTableMetadata(parseJson(text)),
  write: writeTableMetadata,
  directoriesOf: listOwnDirectories,
  fileLocation: metadataFileLocation,
  newLocations,
};

/** Creates a table from a CreateTableRequest. Throws `already_exists`, `namespace_not_found` and `invalid_request`. */
export const createTable = (context: Context, identifier: Identifier, request: JsonObject) =>
  commitChange(context, {
    format: TABLE_FORMAT,
    identifier,
    mode: 'create',
    action: 'table.created',
    apply: (_, { newUuid, nowMs, defaultLocation }) =>
      createTableMetadata(request, { uuid: newUuid, location: readPlace(request) ?? defaultLocation, nowMs }),
  });

/**
 * The metadata a table would have; nothing is stored and no name is taken. The client commits it with `assert-create`. On a
 * local warehouse the directories it writes to first are made: DuckDB makes none.
 */
export async function stageTable(context: Context, identifier: Identifier, request: JsonObject) {
  const { deps } = context;
  await requireNamespace(deps.db.read, context, identifier.namespace);
  await requireFreeName(deps.db.read, context, TABLE_FORMAT, identifier);
  const defaultLocation = await chooseLocation(context, identifier);
  const location = readPlace(request) ?? defaultLocation;
  const metadata = createTableMetadata(request, { uuid: deps.newUuid(), location, nowMs: deps.now() });
  confineLocations(context, identifier.namespace, newLocations(metadata, null), [defaultLocation]);
  const { warehouse } = context.catalog;
  for (const name of ['data', 'metadata']) await warehouse.makeDirectory?.(`${location}/${name}`);
  return metadata;
}

/** Commits requirements and updates to a table, or creates it when `assert-create` is required. */
export const commitTable = (context: Context, identifier: Identifier, request: JsonObject) =>
  commitChange(context, describeCommit(identifier, [request]));

/** CommitTableRequests for one table, as one change; each sees what the one before it made. */
export function describeCommit(identifier: Identifier, requests: readonly JsonObject[]): Change<TableMetadata> {
  const steps = requests.map((request) => ({
    requirements: readList(request.requirements, 'requirements'),
    updates: readList(request.updates, 'updates'),
  }));
  for (const { updates } of steps) {
    if (updates.length <= MAX_UPDATES) continue;
    throw new PangolinError(
      'invalid_request',
      `A commit has at most ${MAX_UPDATES} updates; this has ${updates.length}.`,
    );
  }
  const creates = steps.some(({ requirements }) => isCreate(requirements));
  // A creation that requires more than that is wrong, whatever there is.
  if (creates) checkRequirements(null, steps[0]?.requirements ?? []);
  return {
    format: TABLE_FORMAT,
    identifier,
    mode: creates ? 'create' : 'update',
    action: creates ? 'table.created' : 'table.updated',
    details: { updates: nameUpdates(steps.flatMap(({ updates }) => updates)) },
    outdated: listOutdatedFiles,
    taken: new PangolinError('commit_failed', 'Requirement failed: table already exists'),
    apply(base, given) {
      let current = base?.metadata ?? null;
      for (const { requirements, updates } of steps) {
        checkRequirements(current, requirements);
        const isBase = current === (base?.metadata ?? null);
        current = applyUpdates(current, updates, { ...given, baseLocation: isBase ? (base?.location ?? null) : null });
      }
      return current as TableMetadata;
    },
  };
}

/** Metadata files that fell out of the log, where `write.metadata.delete-after-commit.enabled` says they may go. */
function listOutdatedFiles({ metadata: base }: MetadataFile<TableMetadata>, next: TableMetadata): string[] {
  if (next.properties['write.metadata.delete-after-commit.enabled']?.toLowerCase() !== 'true') return [];
  const kept = new Set(next['metadata-log'].map((entry) => entry['metadata-file']));
  const own = listOwnDirectories(next);
  return base['metadata-log']
    .map((entry) => entry['metadata-file'])
    .filter((file) => !kept.has(file) && own.some((directory) => isWithin(directory, file)));
}

/** Where a table's files are: its location, and wherever else its properties have them written. */
export function listOwnDirectories({ location, properties }: TableMetadata): string[] {
  const elsewhere = ['data.path', 'metadata.path', 'object-storage.path', 'folder-storage.path'];
  return [location, ...elsewhere.flatMap((name) => properties[`write.${name}`] ?? [])];
}

/** Makes a metadata file that is there already a table. Throws `file_not_found`, `invalid_request`, `already_exists`. */
export async function registerTable(
  context: Context,
  identifier: Identifier,
  { location, overwrite }: { location: string; overwrite: boolean },
): Promise<MetadataFile<TableMetadata>> {
  const file = await readForeignFile(context, identifier, TABLE_FORMAT, location);
  checkTableProperties(file.metadata.properties);
  return commitChange(context, {
    format: TABLE_FORMAT,
    identifier,
    mode: overwrite ? 'put' : 'create',
    action: 'table.registered',
    apply: () => file.metadata,
    existingFile: file,
  });
}

/** Reads a metadata file that a client names. Throws `file_not_found` and `invalid_request`. */
export async function readForeignFile<M>(
  context: Context,
  { namespace }: Identifier,
  format: ObjectFormat<M>,
  location: string,
): Promise<MetadataFile<M>> {
  const { deps, catalog } = context;
  const what = 'The metadata-location';
  confineLocations(context, namespace, [{ what, location, kind: 'file' }], []);
  return deps.iceberg.files.readAnew(catalog.warehouse, format, location);
}

/** Reads a list that may be missing. Throws `invalid_request`. */
export function readList(value: JsonValue | undefined, field: string): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  throw new PangolinError('invalid_request', `The field '${field}' must be a list.`);
}

/** The location that a CreateTableRequest or a CreateViewRequest names, or null. Throws `invalid_request`. */
export function readPlace({ location }: JsonObject): string | null {
  if (location === undefined || location === null) return null;
  if (typeof location === 'string') return stripTrailingSlashes(location);
  throw new PangolinError('invalid_request', "The field 'location' must be a string.");
}

/** The actions of a commit, for the audit trail. */
export const nameUpdates = (updates: readonly JsonValue[]): string[] => [...new Set(updates.map(nameUpdate))];

const nameUpdate = (update: JsonValue): string => {
  const action = (update as { action?: unknown } | null)?.action;
  return typeof action === 'string' ? action.slice(0, 50) : 'unknown';
};
