import { checkName, refuse, refuseMoreThan, shown } from './json-fields.ts';
import { firstVersionOf, isOrdered, primitiveKind } from './primitive-types.ts';
import { columnsOf, isAlwaysThere, isSingular, listColumns, pathOf } from './schema-columns.ts';
import type { Schema, StructType, Type } from './table-metadata.ts';

const FIRST_VERSION_WITH_DEFAULTS = 3;
const MAX_COLUMNS = 20_000;

/**
 * Refuses a new schema that does not hold together, or that the table's format version does not have: ids and names that
 * are there twice, types and defaults of a later version, identifier fields that cannot identify a row.
 * Throws `invalid_request`.
 */
export function checkSchema(schema: Schema, formatVersion: number, where = 'schema'): void {
  const columns = listColumns(schema);
  refuseMoreThan(MAX_COLUMNS, columns.length, 'columns');
  const byId = columnsOf(schema, columns);
  if (byId.size !== columns.length) {
    const twice = columns.find((column) => byId.get(column.id) !== column);
    refuse(`${where}: the field id ${twice?.id} is there more than once.`);
  }
  for (const column of columns) {
    if (typeof column.type !== 'string') continue;
    const since = firstVersionOf(column.type);
    if (since > formatVersion) {
      const problem = `Invalid type for ${pathOf(column)}: ${column.type} is not supported until v${since}`;
      refuse(`Invalid schema for v${formatVersion}: ${problem}`);
    }
    if (column.type === 'unknown' && column.required)
      refuse(`${where}: ${pathOf(column)} of type unknown must be optional.`);
  }
  checkFields(schema, formatVersion, where);
  checkIdentifiers(schema, where);
}

function checkFields(type: Type, formatVersion: number, where: string): void {
  if (typeof type === 'string') return;
  if (type.type === 'struct') {
    checkStruct(type, formatVersion, where);
    return;
  }
  for (const inner of type.type === 'list' ? [type.element] : [type.key, type.value]) {
    checkFields(inner, formatVersion, where);
  }
}

function checkStruct(struct: StructType, formatVersion: number, where: string): void {
  const names = new Set<string>();
  for (const field of struct.fields) {
    // Tables made from CSV headers do have line breaks in the names of their columns.
    checkName(field.name.replace(/[\t\r\n]/g, '_'), `${where}: the name of a field`);
    if (names.has(field.name)) refuse(`${where}: the field name "${shown(field.name)}" is there more than once.`);
    names.add(field.name);
    if (field['initial-default'] !== undefined && formatVersion < FIRST_VERSION_WITH_DEFAULTS) {
      const problem = `Invalid initial default for ${shown(field.name)}: non-null default is not supported until v3`;
      refuse(`Invalid schema for v${formatVersion}: ${problem}`);
    }
    checkFields(field.type, formatVersion, where);
  }
}

function checkIdentifiers(schema: Schema, where: string): void {
  for (const id of schema['identifier-field-ids'] ?? []) {
    const column = columnsOf(schema).get(id);
    if (column === undefined) refuse(`${where}: the identifier field id ${id} is not in the schema.`);
    const name = pathOf(column);
    const problem = (what: string) => refuse(`${where}: the identifier field ${name} must ${what}.`);
    if (typeof column.type !== 'string') problem('be of a primitive type');
    else if (!isOrdered(column.type)) problem(`not be of type ${primitiveKind(column.type)}`);
    else if (['float', 'double'].includes(primitiveKind(column.type))) problem('not be a float or double');
    if (!isSingular(column)) problem('not be inside of a list or map');
    if (!isAlwaysThere(column)) problem('be required, and so must every struct around it');
  }
}
