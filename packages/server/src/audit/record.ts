import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { AuditEventsTable, Executor } from '../store/schema.ts';
import { formatTime } from '../times.ts';
import { appendEvent, findChainHead } from './store.ts';

/** What happened: `<resource>.<past participle>`, on what, and anything worth keeping that is not a secret. */
export interface AuditEntry {
  action: string;
  resourceType: string;
  resourceId: string | null;
  resourceName?: string | null;
  /** Success unless said otherwise. */
  result?: 'success' | 'failure';
  details?: Record<string, unknown>;
}

/** Names in details may be the caller's own; rows are for ever. */
const MAX_DETAILS_LENGTH = 8_192;
const MAX_NAME_LENGTH = 1_000;

const boundDetails = (details: string): string =>
  details.length <= MAX_DETAILS_LENGTH ? details : '{"truncated":true}';

const FIRST_HASH = '0'.repeat(64);

/** The chain of what belongs to no tenant: tenants, signing keys, the master key, the installation, backups. */
export const SYSTEM_CHAIN = 'system';

/**
 * Records a change in the transaction that makes it: in the chain of the caller's tenant, or in the one of what belongs to
 * no tenant (`chain: 'system'`), which only root can read.
 */
export function recordAudit(
  tx: Executor,
  deps: Pick<Deps, 'newId' | 'now'>,
  caller: Caller,
  event: AuditEntry,
  { chain }: { chain?: typeof SYSTEM_CHAIN } = {},
): Promise<void> {
  const { tenantId } = caller.actor;
  return createAuditEvent(tx, {
    id: deps.newId(),
    time: deps.now(),
    chain: chain ?? tenantId,
    tenantId,
    caller,
    event,
  });
}

/** Appends an event to its chain; `caller: null` is the server itself. */
export async function createAuditEvent(
  tx: Executor,
  input: { id: string; time: number; chain: string; tenantId: string; caller: Caller | null; event: AuditEntry },
): Promise<void> {
  const { caller, event, chain } = input;
  const head = await findChainHead(tx, chain);
  const row = {
    id: input.id,
    chain,
    seq: Number(head?.seq ?? 0) + 1,
    time: input.time,
    tenant_id: input.tenantId,
    user_id: caller?.actor.id ?? null,
    username: caller?.actor.name ?? null,
    action: event.action,
    resource_type: event.resourceType,
    resource_id: event.resourceId,
    resource_name: event.resourceName?.slice(0, MAX_NAME_LENGTH) ?? null,
    result: event.result ?? ('success' as const),
    ip: caller?.origin.address ?? null,
    client: caller?.origin.client ?? null,
    credential_type: caller?.actor.credential.type ?? null,
    credential_id: caller?.actor.credential.id ?? null,
    request_id: caller?.origin.requestId ?? null,
    details: boundDetails(JSON.stringify(event.details ?? {})),
    previous_hash: head?.hash ?? FIRST_HASH,
  };
  await appendEvent(tx, { ...row, hash: hashEvent(row) });
}

/** The event as it is exported, without its hash: what the hash is taken over. */
export const exportEvent = (row: Omit<AuditEventsTable, 'hash'>) => ({
  ...row,
  seq: Number(row.seq),
  time: formatTime(Number(row.time)),
  details: JSON.parse(row.details) as Record<string, unknown>,
});

/** SHA-256, in hex, over the RFC 8785 canonical JSON of the exported fields, `previous_hash` among them. */
function hashEvent(row: Omit<AuditEventsTable, 'hash'>): string {
  const { hash: _, ...fields } = exportEvent(row) as ReturnType<typeof exportEvent> & { hash?: string };
  return createHash('sha256')
    .update(canonicalize(fields) as string)
    .digest('hex');
}
