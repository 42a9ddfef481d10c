import { createDefaultCatalog } from '../catalogs/catalogs.ts';
import { grantDefaults } from '../policies/grants.ts';
import type { Executor } from '../store/schema.ts';
import { insertTenant } from './store.ts';

/** Puts a tenant into the database with what it takes to use it: its roles' privileges, and the catalog `default`. */
export async function foundTenant(
  tx: Executor,
  tenant: { id: string; name: string; description: string | null; created_at: number },
  newId: () => string,
): Promise<{ catalogName: string }> {
  await insertTenant(tx, { ...tenant, deleted_at: null });
  await grantDefaults(tx, { tenantId: tenant.id, createdAtMs: tenant.created_at, newId });
  await createDefaultCatalog(tx, { id: newId(), tenant_id: tenant.id, created_at: tenant.created_at });
  return { catalogName: 'default' };
}
