import { catalogsApi } from '@pangolin/shared/contract/catalogs';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { createCatalog, deleteCatalog, presentCatalog, readCatalog, updateCatalog } from './catalogs.ts';
import { countCatalogs, listCatalogs } from './store.ts';

export function catalogRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, catalogsApi.list, async (c, { caller, query }) => {
    requirePermission(caller.actor, 'catalogs:read');
    const { tenantId } = caller.actor;
    const rows = await listCatalogs(deps.db.read, tenantId, readCursor(query.cursor, 'string'), withOneMore(query));
    return replyPage(c, query, {
      items: rows.map((row) => presentCatalog(deps, row)),
      cursorOf: (catalog) => catalog.name,
      count: () => countCatalogs(deps.db.read, tenantId),
    });
  });

  route(app, deps, catalogsApi.create, async (c, { caller, body }) =>
    replyJson(c, await createCatalog(deps, caller, body), 201),
  );

  route(app, deps, catalogsApi.get, async (c, { caller, params }) => {
    requirePermission(caller.actor, 'catalogs:read');
    return replyJson(c, presentCatalog(deps, await readCatalog(deps, caller, params.name)));
  });

  route(app, deps, catalogsApi.update, async (c, { caller, params, body }) =>
    replyJson(c, await updateCatalog(deps, caller, params.name, body)),
  );

  route(app, deps, catalogsApi.delete, async (c, { caller, params }) => {
    await deleteCatalog(deps, caller, params.name);
    return replyEmpty(c);
  });

  return app;
}
