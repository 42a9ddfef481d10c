import { PangolinError } from '@pangolin/shared/errors';
import { requireAccess } from '../policies/catalog-access.ts';
import type { IcebergRequest } from './answer.ts';
import { lockKey } from './change.ts';
import { commitChanges } from './commit.ts';
import { type Identifier, readIdentifier } from './identifiers.ts';
import { isObject, type JsonObject } from './json.ts';
import { describeCommit } from './tables.ts';

const MAX_CHANGES = 500;

/** Commits changes to several tables, all or none. Several for one table are made one after the other. */
export async function commitTransaction(request: IcebergRequest): Promise<void> {
  const { caller, catalog } = request;
  const changes = (await request.readBody())['table-changes'];
  if (!Array.isArray(changes)) {
    throw new PangolinError('invalid_request', "The field 'table-changes' must be a list of commits.");
  }
  if (changes.length > MAX_CHANGES) {
    throw new PangolinError(
      'invalid_request',
      `A transaction has at most ${MAX_CHANGES} changes; this has ${changes.length}.`,
    );
  }
  const tables = new Map<string, { identifier: Identifier; requests: JsonObject[] }>();
  for (const change of changes) {
    if (!isObject(change)) throw new PangolinError('invalid_request', 'Each of table-changes must be an object.');
    const identifier = readIdentifier(change.identifier, 'identifier');
    request.about = identifier;
    requireAccess(caller.actor, 'write', catalog.name, identifier.namespace);
    const key = lockKey(catalog.catalogId, identifier);
    const table = tables.get(key) ?? { identifier, requests: [] };
    table.requests.push(change);
    tables.set(key, table);
  }
  await commitChanges(
    request,
    [...tables.values()].map(({ identifier, requests }) => describeCommit(identifier, requests)),
  );
}
