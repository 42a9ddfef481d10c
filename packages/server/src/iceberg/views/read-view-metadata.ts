import { type Int64, type JsonValue, stringifyJson } from '../json.ts';
import {
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readCount,
  readFilledText,
  readObject,
  readTextMap,
  refuse,
  toRecord,
  uniqueIds,
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
  const object = readObject(value, 'The view metadata');
  const metadata: ViewMetadata = {
    'view-uuid': need(object, 'view-uuid', '', readUuid),
    'format-version': need(object, 'format-version', '', readFormatVersion),
    location: need(object, 'location', '', readFilledText),
    schemas: need(object, 'schemas', '', listOf(readSchema)),
    'current-version-id': need(object, 'current-version-id', '', readCount),
    versions: need(object, 'versions', '', listOf(readViewVersion)),
    'version-log': need(object, 'version-log', '', listOf(readVersionLogEntry)),
    properties: maybe(object, 'properties', '', readTextMap) ?? toRecord([]),
    unknown: otherMembers(object, MEMBERS, ''),
  };
  checkCurrent(metadata);
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

const readFormatVersion: Read<typeof VIEW_FORMAT_VERSION> = (value, where) =>
  value === VIEW_FORMAT_VERSION ? value : refuse(`${where} must be ${VIEW_FORMAT_VERSION}, the only one there is.`);

function checkIds<T>(items: readonly T[], idOf: (item: T) => number, where: string): ReadonlySet<Int64> {
  const ids = uniqueIds(items, idOf, where);
  for (const id of ids) if (id < 0) refuse(`${where}: the id ${id} must not be negative.`);
  return ids;
}

function checkCurrent({ schemas, versions, 'current-version-id': id }: ViewMetadata): void {
  const schemaIds = checkIds(schemas, (schema) => schema['schema-id'], 'schemas');
  checkIds(versions, (version) => version['version-id'], 'versions');
  const current =
    versions.find((version) => version['version-id'] === id) ??
    refuse(`current-version-id ${id} is not among the versions.`);
  if (!schemaIds.has(current['schema-id'])) {
    refuse(`versions: the schema-id ${current['schema-id']} of the current version is not among the schemas.`);
  }
}
