import type { JsonObject } from '../json.ts';
import { at, checkName, listOf, maybe, need, readInt32, readInt64, readText, refuse } from './json-fields.ts';
import { stripTrailingSlashes } from './locations.ts';
import { NEWEST_FORMAT_VERSION, readUuid } from './read-table-metadata.ts';
import { readEncryptedKey, readPartitionStatisticsFile, readStatisticsFile } from './read-table-parts.ts';
import { readSnapshotId } from './snapshots.ts';
import type { TableDraft } from './table-draft.ts';
import { readNewProperties } from './table-properties.ts';

/** `assign-uuid`: a table that exists keeps its own. */
export function assignUuid(draft: TableDraft, update: JsonObject, where: string): void {
  const uuid = need(update, 'uuid', where, readUuid);
  if (draft.base === null) draft.uuid = uuid;
  else if (uuid.toLowerCase() !== draft.uuid.toLowerCase()) {
    refuse(`Cannot reassign the table's UUID: it is ${draft.uuid}, not ${uuid}`);
  }
}

/** `upgrade-format-version` */
export function upgradeFormatVersion(draft: TableDraft, update: JsonObject, where: string): void {
  const version = readFormatVersionUpdate(update, where);
  if (version < draft.formatVersion) refuse(`Cannot downgrade v${draft.formatVersion} table to v${version}`);
  draft.isChanged ||= version > draft.formatVersion;
  draft.formatVersion = version;
}

/** The version that `upgrade-format-version` asks for. Throws `invalid_request` for one that is not supported. */
export function readFormatVersionUpdate(update: JsonObject, where: string): 1 | 2 | 3 {
  const version = need(update, 'format-version', where, readInt32);
  if (version === 1 || version === 2 || version === 3) return version;
  return refuse(
    `Cannot upgrade table to unsupported format version: v${version} (supported: v${NEWEST_FORMAT_VERSION})`,
  );
}

/** `set-location` */
export function setLocation(draft: TableDraft, update: JsonObject, where: string): void {
  const path = at(where, 'location');
  const location = stripTrailingSlashes(checkName(need(update, 'location', where, readText), path));
  draft.isChanged ||= draft.location !== location;
  draft.location = location;
}

/** `set-properties`; older clients call the properties `updated`. */
export function setProperties(draft: TableDraft, update: JsonObject, where: string): void {
  const properties = need(update, nameOf(update, 'updates', 'updated'), where, readNewProperties);
  for (const [name, text] of Object.entries(properties)) {
    draft.properties.set(name, text);
    draft.isChanged = true;
  }
}

/** `remove-properties`; older clients call the names `removed`. */
export function removeProperties(draft: TableDraft, update: JsonObject, where: string): void {
  const names = need(update, nameOf(update, 'removals', 'removed'), where, listOf(readText));
  for (const name of names) if (draft.properties.delete(name)) draft.isChanged = true;
}

const nameOf = (update: JsonObject, name: string, older: string): string =>
  update[name] === undefined && update[older] !== undefined ? older : name;

/** `set-statistics`: a snapshot has one such file. */
export function setStatistics(draft: TableDraft, update: JsonObject, where: string): void {
  const file = need(update, 'statistics', where, readStatisticsFile);
  const id = maybe(update, 'snapshot-id', where, readSnapshotId) ?? file['snapshot-id'];
  if (id !== file['snapshot-id']) refuse(`${where}: snapshot-id does not match: ${id} vs ${file['snapshot-id']}`);
  draft.statistics.put(file);
  draft.isChanged = true;
}

/** `remove-statistics` */
export function removeStatistics(draft: TableDraft, update: JsonObject, where: string): void {
  if (draft.statistics.remove(need(update, 'snapshot-id', where, readInt64))) draft.isChanged = true;
}

/** `set-partition-statistics`: a snapshot has one such file. */
export function setPartitionStatistics(draft: TableDraft, update: JsonObject, where: string): void {
  draft.partitionStatistics.put(need(update, 'partition-statistics', where, readPartitionStatisticsFile));
  draft.isChanged = true;
}

/** `remove-partition-statistics` */
export function removePartitionStatistics(draft: TableDraft, update: JsonObject, where: string): void {
  if (draft.partitionStatistics.remove(need(update, 'snapshot-id', where, readInt64))) draft.isChanged = true;
}

/** `add-encryption-key`: one that is there stays as it is. */
export function addEncryptionKey(draft: TableDraft, update: JsonObject, where: string): void {
  const key = need(update, 'encryption-key', where, readEncryptedKey);
  if (draft.encryptionKeys.has(key['key-id'])) return;
  draft.encryptionKeys.put(key);
  draft.isChanged = true;
}

/** `remove-encryption-key` */
export function removeEncryptionKey(draft: TableDraft, update: JsonObject, where: string): void {
  if (draft.encryptionKeys.remove(need(update, 'key-id', where, readText))) draft.isChanged = true;
}
