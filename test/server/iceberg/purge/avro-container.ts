const SYNC = Buffer.alloc(16, 7);

/** An Avro object container file with whatever blocks it is given, be they what they say or not. */
export function createContainer(file: {
  schema: unknown;
  codec?: string;
  blocks: readonly { count: bigint | number; data: Uint8Array; size?: bigint | number }[];
}): Buffer {
  const schema = typeof file.schema === 'string' ? file.schema : JSON.stringify(file.schema);
  return Buffer.concat([
    Buffer.from('Obj\x01'),
    long(2),
    bytes('avro.schema'),
    bytes(schema),
    bytes('avro.codec'),
    bytes(file.codec ?? 'null'),
    long(0),
    SYNC,
    ...file.blocks.flatMap(({ count, data, size = data.length }) => [long(count), long(size), data, SYNC]),
  ]);
}

/** Avro's int or long: zigzag, then seven bits a byte. */
export function long(value: bigint | number): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(rest)]);
}

/** Avro's bytes or string. */
export const bytes = (content: string | Uint8Array): Buffer => {
  const data = Buffer.from(content as string);
  return Buffer.concat([long(data.length), data]);
};
