import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { anyText, ById, page, time, uuid, wholeNumber } from './fields.ts';

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

const seq = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** The chain is that of the caller's tenant, or `system`: the one of what belongs to no tenant, which is root's. */
const chain = z.optional(z.literal('system'));

/** Which chain. */
export const AuditChain = z.strictObject({ chain });
export type AuditChain = z.output<typeof AuditChain>;

const filter = {
  chain,
  user_id: z.optional(uuid),
  action: z.optional(anyText(0, 100)),
  resource_type: z.optional(anyText(0, 100)),
  result: z.optional(z.enum(['success', 'failure'])),
  since: z.optional(time),
  until: z.optional(time),
  after_seq: z.optional(seq),
};

/** Which events; `after_seq` are those with greater numbers. */
export const AuditFilter = z.strictObject(filter);
export type AuditFilter = z.output<typeof AuditFilter>;

/** Newest first (`desc`), or in the order of the chain (`asc`). */
export const AuditPage = z.strictObject({ ...page, ...filter, order: z._default(z.enum(['asc', 'desc']), 'desc') });
export type AuditPage = z.output<typeof AuditPage>;

export const AuditCount = z.object({ count: z.int() });
export type AuditCount = z.output<typeof AuditCount>;

/**
 * What vouches for a chain up to an event. `signature` is a compact JWS (ES256, `typ: pangolin-checkpoint+jwt`) over `iss`,
 * `chain`, `seq`, `hash` and `time`, by the key `kid` of /.well-known/jwks.json.
 */
export const AuditCheckpoint = z.object({
  chain: z.string(),
  hash: z.string(),
  iss: z.string(),
  kid: z.string(),
  seq: z.int(),
  signature: z.string(),
  time,
});
export type AuditCheckpoint = z.output<typeof AuditCheckpoint>;

/** From which event on, and how many at most; a longer chain is verified in several requests. */
export const AuditVerificationPage = z.strictObject({
  chain,
  after_seq: z._default(seq, 0),
  limit: z._default(wholeNumber(1, 250_000), 250_000),
});
export type AuditVerificationPage = z.output<typeof AuditVerificationPage>;

/**
 * What a walk along a chain found: sound events up to `seq` (of `time`, with `hash`), and checkpoints, `checkpoint` the last
 * of them. `broken` is the first link that does not hold. Where `complete` is false and nothing is broken, go on
 * `after_seq`.
 */
export const AuditVerification = z.object({
  chain: z.string(),
  valid: z.boolean(),
  complete: z.boolean(),
  events: z.int(),
  seq: z.int(),
  time: z.nullable(time),
  hash: z.string(),
  checkpoints: z.int(),
  checkpoint: z.nullable(AuditCheckpoint),
  broken: z.nullable(z.object({ seq: z.int(), id: z.nullable(z.string()), reason: z.string() })),
});
export type AuditVerification = z.output<typeof AuditVerification>;

const common = { tag: 'Audit', access: 'credential' } as const;

export const auditApi = {
  list: endpoint({
    ...common,
    method: 'get',
    path: '/api/v1/audit',
    summary: 'List audit events, newest first',
    query: AuditPage,
    status: 200,
    answer: z.array(AuditEvent),
  }),
  count: endpoint({
    ...common,
    method: 'get',
    path: '/api/v1/audit/count',
    summary: 'Count audit events',
    query: AuditFilter,
    status: 200,
    answer: AuditCount,
  }),
  verify: endpoint({
    ...common,
    method: 'get',
    path: '/api/v1/audit/verify',
    summary: 'Verify a chain of audit events: hashes, links, gaps and checkpoints',
    query: AuditVerificationPage,
    status: 200,
    answer: AuditVerification,
  }),
  checkpoint: endpoint({
    ...common,
    method: 'post',
    path: '/api/v1/audit/checkpoints',
    summary: 'Vouch for a chain up to now with a signature',
    query: AuditChain,
    status: 201,
    answer: AuditCheckpoint,
  }),
  get: endpoint({
    ...common,
    method: 'get',
    path: '/api/v1/audit/{id}',
    summary: 'Get an audit event',
    params: ById,
    query: AuditChain,
    status: 200,
    answer: AuditEvent,
  }),
};
