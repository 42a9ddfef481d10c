import type { ListType, MapType, Schema, StructField, Type } from './table-metadata.ts';

/** A schema with new ids, and how to find them. */
export interface FreshSchema {
  schema: Schema;
  /** From the ids the client chose. */
  newIds: ReadonlyMap<number, number>;
  lastColumnId: number;
}

/** Numbers the fields of a new table's schema from 1 in the order Java does: a struct's own fields before what they hold. */
export function assignFreshIds(schema: Schema): FreshSchema {
  const newIds = new Map<number, number>();
  const next = (id: number): number => {
    newIds.set(id, newIds.size + 1);
    return newIds.size;
  };
  const renumberFields = (fields: readonly StructField[]): StructField[] => {
    const ids = fields.map(({ id }) => next(id));
    return fields.map((field, index) => ({ ...field, id: ids[index] ?? field.id, type: renumber(field.type) }));
  };
  const renumberList = (list: ListType): ListType => {
    const id = next(list['element-id']);
    return { ...list, 'element-id': id, element: renumber(list.element) };
  };
  const renumberMap = (map: MapType): MapType => {
    const [keyId, valueId] = [next(map['key-id']), next(map['value-id'])];
    return { ...map, 'key-id': keyId, key: renumber(map.key), 'value-id': valueId, value: renumber(map.value) };
  };
  const renumber = (type: Type): Type => {
    if (typeof type === 'string') return type;
    if (type.type === 'list') return renumberList(type);
    if (type.type === 'map') return renumberMap(type);
    return { ...type, fields: renumberFields(type.fields) };
  };

  const fields = renumberFields(schema.fields);
  const identifiers = schema['identifier-field-ids']?.map((id) => newIds.get(id) ?? id).sort((a, b) => a - b);
  return {
    schema: { ...schema, 'schema-id': 0, ...(identifiers && { 'identifier-field-ids': identifiers }), fields },
    newIds,
    lastColumnId: newIds.size,
  };
}
