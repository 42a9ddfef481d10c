import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { type AvroBytes, invalidAvro } from './avro-bytes.ts';

/** The fields to be read; everything else is skipped, so it may hold whatever it likes, such as 64-bit integers. */
export interface WantedFields {
  readonly [field: string]: 'string' | 'integer' | WantedFields;
}

export type AvroValue = string | number | null | AvroRecord;
export interface AvroRecord {
  readonly [field: string]: AvroValue;
}

type Read<T = AvroValue> = (bytes: AvroBytes) => T;
type Wanted = WantedFields[string] | null;

/** Iceberg's own nest to about eight. */
const MAX_DEPTH = 64;

const skipInteger: Read = (bytes) => {
  bytes.skipInteger();
  return null;
};
const skipFixed =
  (size: number): Read =>
  (bytes) => {
    bytes.take(size);
    return null;
  };
const skipBytes: Read = (bytes) => {
  bytes.take(bytes.readSize());
  return null;
};

const PRIMITIVES: ReadonlyMap<string, Read> = new Map([
  ['null', () => null],
  ['boolean', skipFixed(1)],
  ['int', skipInteger],
  ['long', skipInteger],
  ['float', skipFixed(4)],
  ['double', skipFixed(8)],
  ['bytes', skipBytes],
  ['string', skipBytes],
  ['enum', skipInteger],
]);

/** Nothing that is wanted is one of these. */
const COMPLEX: ReadonlySet<JsonValue | undefined> = new Set(['array', 'map', 'fixed', 'enum']);

/**
 * Builds what reads some fields of a record, from the schema a file was written with (Avro specification, "Schemas").
 * Wanted fields are found by their names, also through a union. Types that hold themselves are refused: Iceberg has none,
 * and without them no value is deeper than its schema. Throws `invalid_request`.
 */
export function createProjection(schema: JsonValue, wanted: WantedFields): Read<AvroRecord> {
  /** What skips the types that have a name; undefined: not complete yet. */
  const named = new Map<string, Read | undefined>();

  function build(type: JsonValue | undefined, want: Wanted, depth: number): Read {
    if (depth > MAX_DEPTH) throw invalidAvro('its schema is nested too deeply');
    if (Array.isArray(type)) return buildUnion(type, want, depth);
    if (typeof type === 'string') return buildNamed(type, want);
    if (!isObject(type)) throw invalidAvro('its schema has something that is no type');
    if (type.type === 'record') return define(type, () => buildRecord(type, want, depth));
    if (want !== null && COMPLEX.has(type.type)) throw unexpectedType(type.type);
    if (type.type === 'array') return buildBlocks(build(type.items, null, depth + 1));
    if (type.type === 'map') return buildBlocks(build(type.values, null, depth + 1), skipBytes);
    if (type.type === 'fixed') return define(type, () => skipFixed(readFixedSize(type)));
    if (type.type === 'enum') return define(type, () => skipInteger);
    return build(type.type, want, depth + 1);
  }

  function buildNamed(name: string, want: Wanted): Read {
    if (want === 'string' && name === 'string') return (bytes) => bytes.readString();
    if (want === 'integer' && (name === 'int' || name === 'long')) return (bytes) => bytes.readInteger();
    const skip = PRIMITIVES.get(name) ?? named.get(name);
    if (skip && (want === null || name === 'null')) return skip;
    if (want !== null) throw unexpectedType(name);
    throw invalidAvro(`its schema holds itself or does not define ${JSON.stringify(name.slice(0, 50))}`);
  }

  function define(type: JsonObject, create: () => Read): Read {
    const { name, namespace } = type;
    if (typeof name !== 'string') throw invalidAvro('its schema has a type without a name');
    const names = typeof namespace === 'string' ? [name, `${namespace}.${name}`] : [name];
    for (const each of names) named.set(each, undefined);
    const read = create();
    for (const each of names) named.set(each, read);
    return read;
  }

  function buildRecord(type: JsonObject, want: Wanted, depth: number): Read {
    if (typeof want === 'string') throw unexpectedType('record');
    if (!Array.isArray(type.fields)) throw invalidAvro('its schema has a record without fields');
    const fields = type.fields.map((field) => {
      if (!isObject(field) || typeof field.name !== 'string')
        throw invalidAvro('its schema has a field without a name');
      const isWanted = want !== null && Object.hasOwn(want, field.name);
      return { name: field.name, isWanted, read: build(field.type, (isWanted && want[field.name]) || null, depth + 1) };
    });
    const missing = Object.keys(want ?? {}).find((name) => !fields.some((field) => field.name === name));
    if (missing !== undefined) throw invalidAvro(`its schema has no field ${JSON.stringify(missing)}`);
    return (bytes) => {
      const record: Record<string, AvroValue> = {};
      for (const { name, isWanted, read } of fields) {
        bytes.step();
        const value = read(bytes);
        if (isWanted) record[name] = value;
      }
      return record;
    };
  }

  function buildUnion(types: readonly JsonValue[], want: Wanted, depth: number): Read {
    const branches = types.map((type) => build(type, want, depth + 1));
    return (bytes) => {
      bytes.step();
      const read = branches[bytes.readInteger()];
      if (!read) throw invalidAvro('a value has a type its schema does not list');
      return read(bytes);
    };
  }

  const read = build(schema, wanted, 0);
  return (bytes) => {
    const record = read(bytes);
    if (record === null || typeof record !== 'object') throw invalidAvro('it does not hold records');
    return record;
  };
}

/** Skips an array, or a map when there is something to skip before each value. */
function buildBlocks(item: Read, key?: Read): Read {
  return (bytes) => {
    for (let count = bytes.readInteger(); count !== 0; count = bytes.readInteger()) {
      if (count < 0) {
        // A negative count comes with the size of the block, which tells where the next one begins.
        bytes.take(bytes.readSize());
        continue;
      }
      for (let left = count; left > 0; left -= 1) {
        bytes.step();
        key?.(bytes);
        item(bytes);
      }
    }
    return null;
  };
}

const unexpectedType = (type: JsonValue | undefined) =>
  invalidAvro(`a field that should be read has the type ${JSON.stringify(String(type).slice(0, 50))}`);

function readFixedSize({ size }: JsonObject): number {
  if (typeof size === 'number' && size >= 0) return size;
  throw invalidAvro('its schema has a type without a size');
}
