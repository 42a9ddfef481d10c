import { PangolinError } from '@pangolin/shared/errors';
import type { Executor } from '../store/schema.ts';
import { findDeletedTenant, findTenant, findTenantByName, type TenantRow } from './store.ts';

/** A tenant by its id, or undefined if there is none. */
export const readTenant = (db: Executor, id: string) => findTenant(db, id);

/** A tenant by its name, or undefined if there is none. */
export const readTenantByName = (db: Executor, name: string) => findTenantByName(db, name);

/** Whether there was such a tenant: its audit events are still there. */
export const wasTenant = async (db: Executor, id: string): Promise<boolean> =>
  (await findDeletedTenant(db, id)) !== undefined;

/** A tenant by its id. Throws `not_found`. */
export async function requireTenant(
  db: Executor,
  id: string,
  hint = 'See them: pangolin-admin list-tenants',
): Promise<TenantRow> {
  const tenant = await findTenant(db, id);
  if (tenant) return tenant;
  throw new PangolinError('not_found', 'There is no such tenant.', { hint });
}
