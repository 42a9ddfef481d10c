import { PangolinError } from '@pangolin/shared/errors';
import { maySee, requireAccess, requireSight } from '../policies/catalog-access.ts';
import { answerJson, type IcebergEndpoint, type IcebergRequest, NO_CONTENT } from './answer.ts';
import { joinLevels, type Levels, readNamespace, readParent, splitLevels } from './identifiers.ts';
import type { JsonValue } from './json.ts';
import {
  createNamespace,
  dropNamespace,
  findFirstNamespace,
  readNamespaceProperties,
  readProperties,
  readRequestedNamespace,
  updateNamespace,
} from './namespaces.ts';
import { requireNamespace } from './objects.ts';
import { cutPage, readPage, withOneMore } from './page-token.ts';
import { listNamespaces } from './store.ts';

/** The operations on namespaces. */
export const NAMESPACE_ENDPOINTS: readonly IcebergEndpoint[] = [
  {
    method: 'GET',
    path: 'namespaces',
    async handle(request) {
      const { deps, caller, catalog, query } = request;
      const asked = query.get('parent');
      const parent = asked ? await findFirstNamespace(request, readParent(asked)) : [];
      requireSight(caller.actor, catalog.name, parent);
      if (parent.length > 0) await requireNamespace(deps.db.read, request, parent);
      const page = readPage(query, `namespaces ${catalog.catalogId} ${joinLevels(parent)}`);
      const found = await listNamespaces(deps.db.read, catalog, joinLevels(parent), withOneMore(page));
      const { rows, nextPageToken } = cutPage(page, found, (row) => row.path);
      const namespaces = rows
        .map((row) => splitLevels(row.path))
        .filter((levels) => maySee(caller.actor, catalog.name, levels));
      return answerJson({ namespaces, 'next-page-token': nextPageToken });
    },
  },
  {
    method: 'POST',
    path: 'namespaces',
    action: 'namespace.created',
    async handle(request) {
      const body = await request.readBody();
      const levels = readNamespace(body.namespace);
      requireAccess(request.caller.actor, 'write', request.catalog.name, levels);
      const properties = readProperties(body.properties);
      await createNamespace(request, levels, properties);
      return answerJson({ namespace: levels, properties });
    },
  },
  {
    method: 'GET',
    path: 'namespaces/{namespace}',
    async handle(request) {
      const namespace = await readAccessible(request, 'read');
      return answerJson({ namespace, properties: await readNamespaceProperties(request, namespace) });
    },
  },
  {
    method: 'HEAD',
    path: 'namespaces/{namespace}',
    async handle(request) {
      const namespace = await readRequestedNamespace(request);
      requireSight(request.caller.actor, request.catalog.name, namespace);
      await requireNamespace(request.deps.db.read, request, namespace);
      return NO_CONTENT;
    },
  },
  {
    method: 'DELETE',
    path: 'namespaces/{namespace}',
    action: 'namespace.dropped',
    async handle(request) {
      await dropNamespace(request, await readAccessible(request, 'write'));
      return NO_CONTENT;
    },
  },
  {
    method: 'POST',
    path: 'namespaces/{namespace}/properties',
    action: 'namespace.updated',
    async handle(request) {
      const namespace = await readAccessible(request, 'write');
      const body = await request.readBody();
      const updates = readProperties(body.updates, 'updates');
      return answerJson(await updateNamespace(request, namespace, { updates, removals: readRemovals(body.removals) }));
    },
  },
];

async function readAccessible(request: IcebergRequest, action: 'read' | 'write'): Promise<Levels> {
  const namespace = await readRequestedNamespace(request);
  requireAccess(request.caller.actor, action, request.catalog.name, namespace);
  return namespace;
}

function readRemovals(value: JsonValue | undefined): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw new PangolinError('invalid_request', "The field 'removals' must be a list of property names.");
}
