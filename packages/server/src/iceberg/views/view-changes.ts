import { isObject, stringifyJson } from '../json.ts';
import { checkSchema } from '../metadata/check-schema.ts';
import { MAX_INT32, refuse, shown, toRecord } from '../metadata/json-fields.ts';
import { KeyedList } from '../metadata/keyed-list.ts';
import { columnsOf } from '../metadata/schema-columns.ts';
import type { Schema } from '../metadata/table-metadata.ts';
import { schemaKey } from '../metadata/write-table-metadata.ts';
import { checkViewVersion, dialectsOf } from './read-view-version.ts';
import type { ViewMetadata, ViewVersion } from './view-metadata.ts';

/** A view while updates are applied to it. */
export interface ViewDraft {
  readonly start: ViewMetadata;
  location: string;
  readonly properties: Map<string, string>;
  readonly schemas: KeyedList<number, Schema>;
  readonly versions: KeyedList<number, ViewVersion>;
  currentVersionId: number;
  /** What -1 stands for. */
  lastSchemaId: number | null;
  lastVersionId: number | null;
  readonly addedVersionIds: Set<number>;
  /** Whether anything is different from the start. */
  isChanged: boolean;
  /** What is found by searching the lists, made when first needed. */
  readonly indexes: {
    schemaIds?: Map<string, number>;
    versionIds?: Map<string, number>;
    next: { schemas?: number; versions?: number };
  };
}

/** In an update: what was added last. */
const LAST_ADDED = -1;
/** A view has no data, so no types are beyond it. */
const LATEST_TYPES = 3;
const DROP_ALLOWED = 'replace.drop-dialect.allowed';
const HISTORY = 'version.history.num-entries';
const DEFAULT_HISTORY = 10;

/** Begins with what is there, and with nothing added. */
export const startDraft = (start: ViewMetadata): ViewDraft => ({
  start,
  location: start.location,
  properties: new Map(Object.entries(start.properties)),
  schemas: new KeyedList(start.schemas, (schema) => schema['schema-id']),
  versions: new KeyedList(start.versions, (version) => version['version-id']),
  currentVersionId: start['current-version-id'],
  lastSchemaId: null,
  lastVersionId: null,
  addedVersionIds: new Set(),
  isChanged: false,
  indexes: { next: {} },
});

/** Stores a schema under the next id, or finds it if it is there. Column ids stay. Throws `invalid_request`. */
export function addSchema(draft: ViewDraft, schema: Schema, where: string): void {
  checkSchema(schema, LATEST_TYPES, where);
  for (const id of columnsOf(schema).keys()) if (id < 0) refuse(`${where}: the field id ${id} is negative.`);
  const { indexes, schemas } = draft;
  indexes.schemaIds ??= indexOf(schemas.elements(), schemaKey, (one) => one['schema-id']);
  const key = schemaKey(schema);
  const id = indexes.schemaIds.get(key) ?? nextId(draft, 'schemas', 0);
  draft.lastSchemaId = id;
  if (schemas.has(id)) return;
  schemas.put({ ...schema, 'schema-id': id });
  indexes.schemaIds.set(key, id);
  draft.isChanged = true;
}

/**
 * Adds a version under the id it was sent with, or the next one where that is not above all others; the id of an equal
 * version is used again. Throws `invalid_request`.
 */
export function addVersion(draft: ViewDraft, sent: ViewVersion, where: string): void {
  checkViewVersion(sent, where);
  const { indexes, schemas, versions } = draft;
  const schemaId = sent['schema-id'] === LAST_ADDED ? draft.lastSchemaId : sent['schema-id'];
  if (schemaId === null) refuse('Cannot set last added schema: no schema has been added');
  if (!schemas.has(schemaId)) refuse(`Cannot add version with unknown schema: ${schemaId}`);
  const version = { ...sent, 'schema-id': schemaId };
  indexes.versionIds ??= indexOf(versions.elements(), versionKey, (one) => one['version-id']);
  const key = versionKey(version);
  const id = indexes.versionIds.get(key) ?? nextId(draft, 'versions', sent['version-id']);
  draft.lastVersionId = id;
  if (versions.has(id)) return;
  versions.put({ ...version, 'version-id': id });
  indexes.versionIds.set(key, id);
  draft.addedVersionIds.add(id);
  draft.isChanged = true;
}

/** Makes a version the current one. Throws `invalid_request`. */
export function setCurrentVersion(draft: ViewDraft, sent: number): void {
  const id = sent === LAST_ADDED ? draft.lastVersionId : sent;
  if (id === null) refuse('Cannot set last version id: no current version id has been set');
  if (draft.currentVersionId === id) return;
  if (!draft.versions.has(id)) refuse(`Cannot set current version to unknown version: ${id}`);
  draft.currentVersionId = id;
  draft.isChanged = true;
}

