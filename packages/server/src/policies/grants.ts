import type { Executor } from '../store/schema.ts';
import { DEFAULT_GRANTS } from './privileges.ts';
import { deleteGrantsTo, insertGrants } from './store.ts';

/** Grants a new tenant's roles what they may do unless somebody changes it. */
export async function grantDefaults(
  tx: Executor,
  tenant: { tenantId: string; createdAtMs: number; newId(): string },
): Promise<void> {
  const rows = DEFAULT_GRANTS.map(({ role, privilege }) => ({
    id: tenant.newId(),
    tenant_id: tenant.tenantId,
    grantee_kind: 'role' as const,
    grantee_id: role,
    privilege,
    created_at: tenant.createdAtMs,
    created_by: null,
  }));
  await insertGrants(tx, rows);
}

/** Forgets what was granted to a principal that is deleted. */
export const removeGrantsTo = (tx: Executor, principal: { id: string; tenantId: string }) =>
  deleteGrantsTo(tx, principal.tenantId, principal.id);
