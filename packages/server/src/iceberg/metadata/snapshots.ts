import type { Int64 } from '../json.ts';
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
  readTimestamp,
  refuse,
} from './json-fields.ts';
import type { Snapshot, SnapshotLogEntry, SnapshotReference } from './table-metadata.ts';

/** The branch whose snapshot is the table's current one. */
export const MAIN = 'main';

/** What `current-snapshot-id` is when there is none. */
export const NO_SNAPSHOT = -1;

const NOTHING: ReadonlySet<string> = new Set();

/** The id of a snapshot. */
export const readSnapshotId: Read<Int64> = (value, where) =>
  readInt64(value, where) === NO_SNAPSHOT ? refuse(`${where} must not be -1.`) : readInt64(value, where);

/** A snapshot exactly as it was sent, but for members that are null. Throws `invalid_request`. */
export const readSnapshot: Read<Snapshot> = (value, where) => {
  const object = readObject(value, where);
  const manifestList = maybe(object, 'manifest-list', where, readFilledText);
  const manifests = maybe(object, 'manifests', where, listOf(readFilledText));
  if (manifestList === undefined && manifests === undefined) refuse(`${where}.manifest-list is missing.`);
  maybe(object, 'parent-snapshot-id', where, readInt64);
  maybe(object, 'sequence-number', where, readLongCount);
  maybe(object, 'summary', where, checkTextMap);
  maybe(object, 'schema-id', where, readInt32);
  maybe(object, 'first-row-id', where, readLongCount);
  maybe(object, 'added-rows', where, readLongCount);
  return {
    ...otherMembers(object, NOTHING, where),
    'snapshot-id': need(object, 'snapshot-id', where, readSnapshotId),
    'timestamp-ms': need(object, 'timestamp-ms', where, readTimestamp),
  };
};

const REFERENCE_MEMBERS = new Set([
  'snapshot-id',
  'type',
  'min-snapshots-to-keep',
  'max-snapshot-age-ms',
  'max-ref-age-ms',
]);
/** What `set-snapshot-ref` has beside the reference itself. */
const UPDATE_MEMBERS = new Set([...REFERENCE_MEMBERS, 'action', 'ref-name']);

const readType: Read<SnapshotReference['type']> = (value, where) =>
  value === 'branch' || value === 'tag' ? value : refuse(`${where} must be "branch" or "tag".`);

const readReferenceWithout =
  (apart: ReadonlySet<string>): Read<SnapshotReference> =>
  (value, where) => {
    const object = readObject(value, where);
    const snapshots = maybe(object, 'min-snapshots-to-keep', where, readInt32);
    const snapshotAge = maybe(object, 'max-snapshot-age-ms', where, readInt64);
    const referenceAge = maybe(object, 'max-ref-age-ms', where, readInt64);
    return {
      'snapshot-id': need(object, 'snapshot-id', where, readSnapshotId),
      type: need(object, 'type', where, readType),
      ...(snapshots !== undefined && { 'min-snapshots-to-keep': snapshots }),
      ...(snapshotAge !== undefined && { 'max-snapshot-age-ms': snapshotAge }),
      ...(referenceAge !== undefined && { 'max-ref-age-ms': referenceAge }),
      ...otherMembers(object, apart, where),
    };
  };

/** A branch or tag of a metadata file. Throws `invalid_request`. */
export const readReference: Read<SnapshotReference> = readReferenceWithout(REFERENCE_MEMBERS);

/** The branch or tag that `set-snapshot-ref` describes, with its retention. Throws `invalid_request`. */
export const readReferenceUpdate: Read<SnapshotReference> = (value, where) => {
  const reference = readReferenceWithout(UPDATE_MEMBERS)(value, where);
  for (const name of ['min-snapshots-to-keep', 'max-snapshot-age-ms', 'max-ref-age-ms'] as const) {
    const limit = reference[name];
    if (limit === undefined) continue;
    if (limit <= 0) refuse(`${where}.${name} must be greater than 0.`);
    if (reference.type === 'tag' && name !== 'max-ref-age-ms') refuse(`${where}: Tags do not support setting ${name}.`);
  }
  return reference;
};

export const readSnapshotLogEntry: Read<SnapshotLogEntry> = (value, where) => {
  const object = readObject(value, where);
  return {
    'timestamp-ms': need(object, 'timestamp-ms', where, readTimestamp),
    'snapshot-id': need(object, 'snapshot-id', where, readInt64),
  };
};
