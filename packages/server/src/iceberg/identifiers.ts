import { PangolinError } from '@pangolin/shared/errors';
import { isObject, type JsonValue } from './json.ts';

/** Joins the levels of a namespace, in paths and in the database. */
const SEPARATOR = '\x1f';

const MAX_LEVELS = 32;
const MAX_NAME_LENGTH = 255;

/** The levels of a namespace, outermost first. */
export type Levels = readonly string[];

/** A table or view. */
export interface Identifier {
  namespace: Levels;
  name: string;
}

export const joinLevels = (levels: Levels): string => levels.join(SEPARATOR);
export const splitLevels = (path: string): string[] => path.split(SEPARATOR);

/** As a path segment: levels percent-encoded, joined by `%1F`. */
export const encodeNamespace = (levels: Levels): string => levels.map(encodeURIComponent).join('%1F');

/** As messages name it: `sales.eu`. */
export const formatNamespace = (levels: Levels): string => levels.join('.');
export const formatIdentifier = ({ namespace, name }: Identifier): string => [...namespace, name].join('.');

/** Reads `["sales", "eu"]`. Throws `invalid_request`. */
export function readNamespace(value: JsonValue | undefined, field = 'namespace'): Levels {
  if (!Array.isArray(value) || value.length === 0) {
    throw new PangolinError(
      'invalid_request',
      `The field '${field}' must be a list of names, such as ["sales", "eu"].`,
    );
  }
  if (value.length > MAX_LEVELS) {
    throw new PangolinError('invalid_request', `A namespace has at most ${MAX_LEVELS} levels.`);
  }
  return value.map((level) => readName(level, field));
}

/** Reads the name of a level, a table or a view. Throws `invalid_request`. */
export function readName(value: JsonValue | undefined, field = 'name'): string {
  if (typeof value !== 'string' || value === '') {
    throw new PangolinError('invalid_request', `The field '${field}' must hold names of at least one character.`);
  }
  if (value.length > MAX_NAME_LENGTH) {
    throw new PangolinError('invalid_request', `A name has at most ${MAX_NAME_LENGTH} characters.`);
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\x00-\x1f\x7f]/.test(value) || /\p{Surrogate}/u.test(value)) {
    throw new PangolinError('invalid_request', `The field '${field}' has a name with control characters.`);
  }
  if (value === '.' || value === '..') {
    throw new PangolinError('invalid_request', `${JSON.stringify(value)} is no name.`);
  }
  return value;
}

/** Reads `{namespace, name}`. Throws `invalid_request`. */
export function readIdentifier(value: JsonValue | undefined, field: string): Identifier {
  if (!isObject(value)) {
    throw new PangolinError('invalid_request', `The field '${field}' must be {"namespace": […], "name": …}.`);
  }
  return {
    namespace: readNamespace(value.namespace, `${field}.namespace`),
    name: readName(value.name, `${field}.name`),
  };
}

/**
 * What a path segment may mean, likeliest first. Java's clients write a space as `+`, and some proxies encode twice.
 * Throws `invalid_request` for a segment that is not percent-encoded UTF-8.
 */
export function readSegment(raw: string): string[] {
  const literal = decode(raw);
  const readings = [literal];
  if (raw.includes('+')) readings.push(decode(raw.replaceAll('+', ' ')));
  if (/%1f/i.test(literal)) readings.push(decode(literal));
  return readings;
}

/**
 * What a `parent` query parameter may mean, likeliest first; `value` was decoded once. PyIceberg encodes each level again.
 */
export function readParent(value: string): string[] {
  const readings = [value];
  if (/%[0-9a-f]{2}/i.test(value)) {
    try {
      readings.push(value.split(SEPARATOR).map(decodeURIComponent).join(SEPARATOR));
    } catch {
      // A literal percent sign, then.
    }
  }
  return readings;
}

/** Reads levels that were joined by the separator. Throws `invalid_request`. */
export const readJoinedLevels = (path: string): Levels => readNamespace(splitLevels(path));

function decode(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new PangolinError('invalid_request', 'The path is not percent-encoded UTF-8.', { cause });
  }
}
