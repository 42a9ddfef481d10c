import { PangolinError } from '@pangolin/shared/errors';
import { isLosslessNumber, LosslessNumber, parse, stringify } from 'lossless-json';

/**
 * An integer of up to 64 bits: a number while that is exact, a bigint beyond. So two equal integers are always `===`, and
 * `<` and `>` hold between the two.
 */
export type Int64 = number | bigint;

/** What JSON text holds. A number with a fraction or an exponent is kept as it was spelled: `1.0` is not `1`. */
export type JsonValue = string | Int64 | LosslessNumber | boolean | null | JsonValue[] | JsonObject;
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Small values take fifty times their text in memory: what is dense with them is refused before it is parsed. */
const MAX_VALUES = 1_000_000;
const DENSE_FROM = 1_000_000;

/** Parses JSON without losing integers (snapshot ids have 63 bits); the last of equal names counts. Throws `invalid_request`. */
export function parseJson(text: string): JsonValue {
  if (text.length > DENSE_FROM && countValues(text) > MAX_VALUES) {
    throw new PangolinError('invalid_request', `It has more than ${MAX_VALUES} values.`);
  }
  try {
    return parse(text, undefined, { parseNumber: readNumber, onDuplicateKey: ({ newValue }) => newValue }) as JsonValue;
  } catch (cause) {
    throw new PangolinError('invalid_request', 'It is not valid JSON.', { cause });
  }
}

/** At most how many values a text has: what separates and opens them is counted, in strings too. */
function countValues(text: string): number {
  let count = 1;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === COMMA || code === OPENING_BRACKET || code === OPENING_BRACE) count += 1;
  }
  return count;
}

const COMMA = 44;
const OPENING_BRACKET = 91;
const OPENING_BRACE = 123;

/** The JSON text of a value; members that are undefined are left out. */
export function stringifyJson(value: unknown): string {
  return stringify(value) as string;
}

/** A sum in the form `Int64` has. */
export const addInt64 = (a: Int64, b: Int64): Int64 => toInt64(BigInt(a) + BigInt(b));

const toInt64 = (value: bigint): Int64 =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

/** No 64-bit integer has more characters; converting a very long one would take long. */
const MAX_INTEGER_LENGTH = 20;

function readNumber(text: string): Int64 | LosslessNumber {
  if (!/^-?\d+$/.test(text) || text.length > MAX_INTEGER_LENGTH || text === '-0') return new LosslessNumber(text);
  return text.length < 16 ? Number(text) : toInt64(BigInt(text));
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isLosslessNumber(value);
