import { policiesApi } from '@pangolin/shared/contract/policies';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { findGrantee } from './grantees.ts';
import { requirePermission } from './permissions.ts';
import { grantPrivilege, presentGrant, revokeGrant } from './policies.ts';
import { countGrants, listGrants } from './store.ts';

export function policyRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, policiesApi.list, async (c, { caller: { actor }, query }) => {
    requirePermission(actor, 'policies:read');
    const grantee = await findGrantee(deps.db.read, deps, actor.tenantId, query);
    const filter = {
      tenantId: actor.tenantId,
      privilege: query.privilege,
      granteeId: grantee?.id,
      after: readPlace(query.cursor),
    };
    const rows = await listGrants(deps.db.read, filter, withOneMore(query));
    return replyPage(c, query, {
      items: rows.map(presentGrant),
      cursorOf: ({ grantee: { id }, privilege }) => `${id} ${privilege}`,
      count: () => countGrants(deps.db.read, filter),
    });
  });

  route(app, deps, policiesApi.create, async (c, { caller, body }) => {
    const { grant, isNew } = await grantPrivilege(deps, caller, body);
    return replyJson(c, grant, isNew ? policiesApi.create.status : policiesApi.create.unchangedStatus);
  });

  route(app, deps, policiesApi.delete, async (c, { caller, params }) => {
    await revokeGrant(deps, caller, params.id);
    return replyEmpty(c);
  });

  return app;
}

function readPlace(cursor: string | undefined): { granteeId: string; privilege: string } | undefined {
  const key = readCursor(cursor, 'string');
  const [granteeId, privilege] = key?.split(' ') ?? [];
  return granteeId === undefined ? undefined : { granteeId, privilege: privilege ?? '' };
}
