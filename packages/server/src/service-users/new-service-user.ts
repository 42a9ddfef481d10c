import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { findServiceUserByName, insertServiceUser, type ServiceUserRow } from './store.ts';

type Given = 'name' | 'description' | 'role' | 'scopes' | 'expires_at' | 'allowed_networks';

/** A service user of the caller's tenant as it begins: active and never used. */
export const newServiceUser = (
  deps: Deps,
  { actor }: Caller,
  id: string,
  given: Pick<ServiceUserRow, Given>,
): ServiceUserRow => ({
  ...given,
  id,
  tenant_id: actor.tenantId,
  active: 1,
  epoch: 1,
  epoch_raised_at: null,
  created_at: deps.now(),
  created_by: actor.name,
  updated_at: null,
  last_used_at: null,
  last_used_ip: null,
  last_used_client: null,
});

/**
 * Stores a new service user. `complete` stores what belongs to it and answers what the audit log tells of it, besides its
 * role. Throws `conflict` for a name that is taken.
 */
export async function storeServiceUser(
  deps: Deps,
  caller: Caller,
  row: ServiceUserRow,
  complete: (tx: Executor) => Promise<object>,
): Promise<void> {
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findServiceUserByName(tx, row.tenant_id, row.name)) throw nameTaken(row.name);
      await insertServiceUser(tx, row);
      const details = { role: row.role, ...(await complete(tx)) };
      await recordAudit(tx, deps, caller, {
        action: 'service_user.created',
        resourceType: 'service_user',
        resourceId: row.id,
        resourceName: row.name,
        details,
      });
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.name) : error;
  });
}

/** The error for a name that another service user of the tenant has. */
export const nameTaken = (name: string): PangolinError =>
  new PangolinError('conflict', `There is a service user named ${JSON.stringify(name)} already.`, {
    hint: 'Choose another name, or give the existing one a new key: pangolin-admin rotate-service-user-key',
  });
