import { setImmediate } from 'node:timers/promises';
import type { JsonValue } from '../json.ts';
import { AvroBytes, invalidAvro } from './avro-bytes.ts';
import { MAX_BLOCK_BYTES, openCodec } from './avro-codecs.ts';
import { type AvroRecord, createProjection, type WantedFields } from './avro-projection.ts';

/** Engines begin a new manifest after 8 MiB. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** What all blocks of a file may add up to when they are decompressed. */
const MAX_CONTENT_BYTES = 512 * 1024 * 1024;

const MAX_SCHEMA_BYTES = 4 * 1024 * 1024;
const SYNC_BYTES = 16;
/** About five milliseconds. */
const STEPS_PER_TURN = 50_000;
/** What is done with a record takes longer than reading it. */
const STEPS_OF_CALLER = 100;

/**
 * Reads some fields of every record of an Avro object container file (Avro specification, "Object Container Files") that a
 * client wrote. Holds one block at a time, lets others run between them, and throws `invalid_request` for whatever is not
 * Avro or was made to take more than its share of time or memory; the records before it have been given then.
 */
export async function* readAvroFile(content: Uint8Array, wanted: WantedFields): AsyncGenerator<AvroRecord> {
  if (content.length > MAX_FILE_BYTES) throw invalidAvro(`it has more than ${MAX_FILE_BYTES} bytes`);
  const bytes = new AvroBytes(content);
  const { schema, codec } = readHeader(bytes);
  const sync = bytes.take(SYNC_BYTES);
  const read = createProjection(schema, wanted);
  const decompress = await openCodec(codec);
  let bytesLeft = MAX_CONTENT_BYTES;
  while (!bytes.isAtEnd) {
    const count = bytes.readSize();
    const block = bytes.take(bytes.readSize());
    if (Buffer.compare(bytes.take(SYNC_BYTES), sync) !== 0) throw invalidAvro('a block has no end');
    const data = await decompress(block).catch((cause) => {
      throw invalidAvro('a block cannot be decompressed', cause);
    });
    bytesLeft -= data.length;
    if (bytesLeft < 0 || data.length > MAX_BLOCK_BYTES) throw invalidAvro('it is too large when it is decompressed');
    // What is wanted of a record takes at least a byte.
    if (count > data.length) throw invalidAvro('a block has more records than it has room for');
    await setImmediate();
    const records = new AvroBytes(data);
    let stepsLeft = STEPS_PER_TURN;
    for (let left = count; left > 0; left -= 1) {
      const before = records.steps;
      records.beginRecord();
      yield read(records);
      stepsLeft -= records.steps - before + STEPS_OF_CALLER;
      if (stepsLeft > 0) continue;
      await setImmediate();
      stepsLeft = STEPS_PER_TURN;
    }
  }
}

function readHeader(bytes: AvroBytes): { schema: JsonValue; codec: string } {
  if (Buffer.compare(bytes.take(4), Buffer.from('Obj\x01')) !== 0) throw invalidAvro('it does not begin like one');
  let schema: Uint8Array | undefined;
  let codec = 'null';
  for (let count = bytes.readInteger(); count !== 0; count = bytes.readInteger()) {
    if (count < 0) bytes.readSize();
    for (let left = Math.abs(count); left > 0; left -= 1) {
      const key = decode(bytes.take(bytes.readSize()).subarray(0, 64));
      const value = bytes.take(bytes.readSize());
      if (key === 'avro.schema') schema = value;
      if (key === 'avro.codec') codec = decode(value.subarray(0, 64));
    }
  }
  if (!schema || schema.length > MAX_SCHEMA_BYTES) throw invalidAvro('it has no schema, or one that is too large');
  try {
    return { schema: JSON.parse(decode(schema)), codec };
  } catch (cause) {
    throw invalidAvro('its schema is not JSON', cause);
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
