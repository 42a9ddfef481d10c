import { PangolinError } from '@pangolin/shared/errors';
import {
  at,
  checkName,
  listOf,
  maybe,
  need,
  otherMembers,
  type Read,
  readFilledText,
  readInt32,
  readObject,
  readText,
  readTextMap,
  readTimestamp,
  refuse,
  refuseMoreThan,
  shown,
} from '../metadata/json-fields.ts';
import type { VersionLogEntry, ViewRepresentation, ViewVersion } from './view-metadata.ts';

const VERSION_MEMBERS = new Set([
  'version-id',
  'timestamp-ms',
  'schema-id',
  'summary',
  'default-catalog',
  'default-namespace',
  'representations',
]);
const REPRESENTATION_MEMBERS = new Set(['type', 'sql', 'dialect']);
const NO_NAMES: ReadonlySet<string> = new Set();

const isSql = ({ type }: ViewRepresentation): boolean => type.toLowerCase() === 'sql';

/** A version in the order Java writes it. The schema id may be -1; what a new one must hold is `checkViewVersion`'s. */
export const readViewVersion: Read<ViewVersion> = (value, where) => {
  const object = readObject(value, where);
  const catalog = maybe(object, 'default-catalog', where, readText);
  return {
    'version-id': need(object, 'version-id', where, readInt32),
    'timestamp-ms': need(object, 'timestamp-ms', where, readTimestamp),
    'schema-id': need(object, 'schema-id', where, readInt32),
    summary: maybe(object, 'summary', where, readTextMap) ?? readTextMap({}, where),
    ...(catalog !== undefined && { 'default-catalog': catalog }),
    'default-namespace': need(object, 'default-namespace', where, listOf(readText)),
    representations: need(object, 'representations', where, listOf(readRepresentation)),
    ...otherMembers(object, VERSION_MEMBERS, where),
  };
};

const readRepresentation: Read<ViewRepresentation> = (value, where) => {
  const object = readObject(value, where);
  const representation = { type: need(object, 'type', where, readFilledText) };
  // Of a type that a later specification adds nothing is known but its name.
  if (!isSql(representation)) return { ...representation, ...otherMembers(object, new Set(['type']), where) };
  return {
    ...representation,
    sql: need(object, 'sql', where, readText),
    dialect: need(object, 'dialect', where, readFilledText),
    ...otherMembers(object, REPRESENTATION_MEMBERS, where),
  };
};

/** Throws `invalid_request`. */
export const readVersionLogEntry: Read<VersionLogEntry> = (value, where) => {
  const object = readObject(value, where);
  return {
    ...otherMembers(object, NO_NAMES, where),
    'timestamp-ms': need(object, 'timestamp-ms', where, readTimestamp),
    'version-id': need(object, 'version-id', where, readInt32),
  };
};

/** The dialects a version has a query for, in lower case, as they compare. */
export const dialectsOf = ({ representations }: ViewVersion): string[] =>
  representations.flatMap((one) => (isSql(one) && one.dialect !== undefined ? [one.dialect.toLowerCase()] : []));

/** One for each dialect of SQL. */
const MAX_REPRESENTATIONS = 100;

/**
 * Refuses a new version with no query, with two for one dialect, or with names no catalog and no dialect can have.
 * Throws `invalid_request`.
 */
export function checkViewVersion(version: ViewVersion, where = 'view-version'): void {
  if (version['version-id'] < 0) refuse(`${at(where, 'version-id')} must not be negative.`);
  if (version.representations.length === 0) {
    refuse(`${at(where, 'representations')} must have a query, such as {"type": "sql", "sql": …, "dialect": "spark"}.`);
  }
  refuseMoreThan(MAX_REPRESENTATIONS, version.representations.length, 'representations of a view');
  if (version['default-catalog'] !== undefined) checkName(version['default-catalog'], at(where, 'default-catalog'));
  for (const level of version['default-namespace']) checkName(level, at(where, 'default-namespace'));
  const dialects = new Set<string>();
  for (const dialect of dialectsOf(version)) {
    checkName(dialect, at(where, 'dialect'));
    if (dialects.has(dialect)) {
      throw new PangolinError(
        'view_invalid',
        `Invalid view version: Cannot add multiple queries for dialect ${shown(dialect)}`,
      );
    }
    dialects.add(dialect);
  }
}
