import {
  listOf,
  need,
  otherMembers,
  type Read,
  readInt32,
  readObject,
  readText,
  refuse,
  shown,
} from './json-fields.ts';
import { columnsOf } from './schema-columns.ts';
import type { Schema, SortField, SortOrder } from './table-metadata.ts';
import { checkSource, checkTransform } from './transforms.ts';

export const UNSORTED: SortOrder = { 'order-id': 0, fields: [] };

const ORDER_MEMBERS = new Set(['order-id', 'fields']);
const FIELD_MEMBERS = new Set(['source-id', 'transform', 'direction', 'null-order']);

const readDirection: Read<SortField['direction']> = (value, where) =>
  value === 'asc' || value === 'desc' ? value : refuse(`${where} must be "asc" or "desc".`);

const readNullOrder: Read<SortField['null-order']> = (value, where) =>
  value === 'nulls-first' || value === 'nulls-last' ? value : refuse(`${where} must be "nulls-first" or "nulls-last".`);

const readField: Read<SortField> = (value, where) => {
  const object = readObject(value, where);
  return {
    transform: need(object, 'transform', where, readText),
    'source-id': need(object, 'source-id', where, readInt32),
    direction: need(object, 'direction', where, readDirection),
    'null-order': need(object, 'null-order', where, readNullOrder),
    ...otherMembers(object, FIELD_MEMBERS, where),
  };
};

/** The fields of a sort order. Throws `invalid_request`. */
export const readSortFields: Read<SortField[]> = listOf(readField);

/** A sort order of a metadata file. Throws `invalid_request`. */
export const readSortOrder: Read<SortOrder> = (value, where) => {
  const object = readObject(value, where);
  return {
    'order-id': need(object, 'order-id', where, readInt32),
    fields: need(object, 'fields', where, readSortFields),
    ...otherMembers(object, ORDER_MEMBERS, where),
  };
};

/** Equal for orders that sort the same way. */
export const sortOrderKey = (fields: readonly SortField[]): string =>
  JSON.stringify(fields.map((field) => [field['source-id'], field.transform, field.direction, field['null-order']]));

/** Refuses new sort fields that do not fit the schema. Throws `invalid_request`. */
export function checkSortFields(fields: readonly SortField[], schema: Schema, where: string): void {
  for (const field of fields) checkTransform(field.transform, where);
  checkSortFieldsBind(fields, schema, where);
}

/** Refuses a default sort order that the current schema no longer carries. Throws `invalid_request`. */
export function checkSortFieldsBind(fields: readonly SortField[], schema: Schema, where: string): void {
  for (const { transform, 'source-id': sourceId } of fields) {
    checkSource(
      transform,
      columnsOf(schema).get(sourceId),
      `${where}: sort field of column ${shown(String(sourceId))}`,
    );
  }
}
