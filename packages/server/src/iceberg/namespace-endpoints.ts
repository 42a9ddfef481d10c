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
import { listNamespaces, type Window } from './store.ts';

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
      const found = await listVisible(request, parent, withOneMore(page));
      const { rows, nextPageToken } = cutPage(page, found, joinLevels);
      return answerJson({ namespaces: rows, 'next-page-token': nextPageToken });
    },
  },
  {
    method: 'POST',
    path: 'namespaces',
    action: 'namespace.created',
    async handle(request) {
      const body = await request.readBody();
      const levels = readNamespace(body.namespace);
      request.about = levels;
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

/** Of the namespaces in one, those that may be named to the caller. What was left out shows in no page token either. */
async function listVisible(
  { deps, caller, catalog }: IcebergRequest,
  parent: Levels,
  window: Window,
): Promise<Levels[]> {
  const visible: Levels[] = [];
  const { limit } = window;
  let { after } = window;
  for (;;) {
    const rows = await listNamespaces(deps.db.read, catalog, joinLevels(parent), { after, limit });
    const levels = rows.map((row) => splitLevels(row.path));
    visible.push(...levels.filter((one) => maySee(caller.actor, catalog.name, one)));
    after = rows.at(-1)?.path;
    if (limit === undefined || rows.length < limit) return visible;
    if (visible.length >= limit) return visible.slice(0, limit);
  }
}

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
