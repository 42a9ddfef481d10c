import { renameKeys } from './field-names.ts';

/** Fields of the wire that hold a time; in programs they are a Date. */
type TimeField = `${string}_at` | 'time' | 'last_used' | 'since' | 'until';

type CamelKey<Key> = Key extends `${infer Head}_${infer Rest}` ? `${Head}${Capitalize<CamelKey<Rest>>}` : Key;

type FieldFromWire<Key, Value> = Key extends TimeField
  ? Value extends string
    ? Date
    : Value
  : Key extends 'details'
    ? Value
    : FromWire<Value>;

/** A wire type as programs see it: `created_at: string` becomes `createdAt: Date`, at any depth but inside `details`. */
export type FromWire<T> = T extends readonly (infer One)[]
  ? FromWire<One>[]
  : T extends object
    ? { [Key in keyof T as CamelKey<Key> & string]: FieldFromWire<Key, T[Key]> }
    : T;

const isTimeField = (key: string) => /(?:^time|^last_used|^since|^until|_at)$/.test(key);

const camelKey = (key: string) => key.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
const snakeKey = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Reads an answer of the wire for programs: camelCase keys, times as Date. */
export const fromWire = <T>(value: T): FromWire<T> => renameKeys(readTimes(value), camelKey) as FromWire<T>;

/** Spells what a program gives for the wire: snake_case keys, a Date as RFC 3339. */
export const toWire = <T>(value: FromWire<T>): T => writeTimes(renameKeys(value, snakeKey)) as T;

function readTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(readTimes);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'details') return [key, inner];
      return [key, typeof inner === 'string' && isTimeField(key) ? new Date(inner) : readTimes(inner)];
    }),
  );
}

function writeTimes(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(writeTimes);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, inner]) => (inner === undefined ? [] : [[key, writeTimes(inner)]])),
  );
}