/**
 * The next metadata of a view, or the base itself when nothing changed: logs a new current version, refuses the loss of a
 * dialect, and drops versions beyond those to keep. Throws `invalid_request`.
 */
export function finishDraft(draft: ViewDraft, base: ViewMetadata | null, nowMs: number): ViewMetadata {
  if (base !== null && !draft.isChanged) return base;
  const { start, addedVersionIds } = draft;
  const metadata: ViewMetadata = {
    ...start,
    location: draft.location,
    properties: toRecord(draft.properties),
    schemas: draft.schemas.toList(),
    versions: draft.versions.toList(),
    'current-version-id': draft.currentVersionId,
  };
  const current = currentVersionOf(metadata);
  if (base) refuseLostDialects(dialectsOf(currentVersionOf(base)), dialectsOf(current), metadata.properties);
  const id = current['version-id'];
  // A version that becomes current again does so now.
  const sinceMs = addedVersionIds.has(id) ? current['timestamp-ms'] : nowMs;
  const log = metadata['version-log'];
  const hasMoved = base?.['current-version-id'] !== id;
  return keepRecent(
    hasMoved ? { ...metadata, 'version-log': [...log, { 'timestamp-ms': sinceMs, 'version-id': id }] } : metadata,
    new Set([...addedVersionIds, id]).size,
  );
}

/** Drops the oldest versions, and what the log has up to the last of them. */
function keepRecent(metadata: ViewMetadata, atLeast: number): ViewMetadata {
  const { versions, 'current-version-id': currentId } = metadata;
  const others = versions.map((one) => one['version-id']).filter((id) => id !== currentId);
  const keep = Math.max(atLeast, readHistorySize(metadata.properties)) - 1;
  if (others.length <= keep) return metadata;
  const kept = new Set([currentId, ...others.sort((a, b) => b - a).slice(0, keep)]);
  const log = metadata['version-log'];
  const cut = log.findLastIndex((entry) => !kept.has(entry['version-id']));
  return {
    ...metadata,
    versions: versions.filter((one) => kept.has(one['version-id'])),
    'version-log': log.slice(cut + 1),
  };
}

function readHistorySize(properties: ViewMetadata['properties']): number {
  const text = properties[HISTORY];
  if (text === undefined) return DEFAULT_HISTORY;
  if (!/^[+-]?\d{1,9}$/.test(text)) return refuse(`${HISTORY} must be a whole number`);
  return Number(text) > 0 ? Number(text) : refuse(`${HISTORY} must be positive but was ${text}`);
}

function refuseLostDialects(before: string[], after: string[], properties: ViewMetadata['properties']): void {
  const kept = new Set(after);
  if (properties[DROP_ALLOWED]?.toLowerCase() === 'true' || before.every((one) => kept.has(one))) return;
  refuse(
    `Cannot replace view due to loss of view dialects (${DROP_ALLOWED}=false):\n` +
      `Previous dialects: [${shown(before.join(', '))}]\nNew dialects: [${shown(after.join(', '))}]`,
  );
}

function currentVersionOf(metadata: ViewMetadata): ViewVersion {
  const id = metadata['current-version-id'];
  return (
    metadata.versions.find((one) => one['version-id'] === id) ?? refuse('Invalid view: no current version was set')
  );
}

/** The wanted id if it is above all others, else the one after the highest. */
function nextId(draft: ViewDraft, list: 'schemas' | 'versions', wanted: number): number {
  const { next } = draft.indexes;
  let id = Math.max(wanted, next[list] ?? 0);
  if (next[list] === undefined) for (const taken of draft[list].keys()) id = Math.max(id, taken + 1);
  if (id > MAX_INT32) refuse(`There is no ${list.slice(0, -1)} id above ${MAX_INT32}.`);
  next[list] = id + 1;
  return id;
}

/** The first of equal elements counts. */
const indexOf = <T>(elements: Iterable<T>, keyOf: (element: T) => string, idOf: (element: T) => number) =>
  new Map([...elements].reverse().map((one) => [keyOf(one), idOf(one)]));

/** Equal for versions that differ in nothing but their id and time. */
const versionKey = ({ 'version-id': _, 'timestamp-ms': __, ...content }: ViewVersion): string =>
  stringifyJson(sortMembers(content));

function sortMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortMembers);
  if (!isObject(value)) return value;
  return toRecord(
    Object.keys(value)
      .sort()
      .map((name) => [name, sortMembers(value[name])]),
  );
}
