import { hash } from 'node:crypto';
import { auditEventText, canonicalJson, FIRST_AUDIT_HASH } from '@pangolin/shared/contract/audit-event-text';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { AuditEventsTable, Executor } from '../store/schema.ts';
import { toFields } from './event-fields.ts';
import { appendEvents, type ChainHead, findChainHead } from './store.ts';

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

/** Who did it, from where and with which credential. */
export type AuditSource = Pick<
  AuditEventsTable,
  'user_id' | 'username' | 'ip' | 'client' | 'credential_type' | 'credential_id' | 'request_id'
>;

/** The server itself. */
export const BY_THE_SERVER: AuditSource = {
  user_id: null,
  username: null,
  ip: null,
  client: null,
  credential_type: null,
  credential_id: null,
  request_id: null,
};

/** The chain of what belongs to no tenant: tenants, signing keys, the master key, the installation, backups. */
export const SYSTEM_CHAIN = 'system';

/** Names in details may be the caller's own; rows are for ever. */
const MAX_DETAILS_LENGTH = 8_192;
const MAX_NAME_LENGTH = 1_000;

const boundDetails = (details: string): string =>
  details.length <= MAX_DETAILS_LENGTH ? details : '{"truncated":true}';

/**
 * Records a change in the transaction that makes it: in the chain of the caller's tenant, or in the one of what belongs to
 * no tenant (`chain: 'system'`), which only root can read.
 */
export async function recordAudit(
  tx: Executor,
  deps: Pick<Deps, 'newId' | 'now'>,
  caller: Caller,
  event: AuditEntry,
  { chain }: { chain?: typeof SYSTEM_CHAIN } = {},
): Promise<void> {
  const { tenantId } = caller.actor;
  const by = toSource(caller);
  await createAuditEvent(tx, { id: deps.newId(), time: deps.now(), chain: chain ?? tenantId, tenantId, by, event });
}

/** A caller, as events have them. */
export const toSource = ({ actor, origin }: Caller): AuditSource => ({
  user_id: actor.id,
  username: actor.name,
  ip: origin.address,
  client: origin.client,
  credential_type: actor.credential.type,
  credential_id: actor.credential.id,
  request_id: origin.requestId,
});

/** An event that is not in its chain yet. */
export interface NewAuditEvent {
  id: string;
  /** Milliseconds since 1970. */
  time: number;
  chain: string;
  tenantId: string;
  by: AuditSource;
  event: AuditEntry;
}

/** Appends an event to its chain, and answers the chain's new head. */
export const createAuditEvent = (tx: Executor, event: NewAuditEvent): Promise<ChainHead> =>
  createAuditEvents(tx, event.chain, [event]);

/** Appends events to one chain, in their order and at once, and answers the chain's new head. */
export async function createAuditEvents(
  tx: Executor,
  chain: string,
  events: readonly Omit<NewAuditEvent, 'chain'>[],
): Promise<ChainHead> {
  const found = await findChainHead(tx, chain);
  let head: ChainHead = { seq: Number(found?.seq ?? 0), hash: found?.hash ?? FIRST_AUDIT_HASH };
  const rows = events.map((event) => {
    const row = toRow({ ...event, chain }, head);
    head = { seq: row.seq, hash: row.hash };
    return row;
  });
  await appendEvents(tx, chain, rows, head);
  return head;
}

function toRow({ id, time, chain, tenantId, by, event }: NewAuditEvent, head: ChainHead): AuditEventsTable {
  const row = {
    id,
    chain,
    seq: head.seq + 1,
    time,
    tenant_id: tenantId,
    user_id: by.user_id,
    username: toStorable(by.username),
    action: event.action,
    resource_type: event.resourceType,
    resource_id: toStorable(event.resourceId),
    resource_name: toStorable(event.resourceName?.slice(0, MAX_NAME_LENGTH) ?? null),
    result: event.result ?? ('success' as const),
    ip: by.ip,
    client: toStorable(by.client),
    credential_type: by.credential_type,
    credential_id: by.credential_id,
    request_id: by.request_id,
    details: boundDetails(canonicalJson(event.details ?? {})),
    previous_hash: head.hash,
  };
  return { ...row, hash: hash('sha256', auditEventText(toFields(row))) };
}

/**
 * Text that comes back from a database as it went in, or its hash would not be the same: no half of a surrogate pair, which
 * UTF-8 does not have (and which cutting a name may leave), and no NUL, which PostgreSQL does not have.
 */
const toStorable = (text: string | null): string | null => text?.replace(/[\p{Cs}\0]/gu, '\ufffd') ?? null;
