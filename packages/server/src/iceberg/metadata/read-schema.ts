import type { JsonValue } from '../json.ts';
import {
  at,
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readAnything,
  readBoolean,
  readFilledText,
  readInt32,
  readObject,
  readText,
  refuse,
  shown,
} from './json-fields.ts';
import { ACCEPTED_PRIMITIVES, readPrimitiveType } from './primitive-types.ts';
import type { Schema, StructField, Type } from './table-metadata.ts';

const SCHEMA_MEMBERS = new Set(['type', 'schema-id', 'identifier-field-ids', 'fields']);
const FIELD_MEMBERS = new Set(['id', 'name', 'required', 'type', 'doc', 'initial-default', 'write-default']);
const STRUCT_MEMBERS = new Set(['type', 'fields']);
const LIST_MEMBERS = new Set(['type', 'element-id', 'element', 'element-required']);
const MAP_MEMBERS = new Set(['type', 'key-id', 'key', 'value-id', 'value', 'value-required']);

const MAX_NESTING = 64;

/**
 * A schema in the order and spelling it is written in, so that equal schemas have equal text; members unknown here are kept.
 * What the whole must hold is `checkSchema`'s. Throws `invalid_request`, also for types nested more than 64 levels deep.
 */
export const readSchema: Read<Schema> = (value, where) => {
  const object = readObject(value, where);
  if (object.type !== 'struct') refuse(`${at(where, 'type')} must be "struct".`);
  const identifiers = maybe(object, 'identifier-field-ids', where, listOf(readInt32)) ?? [];
  return {
    type: 'struct',
    'schema-id': maybe(object, 'schema-id', where, readInt32) ?? 0,
    ...(identifiers.length > 0 && { 'identifier-field-ids': [...new Set(identifiers)].sort((a, b) => a - b) }),
    fields: need(object, 'fields', where, listOf(readField(MAX_NESTING))),
    ...otherMembers(object, SCHEMA_MEMBERS, where),
  };
};

const readField =
  (levelsLeft: number): Read<StructField> =>
  (value, where) => {
    const object = readObject(value, where);
    const doc = maybe(object, 'doc', where, readText);
    const initial = maybe(object, 'initial-default', where, readAnything);
    const write = maybe(object, 'write-default', where, readAnything);
    return {
      id: need(object, 'id', where, readInt32),
      name: need(object, 'name', where, readFilledText),
      required: need(object, 'required', where, readBoolean),
      type: need(object, 'type', where, readType(levelsLeft)),
      ...(doc !== undefined && { doc }),
      ...(initial !== undefined && { 'initial-default': initial }),
      ...(write !== undefined && { 'write-default': write }),
      ...otherMembers(object, FIELD_MEMBERS, where),
    };
  };

const readType =
  (levelsLeft: number): Read<Type> =>
  (value, where) => {
    if (typeof value === 'string') return readPrimitive(value, where);
    if (levelsLeft === 0) refuse(`${where} is nested more than ${MAX_NESTING} levels deep.`);
    return readNested(value, where, levelsLeft - 1);
  };

function readPrimitive(name: string, where: string): string {
  return (
    readPrimitiveType(name) ?? refuse(`${where}: "${shown(name)}" is not a type; there are ${ACCEPTED_PRIMITIVES}.`)
  );
}

function readNested(value: JsonValue, where: string, levelsLeft: number): Type {
  const object = readObject(value, where);
  const type = need(object, 'type', where, readText);
  const inner = readType(levelsLeft);
  switch (type) {
    case 'struct':
      return {
        type,
        fields: need(object, 'fields', where, listOf(readField(levelsLeft))),
        ...otherMembers(object, STRUCT_MEMBERS, where),
      };
    case 'list':
      return {
        type,
        'element-id': need(object, 'element-id', where, readInt32),
        element: need(object, 'element', where, inner),
        'element-required': need(object, 'element-required', where, readBoolean),
        ...otherMembers(object, LIST_MEMBERS, where),
      };
    case 'map':
      return {
        type,
        'key-id': need(object, 'key-id', where, readInt32),
        key: need(object, 'key', where, inner),
        'value-id': need(object, 'value-id', where, readInt32),
        value: need(object, 'value', where, inner),
        'value-required': need(object, 'value-required', where, readBoolean),
        ...otherMembers(object, MAP_MEMBERS, where),
      };
    default:
      return refuse(`${at(where, 'type')} must be "struct", "list" or "map", not "${shown(type)}".`);
  }
}
