import type { JsonObject } from '../json.ts';
import { checkSchema } from './check-schema.ts';
import { assignFreshIds } from './fresh-ids.ts';
import { maybe, need, type Read, readObject, refuse, shown, toRecord } from './json-fields.ts';
import {
  checkPartitionFields,
  LAST_PARTITION_ID_OF_NONE,
  lastPartitionIdOf,
  type NewPartitionField,
  readPartitionFields,
  withId,
} from './partition-specs.ts';
import { readSchema } from './read-schema.ts';
import { NEWEST_FORMAT_VERSION } from './read-table-metadata.ts';
import { NO_SNAPSHOT } from './snapshots.ts';
import { checkSortFields, readSortFields, UNSORTED } from './sort-orders.ts';
import type { PartitionSpec, Schema, SortField, SortOrder, TableMetadata } from './table-metadata.ts';
import { readNewProperties } from './table-properties.ts';

const DEFAULT_FORMAT_VERSION = 2;

/** What Java's reference writes down in a new table, and clients' suites expect to find. */
const DEFAULT_PROPERTIES = { 'write.parquet.compression-codec': 'zstd' };

/**
 * The metadata of a new table from a `CreateTableRequest`, whose name is judged elsewhere: every id is assigned afresh, as
 * in Java's reference. Throws `invalid_request`, naming the member.
 */
export function createTableMetadata(
  request: JsonObject,
  given: { uuid: string; location: string; nowMs: number },
): TableMetadata {
  const formatVersion = readFormatVersion(request);
  const requested = need(request, 'schema', '', readSchema);
  checkSchema(requested, formatVersion);
  const partitionFields = maybe(request, 'partition-spec', '', readFieldsOf(readPartitionFields)) ?? [];
  checkPartitionFields(partitionFields, requested, 'partition-spec');
  const sortFields = maybe(request, 'write-order', '', readFieldsOf(readSortFields)) ?? [];
  checkSortFields(sortFields, requested, 'write-order');

  const { schema, newIds, lastColumnId } = assignFreshIds(requested);
  const spec = createSpec(partitionFields, newIds);
  const order = createOrder(sortFields, newIds);
  return {
    'format-version': formatVersion,
    'table-uuid': given.uuid,
    location: given.location,
    'last-sequence-number': 0,
    'last-updated-ms': given.nowMs,
    'last-column-id': lastColumnId,
    'current-schema-id': 0,
    schemas: [schema satisfies Schema],
    'default-spec-id': 0,
    'partition-specs': [spec],
    'last-partition-id': lastPartitionIdOf([spec]),
    'default-sort-order-id': order['order-id'],
    'sort-orders': [order],
    properties: addDefaults(maybe(request, 'properties', '', readNewProperties) ?? {}),
    'current-snapshot-id': NO_SNAPSHOT,
    ...(formatVersion === 3 && { 'next-row-id': 0 }),
    'encryption-keys': [],
    refs: toRecord([]),
    snapshots: [],
    statistics: [],
    'partition-statistics': [],
    'snapshot-log': [],
    'metadata-log': [],
    unknown: {},
  };
}

const readFieldsOf =
  <T>(readFields: Read<T>): Read<T> =>
  (value, where) =>
    need(readObject(value, where), 'fields', where, readFields);

function readFormatVersion(request: JsonObject): 1 | 2 | 3 {
  const properties = maybe(request, 'properties', '', readObject);
  const text = properties?.['format-version'] ?? String(DEFAULT_FORMAT_VERSION);
  if (text === '1' || text === '2' || text === '3') return text === '1' ? 1 : text === '2' ? 2 : 3;
  if (typeof text !== 'string') refuse('properties.format-version must be a string.');
  return refuse(`Unsupported format version: v${shown(String(text))} (supported: v${NEWEST_FORMAT_VERSION})`);
}

const addDefaults = (properties: Readonly<Record<string, string>>) =>
  toRecord([...Object.entries(properties), ...Object.entries(DEFAULT_PROPERTIES), ...Object.entries(properties)]);

function createSpec(fields: readonly NewPartitionField[], newIds: ReadonlyMap<number, number>): PartitionSpec {
  return {
    'spec-id': 0,
    fields: fields.map((field, index) =>
      withId(
        { ...field, 'source-id': newIds.get(field['source-id']) ?? field['source-id'] },
        LAST_PARTITION_ID_OF_NONE + 1 + index,
      ),
    ),
  };
}

function createOrder(fields: readonly SortField[], newIds: ReadonlyMap<number, number>): SortOrder {
  if (fields.length === 0) return UNSORTED;
  return {
    'order-id': 1,
    fields: fields.map((field) => ({ ...field, 'source-id': newIds.get(field['source-id']) ?? field['source-id'] })),
  };
}
