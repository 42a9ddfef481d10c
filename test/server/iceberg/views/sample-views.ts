import type { JsonObject, JsonValue } from '../../../../packages/server/src/iceberg/json.ts';
import { createViewMetadata } from '../../../../packages/server/src/iceberg/views/create-view-metadata.ts';
import type { ViewMetadata } from '../../../../packages/server/src/iceberg/views/view-metadata.ts';
import { applyViewUpdates } from '../../../../packages/server/src/iceberg/views/view-updates.ts';

export const UUID = '5a4a0b1c-2f3d-4e5f-8a9b-0c1d2e3f4a5b';
export const LOCATION = 'file:///warehouse/ns/v';
export const NOW_MS = 1_790_000_000_000;
export const SENT_MS = 1_780_000_000_000;

export const SCHEMA: JsonObject = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 3, name: 'id', type: 'int', required: true, doc: 'unique ID' },
    { id: 4, name: 'data', type: 'string', required: true },
  ],
};
export const OTHER_SCHEMA: JsonObject = {
  type: 'struct',
  'schema-id': 0,
  fields: [{ id: 1, name: 'some_id', type: 'int', required: true }],
};

export const sqlOf = (sql: string, dialect: string): JsonObject => ({ type: 'sql', sql, dialect });

/** A version as engines send it. */
export const versionOf = (members: JsonObject = {}, ...representations: JsonObject[]): JsonObject => ({
  'version-id': 1,
  'timestamp-ms': SENT_MS,
  'schema-id': 0,
  summary: { 'engine-name': 'test' },
  'default-namespace': ['ns'],
  representations: representations.length > 0 ? representations : [sqlOf('select * from ns.tbl', 'trino')],
  ...members,
});

export const createRequest = (members: JsonObject = {}): JsonObject => ({
  name: 'v',
  schema: SCHEMA,
  'view-version': versionOf(),
  properties: {},
  ...members,
});

export const createView = (members: JsonObject = {}): ViewMetadata =>
  createViewMetadata(createRequest(members), { uuid: UUID, location: LOCATION, nowMs: NOW_MS });

export const apply = (base: ViewMetadata, ...updates: JsonValue[]): ViewMetadata =>
  applyViewUpdates(base, updates, { nowMs: NOW_MS });

/** What an engine sends to replace a view. */
export const replacing = (versionId: number, ...representations: JsonObject[]): JsonObject[] => [
  { action: 'add-view-version', 'view-version': versionOf({ 'version-id': versionId }, ...representations) },
  { action: 'set-current-view-version', 'view-version-id': -1 },
];
