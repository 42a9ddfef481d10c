import type { JsonObject } from '../json.ts';
import { at, listOf, MAX_INT32, need, readInt32, readObject, refuse } from './json-fields.ts';
import {
  checkPartitionFields,
  LAST_PARTITION_ID_OF_NONE,
  type NewPartitionField,
  partitionSpecKey,
  readPartitionFields,
  withId,
} from './partition-specs.ts';
import { currentSchemaOf, nextId, type TableDraft } from './table-draft.ts';
import type { PartitionField } from './table-metadata.ts';

/** `add-spec`: under the id of a spec that partitions the same way, or under the next one. */
export function addSpec(draft: TableDraft, update: JsonObject, where: string): void {
  const path = at(where, 'spec');
  const fields = need(need(update, 'spec', where, readObject), 'fields', path, readPartitionFields);
  checkPartitionFields(fields, currentSchemaOf(draft, path), path);
  const ids = specIdsOf(draft);
  const key = partitionSpecKey(fields);
  const existing = ids.get(key);
  if (existing !== undefined) {
    draft.lastAdded.specId = existing;
    return;
  }
  const numbered = assignFieldIds(draft, fields, path);
  const id = nextId(draft, 'specs');
  draft.specs.put({ 'spec-id': id, fields: numbered });
  ids.set(key, id);
  for (const field of numbered) fieldIdsOf(draft).set(fieldKey(field), field['field-id']);
  draft.lastPartitionId = numbered.reduce((last, field) => Math.max(last, field['field-id']), draft.lastPartitionId);
  draft.lastAdded.specId = id;
  draft.isChanged = true;
}

/** `set-default-spec` */
export function setDefaultSpec(draft: TableDraft, update: JsonObject, where: string): void {
  const asked = need(update, 'spec-id', where, readInt32);
  const id = asked === -1 ? draft.lastAdded.specId : asked;
  if (id === null) refuse('Cannot set last added spec: no spec has been added');
  if (!draft.specs.has(id)) refuse(`Cannot set default partition spec to unknown spec: ${id}`);
  draft.isChanged ||= draft.defaultSpecId !== id;
  draft.defaultSpecId = id;
}

/** `remove-partition-specs` */
export function removeSpecs(draft: TableDraft, update: JsonObject, where: string): void {
  for (const id of need(update, 'spec-ids', where, listOf(readInt32))) {
    if (id === draft.defaultSpecId) refuse(`Cannot remove the default partition spec: ${id}`);
    const spec = draft.specs.get(id);
    if (spec === undefined) continue;
    specIdsOf(draft).delete(partitionSpecKey(spec.fields));
    draft.specs.remove(id);
    if (draft.lastAdded.specId === id) draft.lastAdded.specId = null;
    draft.isChanged = true;
  }
}

/**
 * Keeps the field ids the client chose, as data files may have been written with them. Where there is none, a field that
 * was partitioned by before gets the id it had, and a new one the next.
 */
function assignFieldIds(draft: TableDraft, fields: readonly NewPartitionField[], where: string): PartitionField[] {
  const isFirstVersion = draft.formatVersion === 1;
  const used = new Set<number>();
  const use = (id: number): number => {
    if (id > MAX_INT32) refuse(`${where}: there is no field id after ${MAX_INT32}.`);
    if (used.has(id)) refuse(`${where}: the field id ${id} is there more than once.`);
    used.add(id);
    return id;
  };
  for (const { 'field-id': id } of fields) if (id !== undefined) use(id);

  let last = fields.reduce((max, field) => Math.max(max, field['field-id'] ?? 0), draft.lastPartitionId);
  const assign = (field: NewPartitionField, index: number): number => {
    if (isFirstVersion) return LAST_PARTITION_ID_OF_NONE + 1 + index;
    const before = fieldIdsOf(draft).get(fieldKey(field));
    if (before !== undefined && !used.has(before)) return before;
    last += 1;
    return last;
  };
  const numbered = fields.map((field, index) => withId(field, field['field-id'] ?? use(assign(field, index))));
  if (isFirstVersion && numbered.some((field, index) => field['field-id'] !== LAST_PARTITION_ID_OF_NONE + 1 + index)) {
    refuse(`${where}: Spec does not use sequential IDs that are required in v1`);
  }
  return numbered;
}

const fieldKey = (field: NewPartitionField): string => `${field['source-id']} ${field.transform}`;

function fieldIdsOf({ indexes, specs }: TableDraft): Map<string, number> {
  indexes.partitionFieldIds ??= new Map(
    [...specs.elements()].flatMap(({ fields }) => fields.map((field) => [fieldKey(field), field['field-id']] as const)),
  );
  return indexes.partitionFieldIds;
}

function specIdsOf({ indexes, specs }: TableDraft): Map<string, number> {
  indexes.specIds ??= new Map([...specs.elements()].map((spec) => [partitionSpecKey(spec.fields), spec['spec-id']]));
  return indexes.specIds;
}
