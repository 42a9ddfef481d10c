import type { JsonObject, JsonValue } from '../json.ts';
import { finishDraft } from './finish-draft.ts';
import { need, readObject, readText, refuse, shown } from './json-fields.ts';
import { type CommitGiven, startDraft, type TableDraft } from './table-draft.ts';
import type { TableMetadata } from './table-metadata.ts';
import {
  addEncryptionKey,
  assignUuid,
  readFormatVersionUpdate,
  removeEncryptionKey,
  removePartitionStatistics,
  removeProperties,
  removeStatistics,
  setLocation,
  setPartitionStatistics,
  setProperties,
  setStatistics,
  upgradeFormatVersion,
} from './update-properties.ts';
import { addSchema, removeSchemas, setCurrentSchema } from './update-schemas.ts';
import { addSnapshot, removeReference, removeSnapshots, setReference } from './update-snapshots.ts';
import { addSortOrder, setDefaultSortOrder } from './update-sort-orders.ts';
import { addSpec, removeSpecs, setDefaultSpec } from './update-specs.ts';

type Apply = (draft: TableDraft, update: JsonObject, where: string) => void;

const UPGRADE = 'upgrade-format-version';
const DEFAULT_FORMAT_VERSION = 2;

const ACTIONS: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  ['assign-uuid', assignUuid],
  [UPGRADE, upgradeFormatVersion],
  ['add-schema', addSchema],
  ['set-current-schema', setCurrentSchema],
  ['remove-schemas', removeSchemas],
  ['add-spec', addSpec],
  ['set-default-spec', setDefaultSpec],
  ['remove-partition-specs', removeSpecs],
  ['add-sort-order', addSortOrder],
  ['set-default-sort-order', setDefaultSortOrder],
  ['add-snapshot', addSnapshot],
  ['set-snapshot-ref', setReference],
  ['remove-snapshot-ref', removeReference],
  ['remove-snapshots', removeSnapshots],
  ['set-location', setLocation],
  ['set-properties', setProperties],
  ['remove-properties', removeProperties],
  ['set-statistics', setStatistics],
  ['remove-statistics', removeStatistics],
  ['set-partition-statistics', setPartitionStatistics],
  ['remove-partition-statistics', removePartitionStatistics],
  ['add-encryption-key', addEncryptionKey],
  ['remove-encryption-key', removeEncryptionKey],
]);

/**
 * The metadata that a commit's updates, one after the other, make of a table; null: of nothing, as `assert-create` allows.
 * The base itself when they change nothing. Throws `invalid_request` for updates that are malformed, unknown or do not fit,
 * and `commit_failed` where the table has moved on and the client may try again.
 */
export function applyUpdates(
  base: TableMetadata | null,
  updates: readonly JsonValue[],
  given: CommitGiven,
): TableMetadata {
  const read = updates.map((value, index) => {
    const where = `updates[${index}]`;
    const update = readObject(value, where);
    const name = need(update, 'action', where, readText);
    const apply = ACTIONS.get(name.toLowerCase());
    if (apply === undefined) refuse(`${where}.action: "${shown(name)}" is not an update of tables.`);
    return { update, apply, where };
  });
  const first = read.find(({ apply }) => apply === upgradeFormatVersion);
  const initial = first === undefined ? DEFAULT_FORMAT_VERSION : readFormatVersionUpdate(first.update, first.where);
  const draft = startDraft(base, base?.['format-version'] ?? initial, given);
  for (const { update, apply, where } of read) apply(draft, update, where);
  return base !== null && !draft.isChanged ? base : finishDraft(draft, given);
}
