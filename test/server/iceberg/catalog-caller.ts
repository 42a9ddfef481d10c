import { expect } from 'vitest';
import type { TestCaller } from '../harness.ts';

/** A schema with one column, `id: long`. */
export const SCHEMA = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] };

export interface Loaded {
  'metadata-location': string;
  metadata: {
    'table-uuid': string;
    location: string;
    properties: Record<string, string>;
    [field: string]: unknown;
  };
  config: Record<string, string>;
}

interface Answered {
  status: number;
  headers: Headers;
  text: string;
  json: unknown;
}

/** Asks the Iceberg REST API of one catalog as somebody. */
export function createCatalogCaller(caller: TestCaller, base = '/v1/default/v1') {
  const send = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answered> =>
    caller.send(method, `${base}/${path}`, {
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });

  return {
    send,
    /** Expects success. */
    async ok<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
      const { status, text, json } = await send(method, path, body, headers);
      expect([200, 204], text).toContain(status);
      return json as T;
    },
    /** Expects an error in Iceberg's shape, and answers what it says: `404 NoSuchTableException Table does not …`. */
    async refused(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<string> {
      const { status, text, json, headers: answered } = await send(method, path, body, headers);
      expect(answered.get('content-type'), text).toBe('application/json');
      const { error } = json as { error: { message: string; type: string; code: number } };
      expect(json, text).toEqual({ error: { message: expect.any(String), type: expect.any(String), code: status } });
      return `${status} ${error.type} ${error.message}`;
    },
  };
}

export type CatalogCaller = ReturnType<typeof createCatalogCaller>;

/** Creates a namespace and, in it, a table with one column. */
export async function createTestTable(catalog: CatalogCaller, namespace = 'ns', name = 'tbl', more: object = {}) {
  await catalog.send('POST', 'namespaces', { namespace: [namespace] });
  return catalog.ok<Loaded>('POST', `namespaces/${namespace}/tables`, { name, schema: SCHEMA, ...more });
}

/** An add-snapshot update, and the one that makes it current. */
export const appendSnapshot = (location: string, id: bigint | number, sequence: number, parent?: bigint | number) => {
  const parts = [
    `"snapshot-id":${id}`,
    ...(parent === undefined ? [] : [`"parent-snapshot-id":${parent}`]),
    `"sequence-number":${sequence}`,
    '"timestamp-ms":1795348800000',
    `"manifest-list":"${location}/metadata/snap-${id}.avro"`,
    '"summary":{"operation":"append"}',
    '"schema-id":0',
  ];
  return `{"action":"add-snapshot","snapshot":{${parts}}},{"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":${id}}`;
};
