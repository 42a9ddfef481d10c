import { PangolinError } from '@pangolin/shared/errors';
import { mergeSlashes } from '../merge-slashes.ts';

/** What a request path asks for, whichever base path its client formed. */
export interface IcebergPath {
  /** The catalog's name, decoded; null: the path names none. */
  catalog: string | null;
  isConfig: boolean;
  /** As endpoints are declared, such as `namespaces/{namespace}/tables/{table}`. */
  template: string;
  /** What the client's own paths begin with, below the address it was given: `v1` or `v1/{catalog}`. */
  base: string;
  /** Raw, still percent-encoded. */
  namespace: string;
  object: string;
  query: URLSearchParams;
}

const MAX_REMEMBERED = 1_000;
const MAX_REMEMBERED_LENGTH = 1_000;

/** Reads paths as `readIcebergPath` does, and remembers what the last ones meant. */
export function createPathReader(): (url: string) => IcebergPath {
  const known = new Map<string, IcebergPath>();
  return (url) => {
    const before = known.get(url);
    if (before) return before;
    const path = readIcebergPath(url);
    if (known.size >= MAX_REMEMBERED) known.clear();
    if (url.length <= MAX_REMEMBERED_LENGTH) known.set(url, path);
    return path;
  };
}

/**
 * Reads the path of an absolute URL. All of these are one: `/v1/{catalog}/v1/namespaces` (the catalog is part of the
 * client's `uri`), `/v1/{catalog}/namespaces` (it is the client's `prefix`), and `/v1/{catalog}/v1/{catalog}/namespaces`
 * (both). Slashes may be doubled before the part that names something. Throws `invalid_request`.
 */
function readIcebergPath(url: string): IcebergPath {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const question = url.indexOf('?', start);
  const [, ...segments] = mergeSlashes(url.slice(start, question < 0 ? undefined : question)).split('/');
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  // A slash at the end means nothing, but after `namespaces`, where a name is missing.
  if (segments.length > 2 && segments.at(-1) === '' && segments.at(-2) !== 'namespaces') segments.pop();
  const [version, first, ...rest] = segments;
  if (version !== 'v1' || first === undefined || first === '') return nothing(query);
  if (first === 'config' && rest.length === 0) return { ...nothing(query), isConfig: true };
  const catalog = decodeName(first);
  let base = `v1/${first}`;
  if (rest[0] === 'v1') {
    rest.shift();
    const isNamedTwice = rest.length > 1 && rest[0] !== undefined && decodeName(rest[0]) === catalog;
    if (isNamedTwice) rest.shift();
    else base = 'v1';
  }
  if (rest.length === 1 && rest[0] === 'config') return { ...nothing(query), catalog, isConfig: true };
  return { catalog, isConfig: false, base, ...readTemplate(rest), query };
}

const nothing = (query: URLSearchParams): IcebergPath => ({
  catalog: null,
  isConfig: false,
  template: '',
  base: 'v1',
  namespace: '',
  object: '',
  query,
});

function readTemplate(segments: readonly string[]) {
  const [first, namespace = '', kind, object = '', ...more] = segments;
  if (first !== 'namespaces' || segments.length < 2) return { template: segments.join('/'), namespace: '', object: '' };
  if (namespace === '' || (segments.length > 3 && object === '')) {
    throw new PangolinError('invalid_request', 'The path has an empty name.');
  }
  const parts = ['namespaces', '{namespace}', ...(kind === undefined ? [] : [kind])];
  if (segments.length > 3) parts.push(kind === 'views' ? '{view}' : '{table}', ...more);
  return { template: parts.join('/'), namespace, object };
}

function decodeName(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch (cause) {
    throw new PangolinError('invalid_request', 'The path is not percent-encoded UTF-8.', { cause });
  }
}
