import { settingsApi } from '@pangolin/shared/contract/settings';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { readSettings, updateSettings } from './settings.ts';

export function settingsRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, settingsApi.get, async (c, { caller }) => {
    requirePermission(caller.actor, 'settings:read');
    return replyJson(c, await readSettings(deps.db.read, caller.actor.tenantId));
  });

  route(app, deps, settingsApi.update, async (c, { caller, query, body }) =>
    replyJson(c, await updateSettings(deps, caller, body, query.dry_run === 'true')),
  );

  return app;
}
