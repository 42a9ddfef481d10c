import { type JsonValue, stringifyJson } from '../json.ts';
import {
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readCount,
  readFilledText,
  readInt32,
  readObject,
  readTextMap,
  refuse,
  toRecord,
} from '../metadata/json-fields.ts';
import { readSchema } from '../metadata/read-schema.ts';
import { readUuid } from '../metadata/read-table-metadata.ts';
import { readVersionLogEntry, readViewVersion } from './read-view-version.ts';
import { VIEW_FORMAT_VERSION, type ViewMetadata } from './view-metadata.ts';

const MEMBERS = new Set([
  'view-uuid',
  'format-version',
  'location',
  'schemas',
  'current-version-id',
  'versions',
  'version-log',
  'properties',
]);

/**
 * The metadata of a view's file, with members unknown here kept (Iceberg view spec). Throws `invalid_request` for what is
 * no view's metadata, and for a current version or a schema of it that is not there.
 */
export function readViewMetadata(value: JsonValue): ViewMetadata {
  const where = 'The view metadata';
  const object = readObject(value, where);
  const metadata: ViewMetadata = {
    'view-uuid': need(object, 'view-uuid', where, readUuid),
    'format-version': need(object, 'format-version', where, readFormatVersion),
    location: need(object, 'location', where, readFilledText),
    schemas: need(object, 'schemas', where, listOf(readSchema)),
    'current-version-id': need(object, 'current-version-id', where, readCount),
    versions: need(object, 'versions', where, listOf(readViewVersion)),
    'version-log': need(object, 'version-log', where, listOf(readVersionLogEntry)),
    properties: maybe(object, 'properties', where, readTextMap) ?? toRecord([]),
    unknown: otherMembers(object, MEMBERS, where),
  };
  requireDistinct(
    metadata.schemas.map((schema) => schema['schema-id']),
    'schema id',
  );
  requireDistinct(
    metadata.versions.map((version) => version['version-id']),
    'version id',
  );
  requireCurrent(metadata);
  return metadata;
}

/** The JSON text of the metadata file, its members in the order Java writes them. */
export function writeViewMetadata({ unknown, ...metadata }: ViewMetadata): string {
  return stringifyJson({
    'view-uuid': metadata['view-uuid'],
    'format-version': metadata['format-version'],
    location: metadata.location,
    properties: metadata.properties,
    schemas: metadata.schemas,
    'current-version-id': metadata['current-version-id'],
    versions: metadata.versions,
    'version-log': metadata['version-log'],
    ...unknown,
  });
}

/** The format version of a view. Throws `invalid_request` for one there is none of. */
export const readFormatVersion: Read<typeof VIEW_FORMAT_VERSION> = (value, where) => {
  const version = readInt32(value, where);
  if (version < VIEW_FORMAT_VERSION) refuse(`Cannot downgrade v${VIEW_FORMAT_VERSION} view to v${version}`);
  if (version > VIEW_FORMAT_VERSION) {
    refuse(`Unsupported format version: v${version} (supported: v${VIEW_FORMAT_VERSION})`);
  }
  return VIEW_FORMAT_VERSION;
};

function requireDistinct(ids: readonly number[], what: string): void {
  if (new Set(ids).size !== ids.length) refuse(`The view metadata has a ${what} more than once.`);
  if (ids.some((id) => id < 0)) refuse(`The view metadata has a negative ${what}.`);
}

function requireCurrent(metadata: ViewMetadata): void {
  const id = metadata['current-version-id'];
  const current = metadata.versions.find((version) => version['version-id'] === id);
  const schemaId = (current ?? refuse(`Cannot find current version ${id} in view versions.`))['schema-id'];
  if (!metadata.schemas.some((schema) => schema['schema-id'] === schemaId)) {
    refuse(`Cannot find current schema with id ${schemaId} in schemas.`);
  }
}
