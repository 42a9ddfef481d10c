import {
  checkName,
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readCount,
  readFilledText,
  readInt32,
  readObject,
  readText,
  refuse,
  refuseMoreThan,
  shown,
} from './json-fields.ts';
import { columnsOf, isSingular, listColumns, pathOf } from './schema-columns.ts';
import type { PartitionField, PartitionSpec, Schema } from './table-metadata.ts';
import { checkSource, checkTransform } from './transforms.ts';

/** Partition field ids begin after this one. */
export const LAST_PARTITION_ID_OF_NONE = 999;

export const UNPARTITIONED: PartitionSpec = { 'spec-id': 0, fields: [] };

/** A partition field as a client sends it: its id may be left to the server. */
export type NewPartitionField = Omit<PartitionField, 'field-id'> & { readonly 'field-id'?: number };

const MAX_FIELDS = 1_000;
const SPEC_MEMBERS = new Set(['spec-id', 'fields']);
const FIELD_MEMBERS = new Set(['source-id', 'field-id', 'name', 'transform']);

const readField: Read<NewPartitionField> = (value, where) => {
  const object = readObject(value, where);
  const fieldId = maybe(object, 'field-id', where, readCount);
  return {
    'source-id': need(object, 'source-id', where, readInt32),
    ...(fieldId !== undefined && { 'field-id': fieldId }),
    name: need(object, 'name', where, readFilledText),
    transform: need(object, 'transform', where, readText),
    ...otherMembers(object, FIELD_MEMBERS, where),
  };
};

/** The fields of a spec, whose ids may be missing. Throws `invalid_request`. */
export const readPartitionFields: Read<NewPartitionField[]> = listOf(readField);

/** A spec of a metadata file. Ids missing in files of version 1 are 1000, 1001, … Throws `invalid_request`. */
export const readPartitionSpec: Read<PartitionSpec> = (value, where) => {
  const object = readObject(value, where);
  return {
    'spec-id': need(object, 'spec-id', where, readInt32),
    fields: numberFields(need(object, 'fields', where, readPartitionFields)),
    ...otherMembers(object, SPEC_MEMBERS, where),
  };
};

/** Gives every field an id; those the client left out are 1000 and the field's place. */
export const numberFields = (fields: readonly NewPartitionField[]): PartitionField[] =>
  fields.map((field, index) => withId(field, field['field-id'] ?? LAST_PARTITION_ID_OF_NONE + 1 + index));

/** The field with an id, in the order of members Java writes. */
export function withId(field: NewPartitionField, id: number): PartitionField {
  const { name, transform, 'source-id': sourceId, 'field-id': _, ...others } = field;
  return { name, transform, 'source-id': sourceId, 'field-id': id, ...others };
}

/** The highest field id of specs, 999 when they have none. */
export const lastPartitionIdOf = (specs: readonly PartitionSpec[]): number =>
  specs.reduce(
    (last, { fields }) => fields.reduce((max, field) => Math.max(max, field['field-id']), last),
    LAST_PARTITION_ID_OF_NONE,
  );

/** Equal for specs that partition the same way under the same names: ids do not count. */
export const partitionSpecKey = (fields: readonly NewPartitionField[]): string =>
  JSON.stringify(fields.map((field) => [field['source-id'], field.transform, field.name]));

/**
 * Refuses new partition fields that do not fit the schema: unknown transforms and columns, types a transform does not take,
 * names that are there twice or are a column's (an `identity` of that column may have its name). Throws `invalid_request`.
 */
export function checkPartitionFields(fields: readonly NewPartitionField[], schema: Schema, where: string): void {
  refuseMoreThan(MAX_FIELDS, fields.length, 'partition fields');
  const names = new Set<string>();
  const topLevel = fields.length === 0 ? null : topLevelIdsOf(schema);
  const nested = fields.some(({ name }) => name.includes('.')) ? nestedIdsOf(schema) : null;
  for (const field of fields) {
    const { name, transform } = field;
    checkName(name, `${where}: the name of a partition field`);
    if (names.has(name)) refuse(`${where}: the partition name "${shown(name)}" is there more than once.`);
    names.add(name);
    checkTransform(transform, where);
    checkSource(transform, columnsOf(schema).get(field['source-id']), `${where}: ${shown(name)}`);
    const columnId = topLevel?.get(name) ?? nested?.get(name);
    if (columnId !== undefined && !(transform === 'identity' && columnId === field['source-id'])) {
      if (transform !== 'void') refuse(`${where}: the partition name "${shown(name)}" is the name of a column.`);
    }
  }
}

const topLevelIds = new WeakMap<Schema, ReadonlyMap<string, number>>();

function topLevelIdsOf(schema: Schema): ReadonlyMap<string, number> {
  const ids = topLevelIds.get(schema) ?? new Map(schema.fields.map((field) => [field.name, field.id]));
  topLevelIds.set(schema, ids);
  return ids;
}

const nestedIds = new WeakMap<Schema, ReadonlyMap<string, number>>();
/** Beyond these the paths of fields of structs are not compared with: they would fill the memory. */
const MAX_NESTED = { columns: 10_000, characters: 255 };

function nestedIdsOf(schema: Schema): ReadonlyMap<string, number> {
  let ids = nestedIds.get(schema);
  if (ids === undefined) {
    ids = listNestedIds(schema);
    nestedIds.set(schema, ids);
  }
  return ids;
}

/** The fields of structs by their path. */
function listNestedIds(schema: Schema): ReadonlyMap<string, number> {
  const columns = listColumns(schema);
  if (columns.length > MAX_NESTED.columns) return new Map();
  return new Map(
    columns
      .filter((column) => column.parent !== null && isSingular(column))
      .map((column): [string, number] => [pathOf(column), column.id])
      .filter(([path]) => path.length <= MAX_NESTED.characters),
  );
}

/** Refuses a default spec that the current schema no longer carries. Throws `invalid_request`. */
export function checkSpecBinds(spec: PartitionSpec, schema: Schema): void {
  for (const { transform, name, 'source-id': sourceId } of spec.fields) {
    checkSource(transform, columnsOf(schema).get(sourceId), `Partition field ${shown(name)}`);
  }
}
