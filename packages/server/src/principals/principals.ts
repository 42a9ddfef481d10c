import type { Role } from '@pangolin/shared/contract/roles';
import { PangolinError } from '@pangolin/shared/errors';
import type { Executor } from '../store/schema.ts';
import {
  findServiceUserPrincipal,
  findServiceUserPrincipalByName,
  findUserPrincipal,
  findUserPrincipalByName,
  raiseEpoch,
  revokeObtainedForOthers,
  revokeObtainedForOthersByRole,
} from './store.ts';

/** Whoever can own a credential: a user, the embedded owner, or a service user. */
export interface Principal {
  id: string;
  kind: 'user' | 'service_user';
  tenantId: string;
  name: string;
  role: Role;
  active: boolean;
  epoch: number;
}

/** By id (in one tenant, if named), or a user or service user by name. */
export async function findPrincipal(
  db: Executor,
  wanted:
    | { id: string; tenantId?: string }
    | { tenantId: string; username: string }
    | { tenantId: string; serviceUserName: string },
): Promise<Principal | undefined> {
  if ('username' in wanted) {
    const user = await findUserPrincipalByName(db, wanted.tenantId, wanted.username);
    return user && toPrincipal(user, 'user');
  }
  if ('serviceUserName' in wanted) {
    const named = await findServiceUserPrincipalByName(db, wanted.tenantId, wanted.serviceUserName);
    return named && toPrincipal(named, 'service_user');
  }
  const user = await findUserPrincipal(db, wanted.id);
  const serviceUser = user ? undefined : await findServiceUserPrincipal(db, wanted.id);
  const found = user ? toPrincipal(user, 'user') : serviceUser && toPrincipal(serviceUser, 'service_user');
  return wanted.tenantId === undefined || found?.tenantId === wanted.tenantId ? found : undefined;
}

/** The error for a user or service user that does not exist, or is another tenant's. */
export const noSuchPrincipal = (named: string): PangolinError =>
  new PangolinError('not_found', `There is no user or service user ${JSON.stringify(named)}.`, {
    hint: 'See them: pangolin-admin list-users, pangolin-admin list-service-users',
  });

/**
 * Ends everything issued to a principal until now, and what they obtained for others; what is issued afterwards is of the
 * new epoch.
 */
export async function endCredentials(
  tx: Executor,
  principal: { id: string; kind: 'user' | 'service_user' },
  ended: { at: number; by: string },
): Promise<void> {
  await raiseEpoch(tx, principal.kind === 'user' ? 'users' : 'service_users', principal.id, ended.at);
  await revokeObtainedForOthers(tx, principal.id, ended);
}

/** Ends what a principal obtained for others: they have lost the rights it was obtained with. */
export const endObtainedForOthers = revokeObtainedForOthers;

/** The same for everybody of some roles in a tenant who was not granted a privilege besides. */
export const endObtainedForOthersByRole = revokeObtainedForOthersByRole;

const toPrincipal = (
  row: { id: string; tenant_id: string; name: string; role: Role; active: number; epoch: number },
  kind: Principal['kind'],
): Principal => ({
  id: row.id,
  kind,
  tenantId: row.tenant_id,
  name: row.name,
  role: row.role,
  active: row.active === 1,
  epoch: row.epoch,
});
