import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { newServiceUser, storeServiceUser } from './new-service-user.ts';
import { countFoundServiceUsers, findServiceUsers, type ServiceUserRow } from './store.ts';

/**
 * Creates a service user as DataHub's API knows them: of the lowest role, without a key; tokens are minted for it. Without a
 * name it is called by its id.
 */
export async function createServiceAccount(
  deps: Deps,
  caller: Caller,
  input: { name: string | undefined; description: string | undefined },
): Promise<ServiceUserRow> {
  const { actor } = caller;
  requirePermission(actor, 'service_accounts:write');
  const id = deps.newId();
  const row = newServiceUser(deps, caller, id, {
    name: input.name ?? `service_${id}`,
    description: input.description ?? null,
    role: 'tenant-user',
    scopes: '[]',
    expires_at: null,
    allowed_networks: '[]',
  });
  await storeServiceUser(deps, caller, row, async () => ({ scopes: [], expires_at: null, key_id: null }));
  return row;
}

/** Service users by name, those with `text` in their name or description. */
export async function searchServiceUsers(
  deps: Deps,
  { actor }: Caller,
  text: string | undefined,
  { start, count }: { start: number; count: number },
): Promise<{ rows: ServiceUserRow[]; countAll(): Promise<number> }> {
  requirePermission(actor, 'service_users:read');
  const filter = { tenantId: actor.tenantId, text };
  const rows = count === 0 ? [] : await findServiceUsers(deps.db.read, filter, { limit: count, offset: start });
  return { rows, countAll: () => countFoundServiceUsers(deps.db.read, filter) };
}
