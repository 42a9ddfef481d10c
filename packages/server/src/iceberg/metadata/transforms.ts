import { MAX_INT32, refuse, shown } from './json-fields.ts';
import { isOrdered, primitiveKind } from './primitive-types.ts';
import { type Column, isSingular, pathOf } from './schema-columns.ts';

const TIMESTAMPS = ['timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns'];

/** Which types a transform takes; null: any primitive type that has an order. */
const SOURCES: ReadonlyMap<string, ReadonlySet<string> | null> = new Map([
  ['identity', null],
  ['year', new Set(['date', ...TIMESTAMPS])],
  ['month', new Set(['date', ...TIMESTAMPS])],
  ['day', new Set(['date', ...TIMESTAMPS])],
  ['hour', new Set(TIMESTAMPS)],
  ['bucket', new Set(['int', 'long', 'decimal', 'date', 'time', ...TIMESTAMPS, 'string', 'uuid', 'fixed', 'binary'])],
  ['truncate', new Set(['int', 'long', 'decimal', 'string', 'binary'])],
]);

const VOID = 'void';

/** The part of a transform before its argument; null: there is no such transform. */
function kindOf(transform: string): string | null {
  const match = /^(bucket|truncate)\[(\d{1,10})\]$/.exec(transform);
  if (match === null) return /^(?:identity|void|year|month|day|hour)$/.test(transform) ? transform : null;
  const argument = Number(match[2]);
  return argument >= 1 && argument <= MAX_INT32 ? (match[1] ?? null) : null;
}

/** Throws `invalid_request` for a transform that does not exist. */
export function checkTransform(transform: string, where: string): void {
  const accepted = 'identity, void, year, month, day, hour, bucket[N], truncate[W]';
  if (kindOf(transform) === null) refuse(`${where}: "${shown(transform)}" is not a transform; there are ${accepted}.`);
}

/**
 * Refuses a transform of a column that is not there or that it cannot be applied to. `void` needs no column, and one that
 * this release does not know (a newer engine wrote it) is not judged. Throws `invalid_request`.
 */
export function checkSource(transform: string, column: Column | undefined, where: string): void {
  const kind = kindOf(transform);
  if (kind === null || kind === VOID) return;
  if (column === undefined) refuse(`${where}: Cannot find source column for the transform ${transform}.`);
  const { type } = column;
  if (typeof type !== 'string') refuse(`${where}: ${pathOf(column)} is not of a primitive type.`);
  const sources = SOURCES.get(kind) ?? null;
  const isTaken = sources === null ? isOrdered(type) : sources.has(primitiveKind(type));
  if (!isTaken) refuse(`${where}: Invalid source type ${type} for transform: ${transform}`);
  if (!isSingular(column)) refuse(`${where}: ${pathOf(column)} is inside of a list or map.`);
}
