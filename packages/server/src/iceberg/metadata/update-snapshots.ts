import { PangolinError } from '@pangolin/shared/errors';
import { addInt64, type Int64, type JsonObject } from '../json.ts';
import { at, checkName, isInt64, listOf, need, readInt64, readText, refuse, shown } from './json-fields.ts';
import { MAIN, NO_SNAPSHOT, readReferenceUpdate, readSnapshot } from './snapshots.ts';
import type { TableDraft } from './table-draft.ts';
import type { Snapshot, SnapshotReference } from './table-metadata.ts';

/** A table is never older than its current snapshot, and its own times have to go on from there. */
const LATEST_SNAPSHOT_MS = Date.UTC(10_000, 0) - 1;

/** `add-snapshot`: the snapshot is kept as it was sent, and no branch is moved. Throws `commit_failed` where a retry helps. */
export function addSnapshot(draft: TableDraft, update: JsonObject, where: string): void {
  const snapshot = need(update, 'snapshot', where, readSnapshot);
  const path = at(where, 'snapshot');
  for (const [list, what] of [
    [draft.schemas, 'schema'],
    [draft.specs, 'partition spec'],
    [draft.orders, 'sort order'],
  ] as const) {
    if (list.size === 0) refuse(`Attempting to add a snapshot before a ${what} is added`);
  }
  if (snapshot['timestamp-ms'] > LATEST_SNAPSHOT_MS) refuse(`${path}.timestamp-ms must be before the year 10000.`);
  const id = snapshot['snapshot-id'];
  if (draft.snapshots.has(id)) refuse(`Snapshot already exists for id: ${id}`);
  if (draft.formatVersion > 1) {
    if (snapshot['manifest-list'] === undefined) refuse(`${path}.manifest-list is missing.`);
    draft.lastSequenceNumber = sequenceNumberAfter(draft.lastSequenceNumber, snapshot);
  }
  if (draft.formatVersion === 3) draft.nextRowId = rowIdAfter(draft.nextRowId, snapshot, path);
  draft.snapshots.put(snapshot);
  draft.addedSnapshotIds.add(id);
  draft.isChanged = true;
}

/** Never less than before, also when a snapshot without a parent begins anew. */
function sequenceNumberAfter(last: Int64, snapshot: Snapshot): Int64 {
  const number = snapshot['sequence-number'] ?? 0;
  if (number > last) return number;
  if (snapshot['parent-snapshot-id'] === undefined) return last;
  const message = `Cannot add snapshot with sequence number ${number} older than last sequence number ${last}`;
  throw new PangolinError('commit_failed', message);
}

function rowIdAfter(next: Int64, snapshot: Snapshot, where: string): Int64 {
  const first = snapshot['first-row-id'];
  const added = snapshot['added-rows'];
  if (first === undefined) refuse('Cannot add a snapshot: first-row-id is null');
  if (added === undefined) refuse(`${where}.added-rows is missing: it is required when first-row-id is set.`);
  if (first < next) {
    const message = `Cannot add a snapshot, first-row-id is behind table next-row-id: ${first} < ${next}`;
    throw new PangolinError('commit_failed', message);
  }
  const after = addInt64(first, added);
  return isInt64(after) ? after : refuse(`${where}.added-rows: there is no row id after ${first} + ${added}.`);
}

/** `set-snapshot-ref`: main is the table's current snapshot. */
export function setReference(draft: TableDraft, update: JsonObject, where: string): void {
  const name = checkName(need(update, 'ref-name', where, readText), at(where, 'ref-name'));
  const ref = readReferenceUpdate(update, where);
  const id = ref['snapshot-id'];
  if (!draft.snapshots.has(id)) refuse(`Cannot set ${shown(name)} to unknown snapshot: ${id}`);
  if (name === MAIN && ref.type !== 'branch') refuse(`Cannot set ${MAIN} to a tag: it must be a branch`);
  const before = draft.refs.get(name);
  if (before !== undefined && isSame(before, ref)) return;
  if (name === MAIN && before?.['snapshot-id'] !== id) setCurrentSnapshot(draft, id);
  putReference(draft, name, ref);
  draft.isChanged = true;
}

const ONE_MINUTE_MS = 60_000;

function setCurrentSnapshot(draft: TableDraft, id: Int64): void {
  const own = draft.addedSnapshotIds.has(id) ? draft.snapshots.get(id)?.['timestamp-ms'] : undefined;
  const wanted = own ?? draft.nowMs;
  const last = (draft.addedLog.at(-1) ?? draft.snapshotLog.at(-1))?.['timestamp-ms'] ?? 0;
  // Java refuses to read a log whose times go back by more than a minute, as the clocks of two writers may.
  const timestamp = wanted < last - ONE_MINUTE_MS ? last : wanted;
  draft.addedLog.push({ 'timestamp-ms': timestamp, 'snapshot-id': id });
  draft.currentSnapshotId = id;
  draft.mainSnapshotIds.add(id);
}

const isSame = (one: SnapshotReference, other: SnapshotReference): boolean =>
  one['snapshot-id'] === other['snapshot-id'] &&
  one.type === other.type &&
  one['min-snapshots-to-keep'] === other['min-snapshots-to-keep'] &&
  one['max-snapshot-age-ms'] === other['max-snapshot-age-ms'] &&
  one['max-ref-age-ms'] === other['max-ref-age-ms'];

/** `remove-snapshot-ref` */
export function removeReference(draft: TableDraft, update: JsonObject, where: string): void {
  dropReference(draft, need(update, 'ref-name', where, readText));
}

function dropReference(draft: TableDraft, name: string): void {
  const ref = draft.refs.get(name);
  if (ref === undefined) return;
  refNamesOf(draft).get(ref['snapshot-id'])?.delete(name);
  draft.refs.delete(name);
  if (name === MAIN) draft.currentSnapshotId = NO_SNAPSHOT;
  draft.isChanged = true;
}

/** `remove-snapshots`: with them go their statistics, and the branches and tags that are at them. */
export function removeSnapshots(draft: TableDraft, update: JsonObject, where: string): void {
  for (const id of need(update, 'snapshot-ids', where, listOf(readInt64))) {
    if (!draft.snapshots.remove(id)) continue;
    draft.statistics.remove(id);
    draft.partitionStatistics.remove(id);
    for (const name of [...(refNamesOf(draft).get(id) ?? [])]) dropReference(draft, name);
    draft.addedSnapshotIds.delete(id);
    draft.hasRemovedSnapshots = true;
    draft.isChanged = true;
  }
}

function putReference(draft: TableDraft, name: string, ref: SnapshotReference): void {
  const names = refNamesOf(draft);
  const before = draft.refs.get(name);
  if (before !== undefined) names.get(before['snapshot-id'])?.delete(name);
  draft.refs.set(name, ref);
  const beside = names.get(ref['snapshot-id']);
  if (beside === undefined) names.set(ref['snapshot-id'], new Set([name]));
  else beside.add(name);
}

function refNamesOf({ indexes, refs }: TableDraft): Map<Int64, Set<string>> {
  if (indexes.refNames === undefined) {
    indexes.refNames = new Map();
    for (const [name, ref] of refs) {
      const id = ref['snapshot-id'];
      const names = indexes.refNames.get(id) ?? new Set();
      indexes.refNames.set(id, names.add(name));
    }
  }
  return indexes.refNames;
}
