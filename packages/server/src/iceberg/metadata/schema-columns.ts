import type { Schema, Type } from './table-metadata.ts';

/** A field of a schema at any depth: a column, a field of a struct, or the inside of a list or a map. */
export interface Column {
  readonly id: number;
  /** `element`, `key` and `value` inside of lists and maps. */
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  readonly parent: Column | null;
}

const known = new WeakMap<Schema, ReadonlyMap<number, Column>>();

/** Every field of a schema by its id; `listed` spares listing them where that was done. */
export function columnsOf(schema: Schema, listed?: readonly Column[]): ReadonlyMap<number, Column> {
  let columns = known.get(schema);
  if (columns === undefined) {
    columns = new Map((listed ?? listColumns(schema)).map((column) => [column.id, column]));
    known.set(schema, columns);
  }
  return columns;
}

/** Every field of a schema, a parent before what it holds. */
export function listColumns(schema: Schema): Column[] {
  const columns: Column[] = [];
  const add = (id: number, name: string, type: Type, required: boolean, parent: Column | null) => {
    const column = { id, name, type, required, parent };
    columns.push(column);
    addInside(type, column);
  };
  const addInside = (type: Type, parent: Column | null) => {
    if (typeof type === 'string') return;
    if (type.type === 'struct') {
      for (const field of type.fields) add(field.id, field.name, field.type, field.required, parent);
    } else if (type.type === 'list') {
      add(type['element-id'], 'element', type.element, type['element-required'], parent);
    } else {
      add(type['key-id'], 'key', type.key, true, parent);
      add(type['value-id'], 'value', type.value, type['value-required'], parent);
    }
  };
  addInside(schema, null);
  return columns;
}

/** `a.b.c`, cut when it is long. */
export function pathOf(column: Column): string {
  const names: string[] = [];
  for (let one: Column | null = column; one !== null; one = one.parent) names.unshift(one.name.slice(0, 100));
  return names.join('.');
}

const isStruct = (column: Column): boolean => typeof column.type !== 'string' && column.type.type === 'struct';

/** Whether a row has at most one value of a column: no list and no map is around it. */
export function isSingular(column: Column): boolean {
  for (let one = column.parent; one !== null; one = one.parent) if (!isStruct(one)) return false;
  return true;
}

/** Whether a column has a value in every row. */
export function isAlwaysThere(column: Column): boolean {
  for (let one: Column | null = column; one !== null; one = one.parent) if (!one.required) return false;
  return true;
}
