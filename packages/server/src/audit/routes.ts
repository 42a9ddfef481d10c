import { auditApi } from '@pangolin/shared/contract/audit';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { exportEvent, SYSTEM_CHAIN } from './record.ts';
import { countEvents, type EventFilter, listEvents } from './store.ts';

export function auditRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, auditApi.list, async (c, { caller, query }) => {
    const { actor } = caller;
    requirePermission(actor, query.chain === SYSTEM_CHAIN ? 'system_audit:read' : 'audit:read');
    const filter: EventFilter = {
      chain: query.chain ?? actor.tenantId,
      user_id: query.user_id,
      action: query.action,
      resource_type: query.resource_type,
      result: query.result,
      sinceMs: query.since === undefined ? undefined : Date.parse(query.since),
      untilMs: query.until === undefined ? undefined : Date.parse(query.until),
      beforeSeq: readCursor(query.cursor, 'number'),
    };
    const rows = await listEvents(deps.db.read, filter, withOneMore(query));
    return replyPage(c, query, {
      items: rows.map((row) => ({ ...exportEvent(row), hash: row.hash })),
      cursorOf: (event) => event.seq,
      count: () => countEvents(deps.db.read, filter),
    });
  });

  return app;
}
