const SINCE_V3 = new Set(['timestamp_ns', 'timestamptz_ns', 'unknown', 'variant', 'geometry', 'geography']);

const PLAIN = new Set([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
  ...SINCE_V3,
]);

const UNORDERED = new Set(['unknown', 'variant', 'geometry', 'geography']);

const MAX_PRECISION = 38;
const EDGE_ALGORITHMS = new Set(['spherical', 'vincenty', 'thomas', 'andoyer', 'karney']);

/** What a refusal says would be accepted. */
export const ACCEPTED_PRIMITIVES = `${[...PLAIN].join(', ')}, decimal(P,S) with P up to ${MAX_PRECISION}, fixed[L], geometry(CRS), geography(CRS, ALGORITHM)`;

/** The name of a primitive type as it is written, such as `decimal(9,2)` for `decimal(9, 2)`; null: there is none such. */
export function readPrimitiveType(name: string): string | null {
  if (PLAIN.has(name)) return name;
  if (name.length > 200) return null;
  return readDecimal(name) ?? readFixed(name) ?? readGeo(name);
}

function readDecimal(name: string): string | null {
  const match = /^decimal\( *(\d{1,3}) *, *(\d{1,3}) *\)$/.exec(name);
  if (match === null) return null;
  const [precision, scale] = [Number(match[1]), Number(match[2])];
  return precision >= 1 && precision <= MAX_PRECISION && scale <= precision ? `decimal(${precision},${scale})` : null;
}

function readFixed(name: string): string | null {
  const length = Number(/^fixed\[ *(\d{1,10}) *\]$/.exec(name)?.[1] ?? 0);
  return length >= 1 && length < 2 ** 31 ? `fixed[${length}]` : null;
}

function readGeo(name: string): string | null {
  if (/^geometry\([^(),]+\)$/.test(name)) return name;
  const match = /^geography\([^(),]+(?:,([^(),]+))?\)$/.exec(name);
  if (match === null) return null;
  return match[1] === undefined || EDGE_ALGORITHMS.has(match[1].trim().toLowerCase()) ? name : null;
}

/** `decimal` for `decimal(9,2)`. */
export const primitiveKind = (name: string): string => /^[a-z0-9_]+/.exec(name)?.[0] ?? '';

/** The first format version that has a primitive type. */
export const firstVersionOf = (name: string): 1 | 3 => (SINCE_V3.has(primitiveKind(name)) ? 3 : 1);

/** Whether the values of a primitive type can be compared, and so sorted, partitioned by and told apart. */
export const isOrdered = (name: string): boolean => !UNORDERED.has(primitiveKind(name));
