import type { AuditEvent } from '@pangolin/shared/contract/audit';
import { type AuditEventFields, canonicalJson } from '@pangolin/shared/contract/audit-event-text';
import type { AuditEventsTable } from '../store/schema.ts';
import { formatTime } from '../times.ts';

/** An event as its hash is taken over it. Throws for a row that somebody damaged. */
export const toFields = (row: Omit<AuditEventsTable, 'hash'>): AuditEventFields => ({
  action: row.action,
  chain: row.chain,
  client: row.client,
  credential_id: row.credential_id,
  credential_type: row.credential_type,
  details: row.details,
  id: row.id,
  ip: row.ip,
  previous_hash: row.previous_hash,
  request_id: row.request_id,
  resource_id: row.resource_id,
  resource_name: row.resource_name,
  resource_type: row.resource_type,
  result: row.result,
  seq: Number(row.seq),
  tenant_id: row.tenant_id,
  time: formatTime(Number(row.time)),
  user_id: row.user_id,
  username: row.username,
});

/** The same event with details that were stored before they were canonical. */
export const withCanonicalDetails = (fields: AuditEventFields): AuditEventFields => ({
  ...fields,
  details: canonicalJson(JSON.parse(fields.details)),
});

/** An event as it is answered. A row that somebody damaged is shown as far as it can be, so that it can be looked at. */
export const presentEvent = (row: AuditEventsTable): AuditEvent => ({
  ...row,
  seq: Number(row.seq),
  time: presentTime(row.time),
  details: presentDetails(row.details),
});

/** A stored time, or what is there in its place. */
export function presentTime(time: unknown): string {
  try {
    return formatTime(Number(time));
  } catch {
    return String(time);
  }
}

function presentDetails(text: string): Record<string, unknown> {
  try {
    const details: unknown = JSON.parse(text);
    if (typeof details === 'object' && details !== null && !Array.isArray(details)) return { ...details };
  } catch {
    // Shown below as what it is.
  }
  return { unreadable: String(text) };
}
