import { PangolinError } from '@pangolin/shared/errors';
import { requireAccess } from '../policies/catalog-access.ts';
import { type Answer, answerJson, type IcebergEndpoint, type IcebergRequest, NO_CONTENT } from './answer.ts';
import { renameObject } from './drop.ts';
import { type Identifier, joinLevels, readIdentifier, readName } from './identifiers.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { readRequestedNamespace } from './namespaces.ts';
import type { ObjectFormat } from './object-format.ts';
import { readRequestedObject, requireKind, requireNamespace } from './objects.ts';
import { cutPage, readPage, withOneMore } from './page-token.ts';
import { listObjects, type ObjectKind } from './store.ts';

/** The operations that tables and views have alike: listing them, asking whether one is there, renaming one. */
export const createCommonEndpoints = <M>(format: ObjectFormat<M>): IcebergEndpoint[] => [
  {
    method: 'GET',
    path: `namespaces/{namespace}/${format.kind}s`,
    handle: (request) => answerList(request, format.kind),
  },
  {
    method: 'HEAD',
    path: `namespaces/{namespace}/${format.kind}s/{${format.kind}}`,
    async handle(request) {
      const { identifier, row } = await readRequestedObject(request, 'read');
      requireKind(format, identifier, row);
      return NO_CONTENT;
    },
  },
  {
    method: 'POST',
    path: `${format.kind}s/rename`,
    action: `${format.kind}.renamed`,
    async handle(request) {
      const { source, destination } = await readRename(request);
      await renameObject(request, format, source, destination);
      return NO_CONTENT;
    },
  },
];

/**
 * Reads what a request that creates something in a namespace calls it, once the caller is known to be let.
 * Throws `insufficient_scope` and `invalid_request`.
 */
export async function readNew(
  request: IcebergRequest,
  readItsName: (value: JsonValue | undefined, request: IcebergRequest) => string = (value) => readName(value),
): Promise<{ identifier: Identifier; body: JsonObject }> {
  const namespace = await readRequestedNamespace(request);
  requireAccess(request.caller.actor, 'write', request.catalog.name, namespace);
  const body = await request.readBody();
  const identifier = { namespace, name: readItsName(body.name, request) };
  request.about = identifier;
  return { identifier, body };
}

/** Reads a string that must be there. Throws `invalid_request`. */
export function readText(value: JsonValue | undefined, field: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new PangolinError('invalid_request', `The field '${field}' must be a string.`);
}

async function answerList(request: IcebergRequest, kind: ObjectKind): Promise<Answer> {
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

async function readRename(request: IcebergRequest): Promise<{ source: Identifier; destination: Identifier }> {
  const body = await request.readBody();
  const source = readIdentifier(body.source, 'source');
  request.about = source;
  const destination = readIdentifier(body.destination, 'destination');
  for (const { namespace } of [source, destination]) {
    requireAccess(request.caller.actor, 'write', request.catalog.name, namespace);
  }
  return { source, destination };
}
