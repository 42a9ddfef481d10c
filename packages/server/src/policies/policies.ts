import type { Grant } from '@pangolin/shared/contract/policies';
import type { Privilege } from '@pangolin/shared/contract/privileges';
import { ROLES, type Role, roleRank } from '@pangolin/shared/contract/roles';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { endObtainedForOthers, endObtainedForOthersByRole, findPrincipal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import { formatTime, wholeSecond } from '../times.ts';
import { findGrantee, type NamedGrantee, requireGrantee } from './grantees.ts';
import { requirePermission } from './permissions.ts';
import { readPrivileges, requireHolding, requireReach } from './reach.ts';
import { deleteGrant, findGrant, findGrantTo, type GrantRow, insertGrantOnce } from './store.ts';

/** Grants a privilege; `isNew: false` where it was granted already, and nothing changed. */
export async function grantPrivilege(
  deps: Deps,
  caller: Caller,
  input: NamedGrantee & { privilege: Privilege },
): Promise<{ grant: Grant; isNew: boolean }> {
  const { actor } = caller;
  requirePermission(actor, 'policies:write');
  if (input.role === 'root') {
    throw new PangolinError('invalid_request', 'The role root holds every privilege, and that does not change.', {
      hint: 'Grant it to tenant-user or tenant-admin, or to a user or service user.',
      fields: [{ field: 'role', message: 'must be tenant-user or tenant-admin' }],
    });
  }
  requireHolding(actor, input.privilege);
  return transactAs(deps, caller, async (tx) => {
    const grantee = requireGrantee(await findGrantee(tx, deps, actor.tenantId, input));
    if (grantee.principal) await requireReach(tx, actor, grantee.principal);
    const row = {
      id: deps.newId(),
      tenant_id: actor.tenantId,
      grantee_kind: grantee.kind,
      grantee_id: grantee.id,
      privilege: input.privilege,
      created_at: deps.now(),
      created_by: actor.name,
    };
    const isNew = await insertGrantOnce(tx, row);
    const stored = await findGrantTo(tx, row.tenant_id, row.grantee_id, row.privilege);
    if (!stored) throw new Error('a grant vanished inside its transaction');
    const grant = presentGrant(stored);
    if (isNew) await record(tx, deps, caller, 'grant.created', grant);
    return { grant, isNew };
  });
}

/**
 * Revokes a grant. Whoever holds the privilege in no other way loses it at once, and what they obtained for others with
 * their tokens and keys ends, as when a role is lowered: they answer for it with rights they no longer have.
 */
export async function revokeGrant(deps: Deps, caller: Caller, id: string): Promise<void> {
  const { actor } = caller;
  requirePermission(actor, 'policies:write');
  await transactAs(deps, caller, async (tx) => {
    const row = await findGrant(tx, actor.tenantId, id.toLowerCase());
    if (!row)
      throw new PangolinError('not_found', 'There is no such grant.', {
        hint: 'See them: pangolin-admin list-policies',
      });
    requireHolding(actor, row.privilege);
    const ended = { at: deps.now(), by: actor.id };
    if (row.grantee_kind === 'role') {
      await deleteGrant(tx, row.id);
      const roles = await rolesWithout(tx, row);
      await endObtainedForOthersByRole(tx, { tenantId: row.tenant_id, roles, without: row.privilege }, ended);
    } else {
      const principal = await findPrincipal(tx, { id: row.grantee_id, tenantId: row.tenant_id });
      if (principal) await requireReach(tx, actor, principal);
      await deleteGrant(tx, row.id);
      const hasLost = principal && !(await readPrivileges(tx, principal)).has(row.privilege);
      if (hasLost) await endObtainedForOthers(tx, principal.id, ended);
    }
    await record(tx, deps, caller, 'grant.revoked', presentGrant(row));
  });
}

/** The roles that a privilege which was granted to one of them no longer reaches, neither directly nor from below. */
async function rolesWithout(tx: Executor, row: GrantRow): Promise<Role[]> {
  const affected: Role[] = [];
  for (const role of ROLES.filter((one) => one !== 'root' && roleRank(one) >= roleRank(row.grantee_id as Role))) {
    const held = await readPrivileges(tx, { id: '', tenantId: row.tenant_id, role });
    if (!held.has(row.privilege)) affected.push(role);
  }
  return affected;
}

export const presentGrant = (row: GrantRow): Grant => ({
  id: row.id,
  privilege: row.privilege,
  grantee: {
    kind: row.grantee_kind,
    id: row.grantee_id,
    name: row.grantee_kind === 'role' ? row.grantee_id : (row.user_name ?? row.service_user_name ?? '(deleted)'),
  },
  tenant_id: row.tenant_id,
  created_at: formatTime(wholeSecond(row.created_at)),
  created_by: row.created_by,
});

const record = (tx: Executor, deps: Deps, caller: Caller, action: string, grant: Grant) =>
  recordAudit(tx, deps, caller, {
    action,
    resourceType: 'grant',
    resourceId: grant.id,
    resourceName: grant.privilege,
    details: { grantee_kind: grant.grantee.kind, grantee_id: grant.grantee.id, grantee_name: grant.grantee.name },
  });
