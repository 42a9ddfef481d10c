import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { nameTaken } from './service-users.ts';
import {
  countFoundServiceUsers,
  findServiceUserByName,
  findServiceUsers,
  insertServiceUser,
  type ServiceUserRow,
} from './store.ts';

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
  const row: ServiceUserRow = {
    id,
    tenant_id: actor.tenantId,
    name: input.name ?? `service_${id}`,
    description: input.description ?? null,
    role: 'tenant-user',
    scopes: '[]',
    active: 1,
    epoch: 1,
    epoch_raised_at: null,
    created_at: deps.now(),
    created_by: actor.name,
    updated_at: null,
    expires_at: null,
    allowed_networks: '[]',
    last_used_at: null,
    last_used_ip: null,
    last_used_client: null,
  };
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findServiceUserByName(tx, row.tenant_id, row.name)) throw nameTaken(row.name);
      await insertServiceUser(tx, row);
      await recordAudit(tx, deps, caller, {
        action: 'service_user.created',
        resourceType: 'service_user',
        resourceId: row.id,
        resourceName: row.name,
        details: { role: row.role, scopes: [], expires_at: null, key_id: null },
      });
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.name) : error;
  });
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
