import { PangolinError } from '@pangolin/shared/errors';

/**
 * Where a file or a directory is. Paths are raw: like PyIceberg, Hadoop and DuckDB, nobody here decodes a percent sign.
 * `path` is empty or begins with a slash, ends with none, and has no empty, `.` or `..` segment.
 */
export interface Location {
  scheme: 'file' | 's3';
  /** Empty for files. */
  bucket: string;
  path: string;
}

const ACCEPTED = 'Accepted are file:///an/absolute/path and s3://bucket/path';
const MAX_CHARACTERS = 2_000;
const BUCKET = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

const REFUSED: readonly [RegExp, string][] = [
  [/\p{Cc}|[\u2028\u2029]/u, 'has a control character'],
  [/\p{Surrogate}/u, 'is not valid Unicode'],
  [/\\/, 'has a backslash'],
  [/[?#]/, 'has a question mark or a hash sign'],
  [DOT_SEGMENT, 'has a . or .. segment'],
];

/**
 * Reads and normalises a location that somebody named: `file:/p`, `file:///p`, `file://localhost/p` and `/p` are one,
 * and so are `s3://`, `s3a://` and `s3n://`. Throws `invalid_request` for whatever a client, a file system or a storage
 * could take for another place, also when it is percent-encoded, be it many times. `what` begins the message.
 */
export function readLocation(text: string, what = 'The location'): Location {
  const location = parseLocation(text);
  const problem = typeof location === 'string' ? location : findEncodedEscape(text);
  if (problem !== undefined) throw refuseLocation(text, what, problem);
  return location as Location;
}

/** Whether a text names a place that could be anywhere at all. */
export const isLocation = (text: string): boolean =>
  typeof parseLocation(text) !== 'string' && findEncodedEscape(text) === undefined;

/** The normalised text of a location; the root of the file system alone ends with a slash. */
export function formatLocation({ scheme, bucket, path }: Location): string {
  return `${scheme}://${bucket}${scheme === 'file' && path === '' ? '/' : path}`;
}

/**
 * The location of a file that is about to be used, or null where it cannot be one under `root`. Percent signs are taken
 * as they are: engines write data files such as `day=2026%2F01/a.parquet`.
 */
export function findWithin(root: Location, location: string): Location | null {
  const found = parseLocation(location);
  return typeof found !== 'string' && covers(root, found) ? found : null;
}

/**
 * Whether a location lies under another, or is that one where `orRoot` says so; false for what is no location.
 * For files that engines named; what a client asks to be stored goes through `requireWithin`, which is stricter.
 */
export function isWithin(root: string, location: string, { orRoot = false } = {}): boolean {
  const outer = readLocation(root);
  const inner = parseLocation(location);
  return typeof inner !== 'string' && covers(outer, inner, orRoot);
}

/**
 * The normalised location, which lies under `root`, without a slash at its end; otherwise throws `invalid_request`.
 * `what` begins the message, as in `The table's location`.
 */
export function requireWithin(root: string, location: string, what: string): string {
  const inner = readLocation(location, what);
  if (covers(readLocation(root), inner)) return formatLocation(inner);
  throw new PangolinError(
    'invalid_request',
    `${what} must lie within the catalog's warehouse ${root}; it is ${formatLocation(inner)}`,
  );
}

/** The directories from `root`, which counts, down to the parent of `location`, which lies under it. */
export function ancestorsOf(root: string, location: string): string[] {
  const [outer, inner] = [readLocation(root), readLocation(location)];
  if (!covers(outer, inner)) return [];
  const below = inner.path.slice(outer.path.length + 1).split('/');
  return below.map((_, depth) => formatLocation({ ...inner, path: [outer.path, ...below.slice(0, depth)].join('/') }));
}

/** The range of texts, in byte order, that a normalised location's files lie in: at least `from`, and before `before`. */
export function rangeUnder(location: string): { from: string; before: string } {
  const directory = location.replace(/\/$/, '');
  // In ASCII the digit 0 follows the slash.
  return { from: `${directory}/`, before: `${directory}0` };
}

/** Whether `inner` lies under `outer`; `/wh/ab` does not lie under `/wh/a`. */
function covers(outer: Location, inner: Location, orRoot = false): boolean {
  if (outer.scheme !== inner.scheme || outer.bucket !== inner.bucket) return false;
  return inner.path.startsWith(`${outer.path}/`) || (orRoot && inner.path === outer.path);
}

/** A location, or what is wrong with the text. */
function parseLocation(text: string): Location | string {
  if (text.length > MAX_CHARACTERS) return `has more than ${MAX_CHARACTERS} characters`;
  const refused = REFUSED.find(([pattern]) => pattern.test(text));
  if (refused) return refused[1];
  if (/^\/(?!\/)/.test(text)) return { scheme: 'file', bucket: '', path: collapse(text) };
  const scheme = /^[a-z][a-z0-9+.-]*(?=:)/i.exec(text)?.[0].toLowerCase();
  if (scheme === undefined) return 'is not an absolute path';
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'file') return parseFile(rest);
  if (scheme === 's3' || scheme === 's3a' || scheme === 's3n') return parseS3(rest);
  return `has the scheme ${scheme}`;
}

function parseFile(rest: string): Location | string {
  const path = rest.replace(/^\/\/(?:localhost)?(?=\/)/i, '');
  if (!path.startsWith('/')) return rest.startsWith('//') ? 'names a host' : 'is not an absolute path';
  if (path === rest && rest.startsWith('//')) return 'names a host';
  return { scheme: 'file', bucket: '', path: collapse(path) };
}

function parseS3(rest: string): Location | string {
  const [, bucket, slashed] = /^\/\/([^/]*)(.*)$/.exec(rest) ?? [];
  if (bucket === undefined || slashed === undefined) return 'has no bucket';
  if (!BUCKET.test(bucket) || bucket.includes('..'))
    return bucket === '' ? 'has no bucket' : 'has no valid bucket name';
  const path = slashed.replace(/\/+$/, '');
  // Some clients collapse slashes and some do not: it would be two places.
  return path.includes('//') ? 'has an empty segment' : { scheme: 's3', bucket, path };
}

const collapse = (path: string) => path.replace(/\/+/g, '/').replace(/\/$/, '');

function findEncodedEscape(text: string): string | undefined {
  let decoded = text;
  for (let before = ''; before !== decoded; ) {
    before = decoded;
    decoded = before.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  if (decoded === text) return undefined;
  if (decoded.split('/').length !== text.split('/').length || decoded.includes('\\')) return 'has an encoded slash';
  if (DOT_SEGMENT.test(decoded)) return 'has an encoded . or .. segment';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return /[\0-\x1f\x7f]/.test(decoded) ? 'has an encoded control character' : undefined;
}

function refuseLocation(text: string, what: string, problem: string): PangolinError {
  const shown = JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
  return new PangolinError('invalid_request', `${what} ${shown} ${problem}. ${ACCEPTED}.`);
}
