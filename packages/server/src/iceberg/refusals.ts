import { PangolinError } from '@pangolin/shared/errors';
import { createAuditEvent } from '../audit/record.ts';
import type { IcebergEndpoint, IcebergRequest } from './answer.ts';

/**
 * Records that somebody was refused a change: who, what and why. A database that cannot record it has failed the request
 * already.
 */
export async function recordRefusal(request: IcebergRequest, endpoint: IcebergEndpoint, error: unknown): Promise<void> {
  if (!(error instanceof PangolinError) || error.status >= 500 || endpoint.action === undefined) return;
  const { deps, caller, catalog, namespace, object } = request;
  const [resourceType = ''] = endpoint.action.split('.');
  const event = {
    action: endpoint.action,
    resourceType,
    resourceId: null,
    resourceName: [catalog.name, namespace, object]
      .filter((part) => part !== '')
      .join('/')
      .slice(0, 500),
    result: 'failure' as const,
    details: { reason: error.code },
  };
  await deps.db
    .transact(
      (tx) => createAuditEvent(tx, { id: deps.newId(), time: deps.now(), tenantId: catalog.tenantId, caller, event }),
      { credentials: 'unchanged' },
    )
    .catch((err) => deps.log.warn({ err, request_id: caller.origin.requestId }, 'refusal not recorded'));
}
