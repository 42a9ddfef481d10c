import type { Deps } from '../deps.ts';
import { listUnfinishedTenants, removeRemains } from './store.ts';

/** So many rows go at once: some milliseconds of everybody's time. */
const ROWS_PER_COMMIT = 100;

/** Between two commits, for everybody else. */
const PAUSE_MS = 5;

/** Removes what a deleted tenant leaves behind. For the background: it never rejects; what it misses goes later. */
export async function sweepTenant(deps: Deps, tenantId: string): Promise<void> {
  try {
    // No credential of a deleted tenant is good, so nobody's standing changes here.
    const removeSome = () =>
      deps.db.transact((tx) => removeRemains(tx, tenantId, ROWS_PER_COMMIT), { credentials: 'unchanged' });
    while (await removeSome()) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  } catch (err) {
    deps.log.warn({ err, tenant_id: tenantId }, 'rows of a deleted tenant not removed yet');
  }
}

/** Goes on where a server stopped before it was done. */
export async function sweepDeletedTenants(deps: Deps): Promise<void> {
  for (const { id } of await listUnfinishedTenants(deps.db.read)) await sweepTenant(deps, id);
}
