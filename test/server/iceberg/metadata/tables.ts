import { PangolinError } from '@pangolin/shared/errors';
import { expect } from 'vitest';
import { type JsonObject, type JsonValue, parseJson } from '../../../../packages/server/src/iceberg/json.ts';
import { applyUpdates } from '../../../../packages/server/src/iceberg/metadata/apply-updates.ts';
import { createTableMetadata } from '../../../../packages/server/src/iceberg/metadata/create-table-metadata.ts';
import type { TableMetadata } from '../../../../packages/server/src/iceberg/metadata/table-metadata.ts';

export const UUID = '9c12d441-03fe-4693-9a96-a0705ddf69c1';
export const LOCATION = 'file:///warehouse/ns/t';
export const NOW_MS = 1_760_000_000_000;

export const SCHEMA: JsonObject = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'id', required: true, type: 'long' },
    { id: 2, name: 'name', required: false, type: 'string' },
    { id: 3, name: 'at', required: false, type: 'timestamptz' },
  ],
};

export const createTable = (request: JsonObject = {}): TableMetadata =>
  createTableMetadata({ schema: SCHEMA, ...request }, { uuid: UUID, location: LOCATION, nowMs: NOW_MS });

export const createVersion = (version: 1 | 2 | 3): TableMetadata =>
  createTable({ properties: { 'format-version': String(version) } });

export const GIVEN = {
  nowMs: NOW_MS + 1000,
  newUuid: '11111111-2222-4333-8444-555555555555',
  defaultLocation: 'file:///warehouse/ns/default/',
  baseLocation: `${LOCATION}/metadata/00000-a.metadata.json`,
};

export const apply = (base: TableMetadata | null, ...updates: JsonValue[]): TableMetadata =>
  applyUpdates(base, updates, { ...GIVEN, baseLocation: base === null ? null : GIVEN.baseLocation });

export const snapshot = (id: number | bigint, more: JsonObject = {}): JsonObject => ({
  'snapshot-id': id,
  'timestamp-ms': NOW_MS + Number(id),
  'manifest-list': `${LOCATION}/metadata/snap-${id}.avro`,
  summary: { operation: 'append' },
  'sequence-number': id,
  ...more,
});

export const addSnapshot = (id: number | bigint, more: JsonObject = {}): JsonObject => ({
  action: 'add-snapshot',
  snapshot: snapshot(id, more),
});

export const setRef = (name: string, id: number | bigint, more: JsonObject = {}): JsonObject => ({
  action: 'set-snapshot-ref',
  'ref-name': name,
  type: 'branch',
  'snapshot-id': id,
  ...more,
});

/** What JSON text gives, as it arrives over the wire. */
export const json = (text: string): JsonObject => parseJson(text) as JsonObject;

/** Expects a refusal of one code whose message has some text. */
export function expectRefusal(act: () => unknown, message: string | RegExp, code = 'invalid_request'): void {
  let error: unknown;
  try {
    act();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(PangolinError);
  expect((error as PangolinError).code).toBe(code);
  if (typeof message === 'string') expect((error as PangolinError).message).toContain(message);
  else expect((error as PangolinError).message).toMatch(message);
}

/** Makes sure that nothing of it can be changed. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
