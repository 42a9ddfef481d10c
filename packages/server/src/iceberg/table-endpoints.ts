import { PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import { requireAccess } from '../policies/catalog-access.ts';
import { type Answer, answerJson, type IcebergEndpoint, type IcebergRequest, NO_CONTENT } from './answer.ts';
import { renameObject } from './drop.ts';
import { dropTable } from './drop-table.ts';
import { type Identifier, joinLevels, readIdentifier, readName } from './identifiers.ts';
import type { JsonValue } from './json.ts';
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
import { readRequestedNamespace } from './namespaces.ts';
import { readRequestedObject, requireKind, requireNamespace } from './objects.ts';
import { cutPage, readPage, withOneMore } from './page-token.ts';
import { listObjects, type ObjectKind } from './store.ts';
import { commitTable, createTable, registerTable, stageTable, TABLE_FORMAT } from './tables.ts';
import { commitTransaction } from './transactions.ts';

/** The operations on tables, and transactions over several of them. */
export const TABLE_ENDPOINTS: readonly IcebergEndpoint[] = [
  { method: 'GET', path: 'namespaces/{namespace}/tables', handle: (request) => answerList(request, 'table') },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/tables',
    action: 'table.created',
    async handle(request) {
      const namespace = await readWritableNamespace(request);
      const body = await request.readBody();
      const identifier = { namespace, name: readName(body.name) };
      request.about = identifier;
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
    method: 'HEAD',
    path: 'namespaces/{namespace}/tables/{table}',
    async handle(request) {
      const { identifier, row } = await readRequestedObject(request, 'read');
      requireKind(TABLE_FORMAT, identifier, row);
      return NO_CONTENT;
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/tables/{table}',
    action: 'table.updated',
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
      const namespace = await readWritableNamespace(request);
      const body = await request.readBody();
      const identifier = { namespace, name: readName(body.name) };
      request.about = identifier;
      const location = readText(body['metadata-location'], 'metadata-location');
      const file = await registerTable(request, identifier, { location, overwrite: body.overwrite === true });
      return answerCreated(request, identifier, file);
    },
  },
  {
    method: 'POST',
    path: 'tables/rename',
    action: 'table.renamed',
    async handle(request) {
      const { source, destination } = await readRename(request);
      await renameObject(request, TABLE_FORMAT, source, destination);
      return NO_CONTENT;
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
    async handle(request) {
      await commitTransaction(request);
      return NO_CONTENT;
    },
  },
];

/** Lists the tables or views of a namespace. */
export async function answerList(request: IcebergRequest, kind: ObjectKind): Promise<Answer> {
  const { deps, caller, catalog, query } = request;
  const namespace = await readRequestedNamespace(request);
  requireAccess(caller.actor, 'read', catalog.name, namespace);
  await requireNamespace(deps.db.read, request, namespace);
  const path = joinLevels(namespace);
  const page = readPage(query, `${kind}s ${catalog.catalogId} ${path}`);
  const found = await listObjects(deps.db.read, catalog, kind, path, withOneMore(page));
  const { rows, nextPageToken } = cutPage(page, found, (row) => row.name);
  return answerJson({ identifiers: rows.map(({ name }) => ({ namespace, name })), 'next-page-token': nextPageToken });
}

/** The namespace of a request that creates something in it. Throws `insufficient_scope`. */
export async function readWritableNamespace(request: IcebergRequest) {
  const namespace = await readRequestedNamespace(request);
  requireAccess(request.caller.actor, 'write', request.catalog.name, namespace);
  return namespace;
}

/** Reads a RenameTableRequest that the caller may make. */
export async function readRename(request: IcebergRequest) {
  const body = await request.readBody();
  const source = readIdentifier(body.source, 'source');
  request.about = source;
  const destination = readIdentifier(body.destination, 'destination');
  for (const { namespace } of [source, destination]) {
    requireAccess(request.caller.actor, 'write', request.catalog.name, namespace);
  }
  return { source, destination };
}

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

/** Reads a string that must be there. Throws `invalid_request`. */
export function readText(value: JsonValue | undefined, field: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new PangolinError('invalid_request', `The field '${field}' must be a string.`);
}

/** `True` and `FALSE` are what Python writes. Throws `invalid_request`. */
function readFlag(query: URLSearchParams, name: string): boolean {
  const value = (query.get(name) || 'false').toLowerCase();
  if (value === 'true' || value === 'false') return value === 'true';
  throw new PangolinError('invalid_request', `${name} must be true or false.`);
}
