import { PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import { type IcebergEndpoint, type IcebergRequest, NO_CONTENT } from './answer.ts';
import { MAX_COMMIT_BYTES } from './body-budget.ts';
import { dropTable } from './drop-table.ts';
import type { Identifier } from './identifiers.ts';
import {
  answerCommitted,
  answerCreated,
  answerCredentials,
  answerLoad,
  answerStaged,
  readSnapshotMode,
} from './load-answer.ts';
import type { TableMetadata } from './metadata/table-metadata.ts';
import type { MetadataFile } from './metadata-files.ts';
import { createCommonEndpoints, readNew, readText } from './object-endpoints.ts';
import { readRequestedObject, requireKind } from './objects.ts';
import { commitTable, createTable, registerTable, stageTable, TABLE_FORMAT } from './tables.ts';
import { commitTransaction } from './transactions.ts';

/** The operations on tables, and transactions over several of them. */
export const TABLE_ENDPOINTS: readonly IcebergEndpoint[] = [
  ...createCommonEndpoints(TABLE_FORMAT),
  {
    method: 'POST',
    path: 'namespaces/{namespace}/tables',
    action: 'table.created',
    maxBodyBytes: MAX_COMMIT_BYTES,
    async handle(request) {
      const { identifier, body } = await readNew(request);
      if (body['stage-create'] === true) {
        return answerStaged(request, identifier, await stageTable(request, identifier, body));
      }
      const file = await createTable(request, identifier, body);
      return answerCreated(request, identifier, file);
    },
  },
  {
    method: 'GET',
    path: 'namespaces/{namespace}/tables/{table}',
    handle(request) {
      const mode = readSnapshotMode(request.query);
      const loaded = loadTable(request);
      return loaded instanceof Promise
        ? loaded.then(({ identifier, file }) => answerLoad(request, identifier, file, mode))
        : answerLoad(request, loaded.identifier, loaded.file, mode);
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/tables/{table}',
    action: 'table.updated',
    maxBodyBytes: MAX_COMMIT_BYTES,
    async handle(request) {
      const { identifier } = await readRequestedObject(request, 'write');
      const file = await commitTable(request, identifier, await request.readBody());
      return answerCommitted(file);
    },
  },
  {
    method: 'DELETE',
    path: 'namespaces/{namespace}/tables/{table}',
    action: 'table.dropped',
    async handle(request) {
      const { identifier } = await readRequestedObject(request, 'write');
      await dropTable(request, identifier, { purge: readFlag(request.query, 'purgeRequested') });
      return NO_CONTENT;
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/register',
    action: 'table.registered',
    async handle(request) {
      const { identifier, body } = await readNew(request);
      const location = readText(body['metadata-location'], 'metadata-location');
      const file = await registerTable(request, identifier, { location, overwrite: body.overwrite === true });
      return answerCreated(request, identifier, file);
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/tables/{table}/metrics',
    async handle(request) {
      const { identifier, row } = await readRequestedObject(request, 'read');
      requireKind(TABLE_FORMAT, identifier, row);
      return NO_CONTENT;
    },
  },
  {
    method: 'GET',
    path: 'namespaces/{namespace}/tables/{table}/credentials',
    async handle(request) {
      const { identifier, file } = await loadTable(request);
      return answerCredentials(request, identifier, file.metadata);
    },
  },
  {
    method: 'POST',
    path: 'transactions/commit',
    action: 'table.updated',
    maxBodyBytes: MAX_COMMIT_BYTES,
    async handle(request) {
      await commitTransaction(request);
      return NO_CONTENT;
    },
  },
];

interface LoadedTable {
  identifier: Identifier;
  file: MetadataFile<TableMetadata>;
}

/** Without a promise where everything is known already, which is nearly always. */
function loadTable(request: IcebergRequest): MaybePromise<LoadedTable> {
  const { deps, catalog } = request;
  const read = ({ identifier, row }: Awaited<ReturnType<typeof readRequestedObject>>): MaybePromise<LoadedTable> => {
    requireKind(TABLE_FORMAT, identifier, row);
    const file = deps.iceberg.files.read(catalog.warehouse, TABLE_FORMAT, row.metadata_location);
    return file instanceof Promise ? file.then((later) => ({ identifier, file: later })) : { identifier, file };
  };
  const requested = readRequestedObject(request, 'read');
  return requested instanceof Promise ? requested.then(read) : read(requested);
}

/** `True` and `FALSE` are what Python writes. Throws `invalid_request`. */
function readFlag(query: URLSearchParams, name: string): boolean {
  const value = (query.get(name) || 'false').toLowerCase();
  if (value === 'true' || value === 'false') return value === 'true';
  throw new PangolinError('invalid_request', `${name} must be true or false.`);
}
