import { MAX_PROPERTIES, MAX_TIMESTAMP_MS, refuse, refuseMoreThan, shown, toRecord } from './json-fields.ts';
import { stripTrailingSlashes } from './locations.ts';
import { checkSpecBinds, UNPARTITIONED } from './partition-specs.ts';
import { NO_SNAPSHOT } from './snapshots.ts';
import { checkSortFieldsBind, UNSORTED } from './sort-orders.ts';
import { type CommitGiven, currentSchemaOf, type TableDraft } from './table-draft.ts';
import type { MetadataLogEntry, SnapshotLogEntry, TableMetadata } from './table-metadata.ts';
import { propertyAsCount } from './table-properties.ts';

/** The metadata a draft has become, checked as a whole. Throws `invalid_request`. */
export function finishDraft(draft: TableDraft, given: CommitGiven): TableMetadata {
  const { base } = draft;
  addDefaults(draft);
  checkBinding(draft);
  refuseMoreThan(MAX_PROPERTIES, draft.properties.size, 'properties');
  const properties = toRecord(draft.properties);
  const snapshotLog = finishSnapshotLog(draft);
  return {
    'format-version': draft.formatVersion,
    'table-uuid': draft.uuid,
    location: draft.location ?? stripTrailingSlashes(given.defaultLocation),
    'last-sequence-number': draft.lastSequenceNumber,
    'last-updated-ms': lastUpdated(draft, snapshotLog),
    'last-column-id': draft.lastColumnId,
    'current-schema-id': draft.currentSchemaId,
    schemas: draft.schemas.toList(),
    'default-spec-id': draft.defaultSpecId,
    'partition-specs': draft.specs.toList(),
    'last-partition-id': draft.lastPartitionId,
    'default-sort-order-id': draft.defaultOrderId,
    'sort-orders': draft.orders.toList(),
    properties,
    'current-snapshot-id': draft.currentSnapshotId,
    ...(draft.formatVersion === 3 && { 'next-row-id': draft.nextRowId }),
    'encryption-keys': draft.encryptionKeys.toList(),
    refs: toRecord(draft.refs),
    snapshots: draft.snapshots.toList(),
    statistics: draft.statistics.toList(),
    'partition-statistics': draft.partitionStatistics.toList(),
    'snapshot-log': snapshotLog,
    'metadata-log': base === null ? [] : logMetadata(base, given.baseLocation, properties),
    unknown: base?.unknown ?? {},
  };
}

/** A new table that says nothing of partitions or of order has none. */
function addDefaults(draft: TableDraft): void {
  if (draft.specs.size === 0) {
    draft.specs.put(UNPARTITIONED);
    draft.defaultSpecId = UNPARTITIONED['spec-id'];
  }
  if (draft.orders.size === 0) {
    draft.orders.put(UNSORTED);
    draft.defaultOrderId = UNSORTED['order-id'];
  }
}

function checkBinding(draft: TableDraft): void {
  const { base, specs, orders } = draft;
  const isBound =
    base?.['current-schema-id'] === draft.currentSchemaId &&
    base['default-spec-id'] === draft.defaultSpecId &&
    base['default-sort-order-id'] === draft.defaultOrderId;
  if (isBound) return;
  const schema = currentSchemaOf(draft, 'Cannot commit');
  const spec = specs.get(draft.defaultSpecId) ?? refuse('Cannot commit: the table has no default partition spec yet.');
  const order = orders.get(draft.defaultOrderId) ?? refuse('Cannot commit: the table has no default sort order yet.');
  checkSpecBinds(spec, schema);
  checkSortFieldsBind(order.fields, schema, `Sort order ${shown(String(order['order-id']))}`);
}

/** Later than the base, and than the log: Java refuses to read the table otherwise. */
function lastUpdated({ base, nowMs }: TableDraft, log: readonly SnapshotLogEntry[]): number {
  const updated = Math.max(nowMs, (base?.['last-updated-ms'] ?? 0) + 1, log.at(-1)?.['timestamp-ms'] ?? 0);
  return updated <= MAX_TIMESTAMP_MS ? updated : refuse(`last-updated-ms cannot be later than ${MAX_TIMESTAMP_MS}.`);
}

/**
 * The history of current snapshots. Snapshots that were current only within the commit are left out, and a history with
 * snapshots that are gone begins after the last of them.
 */
function finishSnapshotLog(draft: TableDraft): readonly SnapshotLogEntry[] {
  const { addedLog, snapshotLog, snapshots, currentSnapshotId: current } = draft;
  const isIntermediate = (id: SnapshotLogEntry['snapshot-id']) =>
    id !== current && draft.addedSnapshotIds.has(id) && draft.mainSnapshotIds.has(id);
  const added = addedLog.filter((entry) => !isIntermediate(entry['snapshot-id']));
  let log: readonly SnapshotLogEntry[] = added.length === 0 ? snapshotLog : [...snapshotLog, ...added];
  if (draft.hasRemovedSnapshots) {
    const gone = log.findLastIndex((entry) => !snapshots.has(entry['snapshot-id']));
    if (gone >= 0) log = log.slice(gone + 1);
  }
  if (current === NO_SNAPSHOT || log.at(-1)?.['snapshot-id'] === current) return log;
  const timestamp = Math.max(draft.nowMs, log.at(-1)?.['timestamp-ms'] ?? 0);
  return [...log, { 'timestamp-ms': timestamp, 'snapshot-id': current }];
}

const DEFAULT_PREVIOUS_VERSIONS = 100;

function logMetadata(
  base: TableMetadata,
  baseLocation: string | null,
  properties: Readonly<Record<string, string>>,
): readonly MetadataLogEntry[] {
  if (baseLocation === null) return base['metadata-log'];
  const kept = Math.max(
    1,
    propertyAsCount(properties, 'write.metadata.previous-versions-max', DEFAULT_PREVIOUS_VERSIONS),
  );
  const entry = { 'timestamp-ms': base['last-updated-ms'], 'metadata-file': baseLocation };
  return [...base['metadata-log'].slice(kept === 1 ? base['metadata-log'].length : 1 - kept), entry];
}
