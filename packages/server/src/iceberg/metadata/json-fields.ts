import { PangolinError } from '@pangolin/shared/errors';
import { type Int64, isObject, type JsonObject, type JsonValue } from '../json.ts';

/** Reads one value; `where` is its path in the document, for the message. Throws `invalid_request`. */
export type Read<T> = (value: JsonValue, where: string) => T;

/** Refuses what a client sent, or what a file has. */
export function refuse(message: string): never {
  throw new PangolinError('invalid_request', message);
}

const MAX_SHOWN = 100;

/** A client's text for a message: quoted as it is, but not at any length. */
export const shown = (text: string): string => (text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text);

/** The path of a member. */
export const at = (where: string, name: string): string => (where === '' ? name : `${where}.${name}`);

/** A member that has to be there. Throws `invalid_request`. */
export function need<T>(object: JsonObject, name: string, where: string, read: Read<T>): T {
  const value = object[name];
  const path = at(where, name);
  return value === undefined || value === null ? refuse(`${path} is missing.`) : read(value, path);
}

/** A member that may be absent, or null, which is the same. Throws `invalid_request`. */
export function maybe<T>(object: JsonObject, name: string, where: string, read: Read<T>): T | undefined {
  const value = object[name];
  return value === undefined || value === null ? undefined : read(value, at(where, name));
}

/** A list whose elements are read one by one. */
export function listOf<T>(read: Read<T>): Read<T[]> {
  return (value, where) => readList(value, where).map((element, index) => read(element, `${where}[${index}]`));
}

export const readObject: Read<JsonObject> = (value, where) =>
  isObject(value) ? value : refuse(`${where} must be an object.`);

export const readList: Read<JsonValue[]> = (value, where) =>
  Array.isArray(value) ? value : refuse(`${where} must be a list.`);

export const readText: Read<string> = (value, where) =>
  typeof value === 'string' ? value : refuse(`${where} must be a string.`);

export const readFilledText: Read<string> = (value, where) =>
  readText(value, where) === '' ? refuse(`${where} must not be empty.`) : readText(value, where);

export const readBoolean: Read<boolean> = (value, where) =>
  typeof value === 'boolean' ? value : refuse(`${where} must be true or false.`);

export const MAX_INT32 = 2 ** 31 - 1;
const MAX_INT64 = 2n ** 63n - 1n;

export const readInt32: Read<number> = (value, where) =>
  typeof value === 'number' && Number.isInteger(value) && value >= -MAX_INT32 - 1 && value <= MAX_INT32
    ? value
    : refuse(`${where} must be a 32-bit integer.`);

/** An id or a count that is assigned upwards from 0. */
export const readCount: Read<number> = (value, where) =>
  readInt32(value, where) < 0 ? refuse(`${where} must not be negative.`) : readInt32(value, where);

export const isInt64 = (value: JsonValue): value is Int64 =>
  typeof value === 'number'
    ? Number.isSafeInteger(value)
    : typeof value === 'bigint' && value <= MAX_INT64 && value >= -MAX_INT64 - 1n;

export const readInt64: Read<Int64> = (value, where) =>
  isInt64(value) ? value : refuse(`${where} must be a 64-bit integer.`);

export const readLongCount: Read<Int64> = (value, where) =>
  readInt64(value, where) < 0 ? refuse(`${where} must not be negative.`) : readInt64(value, where);

/** The last instant a JavaScript date can have, in the year 275760. */
export const MAX_TIMESTAMP_MS = 8.64e15;

/** Milliseconds since 1970. */
export const readTimestamp: Read<number> = (value, where) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_TIMESTAMP_MS
    ? value
    : refuse(`${where} must be a time in milliseconds since 1970.`);

/** The ids of a list's elements. Throws `invalid_request` for one that is there twice. */
export function uniqueIds<T>(items: readonly T[], idOf: (item: T) => Int64, where: string): ReadonlySet<Int64> {
  const ids = new Set(items.map(idOf));
  if (ids.size < items.length) {
    const seen = new Set<Int64>();
    const twice = items.map(idOf).find((id) => seen.size === seen.add(id).size);
    refuse(`${where}: the id ${twice} is there more than once.`);
  }
  return ids;
}

/** Strings by name. The result has no prototype, so that every name is just a name. */
export const readTextMap: Read<Record<string, string>> = (value, where) =>
  toRecord(
    Object.entries(readObject(value, where)).map(([name, text]) => [name, readText(text, at(where, shown(name)))]),
  );

/** Of a table or view. */
export const MAX_PROPERTIES = 10_000;

/** Refuses more of something than a table or view has in earnest, and than is quickly looked at. Throws `invalid_request`. */
export function refuseMoreThan(max: number, count: number, what: string): void {
  if (count > max) refuse(`There are at most ${max} ${what}; these are ${count}.`);
}

/** Properties that a client sets: as `readTextMap`, and under names that `checkName` takes. */
export const readProperties: Read<Record<string, string>> = (value, where) => {
  const properties = readTextMap(value, where);
  refuseMoreThan(MAX_PROPERTIES, Object.keys(properties).length, 'properties');
  for (const name of Object.keys(properties)) checkName(name, `${where}: the name of a property`);
  return properties;
};

/** Only checks that it is strings by name. */
export const checkTextMap: Read<void> = (value, where) => {
  const object = readObject(value, where);
  for (const name of Object.keys(object)) {
    if (typeof object[name] !== 'string') refuse(`${at(where, shown(name))} must be a string.`);
  }
};

/** An object without a prototype: `__proto__` and `constructor` are names like others in it. */
export function toRecord<T>(entries: Iterable<readonly [string, T]>): Record<string, T> {
  const record: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) record[name] = value;
  return record;
}

const MAX_NESTING = 64;

/** Anything, kept as it is, when it is not nested so deeply that handling it would exhaust the stack. */
export const readAnything: Read<JsonValue> = (value, where) => {
  checkNesting(value, where, MAX_NESTING);
  return value;
};

function checkNesting(value: JsonValue, where: string, left: number): void {
  if (left === 0) refuse(`${where} is nested more than ${MAX_NESTING} levels deep.`);
  if (Array.isArray(value)) for (const element of value) checkNesting(element, where, left - 1);
  else if (isObject(value)) for (const element of Object.values(value)) checkNesting(element, where, left - 1);
}

/** The members of an object that are not null and are none of some names. */
export function otherMembers(object: JsonObject, names: ReadonlySet<string>, where: string): JsonObject {
  const others: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    if (value === null || names.has(name)) continue;
    if (typeof value === 'object') checkNesting(value, at(where, shown(name)), MAX_NESTING);
    // A plain assignment would set the prototype, and defining every member would make all objects slow.
    if (name === '__proto__') Object.defineProperty(others, name, { value, enumerable: true });
    else others[name] = value;
  }
  return others;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\u0000-\u001f\u007f]/;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A name a client gives to something new. Throws `invalid_request` for an empty one and for control characters. */
export function checkName(name: string, where: string): string {
  if (name === '') refuse(`${where} must not be empty.`);
  if (CONTROL.test(name)) refuse(`${where} must not contain control characters.`);
  if (LONE_SURROGATE.test(name)) refuse(`${where} must be valid Unicode.`);
  return name;
}
