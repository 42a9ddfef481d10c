import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Answer, bearer, request } from './request.ts';

type Fields = Record<string, unknown>;

interface Metadata {
  'table-uuid': string;
  location: string;
  properties: Record<string, string>;
  snapshots: { 'snapshot-id': number; 'parent-snapshot-id'?: number; 'sequence-number': number }[];
  'current-snapshot-id': number;
  'last-sequence-number': number;
  'metadata-log': { 'timestamp-ms': number; 'metadata-file': string }[];
}

export interface Table {
  'metadata-location': string;
  metadata: Metadata;
}

/** A commit to one table, as a transaction names it. */
export interface TableChange {
  table: string;
  requirements?: Fields[];
  updates: Fields[];
}

export interface IcebergClient {
  createNamespace(): Promise<Answer>;
  createTable(name: string, properties?: Record<string, string>): Promise<Answer>;
  commit(change: TableChange): Promise<Answer>;
  /** Several commits, all or none. */
  commitTogether(changes: TableChange[]): Promise<Answer>;
  load(table: string): Promise<Answer>;
  /** The table, after every file that its metadata leads to was read. */
  readSound(table: string): Promise<Table>;
}

const NAMESPACE = 'kills';

/** The tables of one namespace in the default catalog, over plain HTTP; `origin` is asked anew for every request. */
export function createIcebergClient(origin: () => string, token: string): IcebergClient {
  const headers = bearer(token);
  const send = (path: string, json?: object) =>
    request(`${origin()}/v1/default/${path}`, json ? { headers, json } : { headers });
  const tables = `namespaces/${NAMESPACE}/tables`;
  const load = (table: string) => send(`${tables}/${table}`);

  return {
    createNamespace: () => send('namespaces', { namespace: [NAMESPACE] }),
    createTable: (name, properties = {}) => send(tables, { name, schema: SCHEMA, properties }),
    commit: ({ table, requirements = [], updates }) => send(`${tables}/${table}`, { requirements, updates }),
    commitTogether: (changes) =>
      send('transactions/commit', {
        'table-changes': changes.map(({ table, requirements = [], updates }) => ({
          identifier: { namespace: [NAMESPACE], name: table },
          requirements,
          updates,
        })),
      }),
    load,
    async readSound(name) {
      const answer = await load(name);
      expect({ name, status: answer.status, text: answer.text }).toMatchObject({ name, status: 200 });
      const table: Table = JSON.parse(answer.text);
      expect(await readMetadataFile(table['metadata-location'])).toEqual(table.metadata);
      for (const entry of table.metadata['metadata-log']) {
        const before = await readMetadataFile(entry['metadata-file']);
        expect(before['table-uuid']).toBe(table.metadata['table-uuid']);
      }
      return table;
    },
  };
}

const SCHEMA = { type: 'struct', fields: [{ id: 1, name: 'id', type: 'long', required: false }] };

const readMetadataFile = async (location: string): Promise<Metadata> =>
  JSON.parse(await readFile(fileURLToPath(location), 'utf8'));

export const setProperties = (updates: Record<string, string>) => ({ action: 'set-properties', updates });

/** What an append commits, made from the table as it was read: it holds only for as long as nobody else has appended. */
export function appendTo(table: string, { metadata }: Table, id: number): TableChange {
  const parent = metadata.snapshots.find((one) => one['snapshot-id'] === metadata['current-snapshot-id']);
  const parentId = parent?.['snapshot-id'] ?? null;
  const snapshot = {
    'snapshot-id': id,
    ...(parentId !== null && { 'parent-snapshot-id': parentId }),
    'sequence-number': metadata['last-sequence-number'] + 1,
    'timestamp-ms': Date.now(),
    'manifest-list': `${metadata.location}/metadata/snap-${id}.avro`,
    summary: { operation: 'append' },
    'schema-id': 0,
  };
  return {
    table,
    requirements: [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': parentId }],
    updates: [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': id },
    ],
  };
}

/** Of a sound table: its snapshots, oldest first, which must be one line of ancestors. */
export function readHistory({ metadata }: Table): number[] {
  const history: number[] = [];
  const byId = new Map(metadata.snapshots.map((one) => [one['snapshot-id'], one]));
  let one = byId.get(metadata['current-snapshot-id']);
  while (one) {
    history.unshift(one['snapshot-id']);
    one = byId.get(one['parent-snapshot-id'] ?? 0);
  }
  expect(metadata.snapshots.map((snapshot) => snapshot['snapshot-id'])).toEqual(history);
  return history;
}
