import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { invalidAvro } from './avro-bytes.ts';

/** Decompresses one block. Throws for a block that is damaged, or larger than `MAX_BLOCK_BYTES`. */
export type Decompress = (block: Uint8Array) => Promise<Uint8Array>;

/** Engines begin a new block after 16 to 64 KiB. */
export const MAX_BLOCK_BYTES = 64 * 1024 * 1024;

const CHECKSUM_BYTES = 4;

/**
 * What decompresses the blocks of a file (Avro specification, "Required Codecs" and "Optional Codecs"). What does the work
 * for snappy and zstandard is WebAssembly, so a hostile block can reach no memory but its own, and both are told how much
 * there may be.
 */
export async function openCodec(name: string): Promise<Decompress> {
  switch (name) {
    case 'null':
      return async (block) => block;
    case 'deflate':
      return (block) => promisify(inflateRaw)(block, { maxOutputLength: MAX_BLOCK_BYTES });
    case 'snappy':
      return openSnappy();
    case 'zstandard':
      return openZstandard();
    default:
      throw invalidAvro(`its codec is ${JSON.stringify(name.slice(0, 50))}, not null, deflate, snappy or zstandard`);
  }
}

async function openSnappy(): Promise<Decompress> {
  const { snappyUncompressor } = await import('hysnappy');
  const uncompress = snappyUncompressor();
  return async (block) => {
    if (block.length <= CHECKSUM_BYTES) throw invalidAvro('a block ends too early');
    const compressed = block.subarray(0, -CHECKSUM_BYTES);
    const size = readSnappySize(compressed);
    if (size > MAX_BLOCK_BYTES) throw invalidAvro('a block is too large');
    const data = uncompress(compressed, size);
    const checksum = Buffer.from(block.buffer, block.byteOffset, block.length).readUInt32BE(compressed.length);
    if (crc32(data) !== checksum) throw invalidAvro('a block does not match its checksum');
    return data;
  };
}

/** The uncompressed size, with which snappy's format begins. */
function readSnappySize(compressed: Uint8Array): number {
  let size = 0;
  for (const [index, byte] of compressed.subarray(0, 5).entries()) {
    size += (byte & 0x7f) * 128 ** index;
    if (byte < 0x80) return size;
  }
  throw invalidAvro('a block has no size');
}

async function openZstandard(): Promise<Decompress> {
  const { ZSTDDecoder } = await import('zstddec');
  const decoder = new ZSTDDecoder();
  await decoder.init();
  return async (block) => {
    // Writers that stream do not say how much there is; with too little room the decoder gives nothing.
    for (let room = 1024 * 1024; room <= MAX_BLOCK_BYTES; room *= 8) {
      const data = decoder.decode(block, room);
      if (data.length > 0) return data;
    }
    throw invalidAvro('a block is damaged or too large');
  };
}
