import { PangolinError } from '@pangolin/shared/errors';

/** No path is longer; a longer string is refused before it is decoded. */
const MAX_STRING_BYTES = 8_192;

/** What no file of Iceberg's needs; what takes more was made to take long. */
const STEPS_PER_BYTE = 16;
const STEPS_FOR_NOTHING = 1_000;
const MAX_STEPS_PER_RECORD = 4_000_000;

/**
 * Reads Avro's binary encoding (Avro specification 1.11, "Binary Encoding") from bytes that nobody vouches for: every
 * method throws `invalid_request` rather than read past the end, and so does `step` when there are far more values than
 * bytes to hold them.
 */
export class AvroBytes {
  readonly #bytes: Uint8Array;
  #offset = 0;
  readonly #maxSteps: number;
  #maxStepsOfRecord: number;
  #steps = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#maxSteps = STEPS_FOR_NOTHING + STEPS_PER_BYTE * bytes.length;
    this.#maxStepsOfRecord = this.#maxSteps;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** How many values were read; that is how long it took. */
  get steps(): number {
    return this.#steps;
  }

  beginRecord(): void {
    this.#maxStepsOfRecord = Math.min(this.#maxSteps, this.#steps + MAX_STEPS_PER_RECORD);
  }

  /** To be called for every value, also for one that takes no bytes. */
  step(): void {
    this.#steps += 1;
    if (this.#steps > this.#maxStepsOfRecord) throw invalidAvro('it has more values than it has room for');
  }

  /** An int or a long that is exact as a number. */
  readInteger(): number {
    let zigzag = 0;
    for (let factor = 1; factor < 2 ** 70; factor *= 128) {
      const byte = this.#next();
      zigzag += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (!Number.isSafeInteger(zigzag)) throw invalidAvro('a count or a size is out of range');
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    }
    throw invalidAvro('an integer has more than 64 bits');
  }

  /** A count or a size, which is not negative. */
  readSize(): number {
    const size = this.readInteger();
    if (size < 0) throw invalidAvro('a size is negative');
    return size;
  }

  /** An int or a long, whatever it is. */
  skipInteger(): void {
    for (let length = 1; this.#next() >= 0x80; length += 1) {
      if (length === 10) throw invalidAvro('an integer has more than 64 bits');
    }
  }

  /** The next bytes, not copied. */
  take(length: number): Uint8Array {
    const start = this.#offset;
    if (length > this.#bytes.length - start) throw invalidAvro('it ends too early');
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  readString(): string {
    const size = this.readSize();
    if (size > MAX_STRING_BYTES) throw invalidAvro(`a path has more than ${MAX_STRING_BYTES} bytes`);
    return new TextDecoder().decode(this.take(size));
  }

  #next(): number {
    const byte = this.#bytes[this.#offset];
    if (byte === undefined) throw invalidAvro('it ends too early');
    this.#offset += 1;
    return byte;
  }
}

/** What a file that is not the Avro it should be is refused with. */
export const invalidAvro = (problem: string, cause?: unknown): PangolinError =>
  new PangolinError('invalid_request', `The file is not a valid Avro file: ${problem}.`, { cause });
