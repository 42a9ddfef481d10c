import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { page, time, uuid } from './fields.ts';

/** One audit event. `hash` is the SHA-256 over `previous_hash` and every other field, as RFC 8785 canonical JSON. */
export const AuditEvent = z.object({
  id: uuid,
  seq: z.int(),
  chain: z.string(),
  time,
  tenant_id: uuid,
  user_id: z.nullable(z.string()),
  username: z.nullable(z.string()),
  action: z.string(),
  resource_type: z.string(),
  resource_id: z.nullable(z.string()),
  resource_name: z.nullable(z.string()),
  result: z.enum(['success', 'failure']),
  ip: z.nullable(z.string()),
  client: z.nullable(z.string()),
  credential_type: z.nullable(z.string()),
  credential_id: z.nullable(z.string()),
  request_id: z.nullable(z.string()),
  details: z.record(z.string(), z.unknown()),
  previous_hash: z.string(),
  hash: z.string(),
});
export type AuditEvent = z.output<typeof AuditEvent>;

/** Newest first. The chain is that of the caller's tenant, or the one of what belongs to no tenant. */
export const AuditPage = z.strictObject({
  ...page,
  chain: z.optional(z.literal('system')),
  user_id: z.optional(uuid),
  action: z.optional(z.string().check(z.maxLength(100))),
  resource_type: z.optional(z.string().check(z.maxLength(100))),
  result: z.optional(z.enum(['success', 'failure'])),
  since: z.optional(time),
  until: z.optional(time),
});
export type AuditPage = z.output<typeof AuditPage>;

export const auditApi = {
  list: endpoint({
    method: 'get',
    path: '/api/v1/audit',
    summary: 'List audit events, newest first',
    tag: 'Audit',
    access: 'credential',
    query: AuditPage,
    status: 200,
    answer: z.array(AuditEvent),
  }),
};
