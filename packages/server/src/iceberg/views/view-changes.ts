import { isDeepStrictEqual } from 'node:util';
import { checkSchema } from '../metadata/check-schema.ts';
import { MAX_INT32, refuse, shown } from '../metadata/json-fields.ts';
import { columnsOf } from '../metadata/schema-columns.ts';
import type { Schema } from '../metadata/table-metadata.ts';
import { schemaKey } from '../metadata/write-table-metadata.ts';
import { checkViewVersion, dialectsOf } from './read-view-version.ts';
import type { ViewMetadata, ViewVersion } from './view-metadata.ts';

/** A view in the middle of a commit; `metadata` is the base itself until something has changed. */
export interface ViewDraft {
  readonly metadata: ViewMetadata;
  /** What -1 stands for. */
  readonly lastSchemaId: number | null;
  readonly lastVersionId: number | null;
  /** Versions that this commit added. */
  readonly addedVersionIds: readonly number[];
}

/** In an update: what was added last. */
const LAST_ADDED = -1;
/** A view has no data, so no types are beyond it. */
const LATEST_TYPES = 3;
const DROP_ALLOWED = 'replace.drop-dialect.allowed';
const HISTORY = 'version.history.num-entries';
const DEFAULT_HISTORY = 10;

/** Begins with what is there, and with nothing added. */
export const startDraft = (metadata: ViewMetadata): ViewDraft => ({
  metadata,
  lastSchemaId: null,
  lastVersionId: null,
  addedVersionIds: [],
});

/** Stores a schema under the next id, or finds it if it is there. Column ids stay. Throws `invalid_request`. */
export function addSchema(draft: ViewDraft, schema: Schema, where: string): ViewDraft {
  checkSchema(schema, LATEST_TYPES, where);
  for (const id of columnsOf(schema).keys()) if (id < 0) refuse(`${where}: the field id ${id} is negative.`);
  const { schemas } = draft.metadata;
  const key = schemaKey(schema);
  const same = schemas.find((one) => schemaKey(one) === key);
  if (same) return { ...draft, lastSchemaId: same['schema-id'] };
  const id = nextId(
    schemas.map((one) => one['schema-id']),
    0,
    'schema',
  );
  const metadata = { ...draft.metadata, schemas: [...schemas, { ...schema, 'schema-id': id }] };
  return { ...draft, metadata, lastSchemaId: id };
}

/**
 * Adds a version under the id it was sent with, or the next one where that is not above all others; the id of an equal
 * version is used again. Throws `invalid_request`.
 */
export function addVersion(draft: ViewDraft, sent: ViewVersion, where: string): ViewDraft {
  checkViewVersion(sent, where);
  const { schemas, versions } = draft.metadata;
  const schemaId = sent['schema-id'] === LAST_ADDED ? draft.lastSchemaId : sent['schema-id'];
  if (schemaId === null) return refuse('Cannot set last added schema: no schema has been added');
  if (!schemas.some((schema) => schema['schema-id'] === schemaId)) {
    refuse(`Cannot add version with unknown schema: ${schemaId}`);
  }
  const version = { ...sent, 'schema-id': schemaId };
  const same = versions.find((one) => isSameVersion(one, version));
  if (same) return { ...draft, lastVersionId: same['version-id'] };
  const id = nextId(
    versions.map((one) => one['version-id']),
    sent['version-id'],
    'version',
  );
  return {
    ...draft,
    metadata: { ...draft.metadata, versions: [...versions, { ...version, 'version-id': id }] },
    lastVersionId: id,
    addedVersionIds: [...draft.addedVersionIds, id],
  };
}

/** Makes a version the current one. Throws `invalid_request`. */
export function setCurrentVersion(draft: ViewDraft, sent: number): ViewDraft {
  const id = sent === LAST_ADDED ? draft.lastVersionId : sent;
  if (id === null) return refuse('Cannot set last version id: no current version id has been set');
  if (draft.metadata['current-version-id'] === id) return draft;
  if (!draft.metadata.versions.some((one) => one['version-id'] === id)) {
    refuse(`Cannot set current version to unknown version: ${id}`);
  }
  return { ...draft, metadata: { ...draft.metadata, 'current-version-id': id } };
}

/**
 * The next metadata of a view, or the base itself when nothing changed: logs a new current version, refuses the loss of a
 * dialect, and drops versions beyond those to keep. Throws `invalid_request`.
 */
export function finishDraft(
  { metadata, addedVersionIds }: ViewDraft,
  base: ViewMetadata | null,
  nowMs: number,
): ViewMetadata {
  if (metadata === base) return base;
  const current = currentVersionOf(metadata);
  if (base) refuseLostDialects(dialectsOf(currentVersionOf(base)), dialectsOf(current), metadata.properties);
  const id = current['version-id'];
  // A version that becomes current again does so now.
  const sinceMs = addedVersionIds.includes(id) ? current['timestamp-ms'] : nowMs;
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
  if (properties[DROP_ALLOWED]?.toLowerCase() === 'true' || before.every((one) => after.includes(one))) return;
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
function nextId(taken: readonly number[], wanted: number, what: string): number {
  const id = taken.reduce((next, one) => Math.max(next, one + 1), wanted);
  return id <= MAX_INT32 ? id : refuse(`There is no ${what} id above ${MAX_INT32}.`);
}

/** Whether two versions differ in nothing but their id and time. */
const isSameVersion = (one: ViewVersion, other: ViewVersion): boolean =>
  isDeepStrictEqual({ ...one, 'version-id': 0, 'timestamp-ms': 0 }, { ...other, 'version-id': 0, 'timestamp-ms': 0 });
