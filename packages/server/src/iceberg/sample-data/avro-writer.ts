import type { Int64 } from '../json.ts';

/** The Avro types that Iceberg's manifests are made of. A union is one with null; nothing here has a boolean value. */
export type AvroSchema =
  | 'boolean'
  | 'int'
  | 'long'
  | 'string'
  | 'bytes'
  | readonly ['null', AvroSchema]
  | AvroRecordSchema
  | { readonly type: 'array'; readonly items: AvroSchema; readonly [attribute: string]: unknown };

export interface AvroRecordSchema {
  readonly type: 'record';
  readonly name: string;
  readonly fields: readonly {
    readonly name: string;
    readonly type: AvroSchema;
    readonly [attribute: string]: unknown;
  }[];
}

export type AvroValue =
  | Int64
  | string
  | Uint8Array
  | null
  | readonly AvroValue[]
  | { readonly [name: string]: AvroValue };

/** An uncompressed Avro object container file of one block. `sync`, 16 bytes, tells where a block ends. */
export function writeAvroFile(file: {
  schema: AvroRecordSchema;
  metadata: Readonly<Record<string, string>>;
  sync: Uint8Array;
  records: readonly { readonly [name: string]: AvroValue }[];
}): Buffer {
  const header = { 'avro.schema': JSON.stringify(file.schema), 'avro.codec': 'null', ...file.metadata };
  const data = Buffer.concat(file.records.flatMap((record) => encode(file.schema, record)));
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    encodeLong(Object.keys(header).length),
    ...Object.entries(header).flatMap(([key, value]) => [...encode('string', key), ...encode('string', value)]),
    encodeLong(0),
    file.sync,
    encodeLong(file.records.length),
    encodeLong(data.length),
    data,
    file.sync,
  ]);
}

function encode(schema: AvroSchema, value: AvroValue | undefined): Buffer[] {
  if (isUnion(schema)) return value === null ? [encodeLong(0)] : [encodeLong(1), ...encode(schema[1], value)];
  if (schema === 'int' || schema === 'long') {
    if (typeof value === 'number' || typeof value === 'bigint') return [encodeLong(value)];
  } else if (schema === 'string' || schema === 'bytes') {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
      return [encodeLong(bytes.length), bytes];
    }
  } else if (typeof schema === 'object' && 'items' in schema) {
    if (Array.isArray(value)) {
      const items = value.flatMap((item) => encode(schema.items, item));
      return value.length === 0 ? [encodeLong(0)] : [encodeLong(value.length), ...items, encodeLong(0)];
    }
  } else if (typeof schema === 'object' && 'fields' in schema && isRecord(value)) {
    return schema.fields.flatMap((field) => encode(field.type, value[field.name]));
  }
  throw new TypeError(`A value does not fit the Avro type ${JSON.stringify(schema)}`);
}

const isUnion = (schema: AvroSchema): schema is readonly ['null', AvroSchema] => Array.isArray(schema);

const isRecord = (value: AvroValue | undefined): value is { readonly [name: string]: AvroValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);

/** Zigzag, then seven bits a byte. */
function encodeLong(value: Int64): Buffer {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
