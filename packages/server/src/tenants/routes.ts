import { tenantsApi } from '@pangolin/shared/contract/tenants';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { requireTenant } from './read-tenant.ts';
import { countTenants, listTenants } from './store.ts';
import { createTenant, deleteTenant, presentTenant, updateTenant } from './tenants.ts';

export function tenantRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, tenantsApi.list, async (c, { caller, query }) => {
    requirePermission(caller.actor, 'tenants:read');
    const filter = { name: query.name, afterName: readCursor(query.cursor, 'string') };
    const rows = await listTenants(deps.db.read, filter, withOneMore(query));
    return replyPage(c, query, {
      items: rows.map(presentTenant),
      cursorOf: (tenant) => tenant.name,
      count: () => countTenants(deps.db.read, filter),
    });
  });

  route(app, deps, tenantsApi.create, async (c, { caller, body }) =>
    replyJson(c, await createTenant(deps, caller, body), 201),
  );

  route(app, deps, tenantsApi.get, async (c, { caller, params }) => {
    requirePermission(caller.actor, 'tenants:read');
    return replyJson(c, presentTenant(await requireTenant(deps.db.read, params.id.toLowerCase())));
  });

  route(app, deps, tenantsApi.update, async (c, { caller, params, body }) =>
    replyJson(c, await updateTenant(deps, caller, params.id, body)),
  );

  route(app, deps, tenantsApi.delete, async (c, { caller, params }) => {
    await deleteTenant(deps, caller, params.id);
    return replyEmpty(c);
  });

  return app;
}
