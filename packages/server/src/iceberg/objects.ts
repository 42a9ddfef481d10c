import { PangolinError } from '@pangolin/shared/errors';
import type { MaybePromise } from '../maybe-promise.ts';
import { requireAccess } from '../policies/catalog-access.ts';
import type { Executor } from '../store/schema.ts';
import type { IcebergRequest } from './answer.ts';
import type { Context } from './catalog.ts';
import {
  formatIdentifier,
  formatNamespace,
  type Identifier,
  joinLevels,
  readName,
  readSegment,
} from './identifiers.ts';
import { readRequestedNamespace } from './namespaces.ts';
import type { ObjectFormat } from './object-format.ts';
import { findNamespace, findObject, type ObjectRow } from './store.ts';

/** The row of a table or view of any kind, as of the last commit; undefined if there is none. */
export function findRow({ deps, catalog }: Context, identifier: Identifier): MaybePromise<ObjectRow | undefined> {
  const path = joinLevels(identifier.namespace);
  const { catalogId, tenantId } = catalog;
  return deps.iceberg.recent.recall(`object ${catalogId} ${path}\n${identifier.name}`, () =>
    deps.iceberg.findObject(catalogId, path, identifier.name, tenantId),
  );
}

/** The table or view that a request's path names, once the caller is known to be let. Throws `…_not_found`. */
export function readRequestedObject(
  request: IcebergRequest,
  action: 'read' | 'write',
): MaybePromise<{ identifier: Identifier; row: ObjectRow | undefined }> {
  const namespace = readRequestedNamespace(request);
  const proceed = (levels: readonly string[]) => {
    requireAccess(request.caller.actor, action, request.catalog.name, levels);
    const readings = readSegment(request.object).map((name) => ({ namespace: levels, name: readName(name) }));
    request.about = readings[0] ?? null;
    return findFirst(request, readings);
  };
  return namespace instanceof Promise ? namespace.then(proceed) : proceed(namespace);
}

/** Of what a path segment may mean, the first that is there; if none is, the likeliest. */
function findFirst(context: Context, readings: readonly Identifier[]) {
  const [identifier] = readings as [Identifier];
  const row = findRow(context, identifier);
  if (readings.length === 1 && !(row instanceof Promise)) return { identifier, row };
  return (async () => {
    for (const reading of readings) {
      const found = await findRow(context, reading);
      if (found) return { identifier: reading, row: found };
    }
    return { identifier, row: undefined };
  })();
}

/** Throws unless the row is one of this kind, as the specification's messages have it. */
export function requireKind<M>(
  format: ObjectFormat<M>,
  identifier: Identifier,
  row: ObjectRow | undefined,
): asserts row is ObjectRow {
  if (row?.kind === format.kind) return;
  throw new PangolinError(format.notFound, `${format.title} does not exist: ${formatIdentifier(identifier)}`);
}

/** Throws `namespace_not_found` unless a namespace exists. */
export async function requireNamespace(db: Executor, { catalog }: Context, levels: readonly string[]): Promise<void> {
  if (await findNamespace(db, catalog, joinLevels(levels))) return;
  throw new PangolinError('namespace_not_found', `Namespace does not exist: ${formatNamespace(levels)}`);
}

/** Throws `already_exists` when a name is taken, by whatever kind. */
export async function requireFreeName<M>(
  db: Executor,
  { catalog }: Context,
  format: ObjectFormat<M>,
  identifier: Identifier,
): Promise<void> {
  const row = await findObject(db, catalog, joinLevels(identifier.namespace), identifier.name);
  if (row) throw nameTaken(format, identifier, row);
}

/** That a name is taken, in the words that clients look for. */
export function nameTaken<M>(format: ObjectFormat<M>, identifier: Identifier, { kind }: ObjectRow): PangolinError {
  const name = formatIdentifier(identifier);
  if (kind === format.kind) return new PangolinError('already_exists', `${format.title} already exists: ${name}`);
  const other = kind === 'table' ? 'Table' : 'View';
  return new PangolinError('already_exists', `${other} with same name already exists: ${name}`);
}
