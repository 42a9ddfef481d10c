import { type AuditEntry, recordAudit } from './audit/record.ts';
import { createOwner } from './credentials/owner.ts';
import type { Deps } from './deps.ts';
import type { Executor, InstallationTable } from './store/schema.ts';

/** Who does something to a whole installation, without its server, and the clock and ids of it. */
export interface Operator extends Pick<Deps, 'now' | 'newId'> {
  ownerName: string;
  /** As in `pangolin-admin/1.0.0`. */
  client: string;
}

/** Records what was done to a whole installation, by its owner, in the transaction that does it. */
export function recordOperation(
  tx: Executor,
  operator: Operator,
  { id, owner_id: ownerId, default_tenant_id: defaultTenantId }: InstallationTable,
  event: Pick<AuditEntry, 'action'> & { details: Record<string, unknown> },
): Promise<void> {
  const actor = createOwner({ installation: { ownerId, defaultTenantId }, ownerName: operator.ownerName });
  const caller = { actor, origin: { address: null, client: operator.client, requestId: operator.newId() } };
  const entry = { ...event, resourceType: 'installation', resourceId: id };
  return recordAudit(tx, operator, caller, entry, { chain: 'system' });
}
