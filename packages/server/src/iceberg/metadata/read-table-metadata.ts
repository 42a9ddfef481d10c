import { createHash } from 'node:crypto';
import type { Int64, JsonObject, JsonValue } from '../json.ts';
import {
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readCount,
  readFilledText,
  readInt32,
  readInt64,
  readLongCount,
  readObject,
  readTextMap,
  readTimestamp,
  refuse,
  shown,
  toRecord,
  uniqueIds,
} from './json-fields.ts';
import {
  lastPartitionIdOf,
  numberFields,
  readPartitionFields,
  readPartitionSpec,
  UNPARTITIONED,
} from './partition-specs.ts';
import { readSchema } from './read-schema.ts';
import {
  readEncryptedKey,
  readMetadataLogEntry,
  readPartitionStatisticsFile,
  readStatisticsFile,
} from './read-table-parts.ts';
import { MAIN, NO_SNAPSHOT, readReference, readSnapshot, readSnapshotLogEntry } from './snapshots.ts';
import { readSortOrder, UNSORTED } from './sort-orders.ts';
import type { PartitionSpec, Schema, Snapshot, SnapshotReference, SortOrder, TableMetadata } from './table-metadata.ts';

/** The newest format version this release has. */
export const NEWEST_FORMAT_VERSION = 3;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Throws `invalid_request`. */
export const readUuid: Read<string> = (value, where) => {
  const uuid = readFilledText(value, where);
  return UUID.test(uuid) ? uuid : refuse(`${where} must be a UUID, not "${shown(uuid)}".`);
};

/**
 * Reads what any engine wrote into a metadata file of format version 1 to 3 (Iceberg table spec, appendix C): what may be
 * absent is filled in, members unknown here are kept. Throws `invalid_request`, saying what is wrong with the file.
 */
export function readTableMetadata(value: JsonValue): TableMetadata {
  const file = readObject(value, 'The table metadata');
  const formatVersion = need(file, 'format-version', '', readFormatVersion);
  const location = need(file, 'location', '', readFilledText);
  const schemas = readSchemas(file, formatVersion);
  const specs = readSpecs(file, formatVersion);
  const orders = readOrders(file);
  const history = readHistory(file);
  const isFirst = formatVersion === 1;
  return {
    'format-version': formatVersion,
    'table-uuid': (isFirst ? maybe : need)(file, 'table-uuid', '', readUuid) ?? uuidOf(location),
    location,
    'last-sequence-number': isFirst ? 0 : need(file, 'last-sequence-number', '', readLongCount),
    'last-updated-ms': need(file, 'last-updated-ms', '', readTimestamp),
    'last-column-id': need(file, 'last-column-id', '', readCount),
    ...schemas,
    ...specs,
    'last-partition-id':
      (isFirst ? maybe : need)(file, 'last-partition-id', '', readCount) ?? lastPartitionIdOf(specs['partition-specs']),
    ...orders,
    properties: maybe(file, 'properties', '', readTextMap) ?? toRecord([]),
    ...(formatVersion === 3 && { 'next-row-id': need(file, 'next-row-id', '', readLongCount) }),
    'encryption-keys': maybe(file, 'encryption-keys', '', listOf(readEncryptedKey)) ?? [],
    ...history,
    statistics: maybe(file, 'statistics', '', listOf(readStatisticsFile)) ?? [],
    'partition-statistics': maybe(file, 'partition-statistics', '', listOf(readPartitionStatisticsFile)) ?? [],
    'metadata-log': maybe(file, 'metadata-log', '', listOf(readMetadataLogEntry)) ?? [],
    unknown: otherMembers(file, KNOWN, ''),
  };
}

/** What the file has under a name of its own; `schema` and `partition-spec` are repetitions for the oldest readers. */
const KNOWN: ReadonlySet<string> = new Set([
  'format-version',
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-updated-ms',
  'last-column-id',
  'schema',
  'current-schema-id',
  'schemas',
  'partition-spec',
  'default-spec-id',
  'partition-specs',
  'last-partition-id',
  'default-sort-order-id',
  'sort-orders',
  'properties',
  'current-snapshot-id',
  'next-row-id',
  'encryption-keys',
  'refs',
  'snapshots',
  'statistics',
  'partition-statistics',
  'snapshot-log',
  'metadata-log',
]);

