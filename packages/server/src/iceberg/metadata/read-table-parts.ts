import {
  checkTextMap,
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readFilledText,
  readInt32,
  readInt64,
  readLongCount,
  readObject,
  readText,
  readTextMap,
  readTimestamp,
} from './json-fields.ts';
import { readSnapshotId } from './snapshots.ts';
import type { EncryptedKey, MetadataLogEntry, PartitionStatisticsFile, StatisticsFile } from './table-metadata.ts';

const NOTHING: ReadonlySet<string> = new Set();
const KEY_MEMBERS = new Set(['key-id', 'encrypted-key-metadata', 'encrypted-by-id', 'properties']);

/** Statistics of a snapshot, with every other member as it was sent. Throws `invalid_request`. */
export const readStatisticsFile: Read<StatisticsFile> = (value, where) => {
  const object = readObject(value, where);
  need(object, 'file-footer-size-in-bytes', where, readLongCount);
  need(object, 'blob-metadata', where, listOf(checkBlob));
  return readPartitionStatisticsFile(value, where);
};

/** Partition statistics of a snapshot, with every other member as it was sent. Throws `invalid_request`. */
export const readPartitionStatisticsFile: Read<PartitionStatisticsFile> = (value, where) => {
  const object = readObject(value, where);
  need(object, 'file-size-in-bytes', where, readLongCount);
  return {
    ...otherMembers(object, NOTHING, where),
    'snapshot-id': need(object, 'snapshot-id', where, readSnapshotId),
    'statistics-path': need(object, 'statistics-path', where, readFilledText),
  };
};

const checkBlob: Read<void> = (value, where) => {
  const blob = readObject(value, where);
  need(blob, 'type', where, readText);
  need(blob, 'snapshot-id', where, readInt64);
  need(blob, 'sequence-number', where, readLongCount);
  need(blob, 'fields', where, listOf(readInt32));
  maybe(blob, 'properties', where, checkTextMap);
};

/** Throws `invalid_request`. */
export const readEncryptedKey: Read<EncryptedKey> = (value, where) => {
  const object = readObject(value, where);
  const encryptedBy = maybe(object, 'encrypted-by-id', where, readText);
  const properties = maybe(object, 'properties', where, readTextMap);
  return {
    'key-id': need(object, 'key-id', where, readFilledText),
    'encrypted-key-metadata': need(object, 'encrypted-key-metadata', where, readText),
    ...(encryptedBy !== undefined && { 'encrypted-by-id': encryptedBy }),
    ...(properties !== undefined && { properties }),
    ...otherMembers(object, KEY_MEMBERS, where),
  };
};

/** Throws `invalid_request`. */
export const readMetadataLogEntry: Read<MetadataLogEntry> = (value, where) => {
  const object = readObject(value, where);
  return {
    'timestamp-ms': need(object, 'timestamp-ms', where, readTimestamp),
    'metadata-file': need(object, 'metadata-file', where, readFilledText),
  };
};
