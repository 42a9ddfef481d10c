import type { Deps } from '../deps.ts';
import { listUnfinishedTenants, removeRemains } from './store.ts';

/** So many rows go at once: a commit of some milliseconds, between which everybody else's turns come. */
const ROWS_PER_COMMIT = 500;

/** Removes what a deleted tenant leaves behind. For the background: it never rejects; what it misses goes later. */
export async function sweepTenant(deps: Deps, tenantId: string): Promise<void> {
  try {
    // No credential of a deleted tenant is good, so nobody's standing changes here.
    const removeSome = () =>
      deps.db.transact((tx) => removeRemains(tx, tenantId, ROWS_PER_COMMIT), { credentials: 'unchanged' });
    while (await removeSome());
  } catch (err) {
    deps.log.warn({ err, tenant_id: tenantId }, 'rows of a deleted tenant not removed yet');
  }
}

/** Goes on where a server stopped before it was done. */
export async function sweepDeletedTenants(deps: Deps): Promise<void> {
  for (const { id } of await listUnfinishedTenants(deps.db.read)) await sweepTenant(deps, id);
}
