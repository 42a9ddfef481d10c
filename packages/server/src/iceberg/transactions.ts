import { PangolinError } from '@pangolin/shared/errors';
import { requireAccess } from '../policies/catalog-access.ts';
import type { Context } from './catalog.ts';
import { commitChanges, lockKey } from './commit.ts';
import { type Identifier, readIdentifier } from './identifiers.ts';
import { isObject, type JsonObject } from './json.ts';
import { describeCommit } from './tables.ts';

/** Commits changes to several tables, all or none. Several for one table are made one after the other. */
export async function commitTransaction(context: Context, request: JsonObject): Promise<void> {
  const { caller, catalog } = context;
  const changes = request['table-changes'];
  if (!Array.isArray(changes)) {
    throw new PangolinError('invalid_request', "The field 'table-changes' must be a list of commits.");
  }
  const tables = new Map<string, { identifier: Identifier; requests: JsonObject[] }>();
  for (const change of changes) {
    if (!isObject(change)) throw new PangolinError('invalid_request', 'Each of table-changes must be an object.');
    const identifier = readIdentifier(change.identifier, 'identifier');
    requireAccess(caller.actor, 'write', catalog.name, identifier.namespace);
    const key = lockKey(catalog.catalogId, identifier);
    const table = tables.get(key) ?? { identifier, requests: [] };
    table.requests.push(change);
    tables.set(key, table);
  }
  await commitChanges(
    context,
    [...tables.values()].map(({ identifier, requests }) => describeCommit(identifier, requests)),
  );
}
