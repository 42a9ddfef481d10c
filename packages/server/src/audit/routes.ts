import { type AuditFilter, auditApi } from '@pangolin/shared/contract/audit';
import { PangolinError } from '@pangolin/shared/errors';
import { Hono } from 'hono';
import type { Actor } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { createCheckpoint } from './checkpoints.ts';
import { presentEvent } from './event-fields.ts';
import { SYSTEM_CHAIN } from './record.ts';
import { countEvents, type EventFilter, findEvent, listEvents } from './store.ts';
import { createChainVerifier } from './verify-chain.ts';

export function auditRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  const verifier = createChainVerifier(deps);

  route(app, deps, auditApi.list, async (c, { caller, query }) => {
    const chain = await openChain(deps, caller.actor, query.chain);
    const position = readCursor(query.cursor, 'number');
    const filter = readFilter(chain, query);
    const from = query.order === 'asc' ? { afterSeq: position ?? filter.afterSeq } : { beforeSeq: position };
    const window = { ...withOneMore(query), order: query.order };
    const rows = await listEvents(deps.db.read, { ...filter, ...from }, window);
    return replyPage(c, query, {
      items: rows.map(presentEvent),
      cursorOf: (event) => event.seq,
      count: () => countEvents(deps.db.read, { ...filter, ...from }),
    });
  });

  route(app, deps, auditApi.count, async (c, { caller, query }) => {
    const chain = await openChain(deps, caller.actor, query.chain);
    return replyJson(c, { count: await countEvents(deps.db.read, readFilter(chain, query)) });
  });

  route(app, deps, auditApi.verify, async (c, { caller, query }) => {
    const chain = await openChain(deps, caller.actor, query.chain);
    return replyJson(c, await verifier.verify(chain, { afterSeq: query.after_seq, limit: query.limit }));
  });

  route(app, deps, auditApi.get, async (c, { caller, params, query }) => {
    const chain = await openChain(deps, caller.actor, query.chain);
    const event = await findEvent(deps.db.read, chain, params.id.toLowerCase());
    if (!event) throw noSuchEvent();
    return replyJson(c, presentEvent(event));
  });

  route(app, deps, auditApi.checkpoint, async (c, { caller, query }) => {
    const chain = await openChain(deps, caller.actor, query.chain);
    return replyJson(c, await createCheckpoint(deps, caller, chain), 201);
  });

  return app;
}

/** The chain that is asked for, with what happened until now. Throws `forbidden` and `insufficient_scope`. */
async function openChain(deps: Deps, actor: Actor, asked: typeof SYSTEM_CHAIN | undefined): Promise<string> {
  requirePermission(actor, asked === SYSTEM_CHAIN ? 'system_audit:read' : 'audit:read');
  await deps.refusals.flush();
  return asked ?? actor.tenantId;
}

const readFilter = (chain: string, query: AuditFilter): EventFilter => ({
  chain,
  user_id: query.user_id,
  action: query.action,
  resource_type: query.resource_type,
  result: query.result,
  sinceMs: query.since === undefined ? undefined : Date.parse(query.since),
  untilMs: query.until === undefined ? undefined : Date.parse(query.until),
  afterSeq: query.after_seq,
});

const noSuchEvent = () =>
  new PangolinError('not_found', 'There is no such audit event.', {
    hint: 'See them: pangolin-admin list-audit-events',
  });