const readFormatVersion: Read<1 | 2 | 3> = (value, where) =>
  value === 1 || value === 2 || value === 3
    ? value
    : refuse(`${where} must be 1, 2 or 3: newer metadata cannot be read by this release.`);

/** The same for every load of a file that has none. */
function uuidOf(location: string): string {
  const hash = createHash('sha256').update(`iceberg table ${location}`).digest();
  hash.writeUInt8(((hash[6] ?? 0) & 0x0f) | 0x50, 6);
  hash.writeUInt8(((hash[8] ?? 0) & 0x3f) | 0x80, 8);
  return hash.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function readSchemas(file: JsonObject, formatVersion: number) {
  const listed = maybe(file, 'schemas', '', listOf(readSchema)) ?? [];
  const schemas: readonly Schema[] =
    listed.length > 0 || formatVersion > 1 ? listed : [need(file, 'schema', '', readSchema)];
  const current = listed.length > 0 ? need(file, 'current-schema-id', '', readInt32) : schemas[0]?.['schema-id'];
  const ids = uniqueIds(schemas, (schema) => schema['schema-id'], 'schemas');
  if (current === undefined || !ids.has(current))
    return refuse(`current-schema-id ${current} is not among the schemas.`);
  return { 'current-schema-id': current, schemas };
}

function readSpecs(file: JsonObject, formatVersion: number) {
  const listed = maybe(file, 'partition-specs', '', listOf(readPartitionSpec)) ?? [];
  const fields = formatVersion === 1 ? maybe(file, 'partition-spec', '', readPartitionFields) : undefined;
  const specs: readonly PartitionSpec[] =
    listed.length > 0
      ? listed
      : [fields === undefined ? UNPARTITIONED : { 'spec-id': 0, fields: numberFields(fields) }];
  const current = maybe(file, 'default-spec-id', '', readInt32) ?? (listed.length > 0 ? undefined : 0);
  const ids = uniqueIds(specs, (spec) => spec['spec-id'], 'partition-specs');
  if (current === undefined || !ids.has(current)) {
    return refuse(`default-spec-id ${current ?? '(missing)'} is not among the partition-specs.`);
  }
  return { 'default-spec-id': current, 'partition-specs': specs };
}

function readOrders(file: JsonObject) {
  const listed = maybe(file, 'sort-orders', '', listOf(readSortOrder)) ?? [];
  const orders: readonly SortOrder[] = listed.length > 0 ? listed : [UNSORTED];
  const current = maybe(file, 'default-sort-order-id', '', readInt32) ?? 0;
  const ids = uniqueIds(orders, (order) => order['order-id'], 'sort-orders');
  if (!ids.has(current)) return refuse(`default-sort-order-id ${current} is not among the sort-orders.`);
  return { 'default-sort-order-id': current, 'sort-orders': orders };
}

function readHistory(file: JsonObject) {
  const snapshots: readonly Snapshot[] = maybe(file, 'snapshots', '', listOf(readSnapshot)) ?? [];
  const ids = uniqueIds(snapshots, (snapshot) => snapshot['snapshot-id'], 'snapshots');
  const current = maybe(file, 'current-snapshot-id', '', readInt64) ?? NO_SNAPSHOT;
  const refs = readReferences(file, current);
  const main = refs.get(MAIN)?.['snapshot-id'] ?? NO_SNAPSHOT;
  if (main !== current)
    return refuse(`current-snapshot-id does not match the main branch of refs (${current} != ${main}).`);
  for (const [name, ref] of refs) {
    const id = ref['snapshot-id'];
    if (!ids.has(id)) refuse(`refs: ${shown(name)} is at snapshot ${id}, which is not among the snapshots.`);
  }
  return {
    'current-snapshot-id': current,
    refs: toRecord(refs),
    snapshots,
    'snapshot-log': maybe(file, 'snapshot-log', '', listOf(readSnapshotLogEntry)) ?? [],
  };
}

function readReferences(file: JsonObject, current: Int64): Map<string, SnapshotReference> {
  const object = maybe(file, 'refs', '', readObject) ?? {};
  const refs = new Map(Object.entries(object).map(([name, ref]) => [name, readReference(ref, `refs.${shown(name)}`)]));
  if (!refs.has(MAIN) && current !== NO_SNAPSHOT) refs.set(MAIN, { 'snapshot-id': current, type: 'branch' });
  return refs;
}
