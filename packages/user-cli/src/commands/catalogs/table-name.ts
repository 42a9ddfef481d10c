import { InvalidArgumentError } from '@commander-js/extra-typings';

/** A table as it is written on a command line, taken apart. */
export interface TableName {
  /** As it was given. */
  text: string;
  catalog: string;
  /** One string a level, at least one. */
  namespace: readonly string[];
  name: string;
}

const PART = /"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|([^."`]+)/y;
const CATALOG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
// What could end a line or reorder it; no snippet could hold such a name in one visible line.
const INVISIBLE = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/u;

/**
 * Reads `catalog.namespace.table`, with as many levels of namespaces as there are. A name that holds a dot stands in double
 * quotes or backticks, and holds them doubled: `default."my.ns".t`.
 * Throws commander's error for a bad value, naming what is accepted.
 */
export function readTableName(text: string): TableName {
  const parts = splitParts(text);
  const catalog = parts[0];
  const name = parts.at(-1);
  if (catalog === undefined || name === undefined || parts.length < 3) {
    throw new InvalidArgumentError('Give catalog, namespace and table, like default.sales.orders.');
  }
  if (!CATALOG.test(catalog)) throw new InvalidArgumentError(`No catalog can be called ${JSON.stringify(catalog)}.`);
  const namespace = parts.slice(1, -1);
  const impossible = [...namespace, name].find((part) => part === '.' || part === '..');
  if (impossible !== undefined) throw new InvalidArgumentError(`Nothing can be called ${JSON.stringify(impossible)}.`);
  return { text, catalog, namespace, name };
}

function splitParts(text: string): string[] {
  if (INVISIBLE.test(text)) throw new InvalidArgumentError('A name must not hold control characters.');
  const parts: string[] = [];
  const part = new RegExp(PART);
  for (let at = 0; ; at = part.lastIndex + 1) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (!match) throw misspelled(text, at);
    parts.push(match[1]?.replaceAll('""', '"') ?? match[2]?.replaceAll('``', '`') ?? match[3] ?? '');
    if (part.lastIndex === text.length) return parts;
    if (text[part.lastIndex] !== '.') throw misspelled(text, part.lastIndex);
  }
}

const misspelled = (text: string, at: number) =>
  new InvalidArgumentError(
    `A name is expected ${at === 0 ? 'at its beginning' : `after ${text.slice(0, at)}`}: names are separated by dots; ` +
      'put one that holds a dot into double quotes or backticks, like default."my.ns".t.',
  );
