import { serviceUsersApi } from '@pangolin/shared/contract/service-users';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { DAY_MS } from '../times.ts';
import { presentServiceUsers } from './present.ts';
import { rotateKey } from './rotate-key.ts';
import { createServiceUser, deleteServiceUser, readServiceUser, updateServiceUser } from './service-users.ts';
import { countServiceUsers, listServiceUsers } from './store.ts';

export function serviceUserRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, serviceUsersApi.list, async (c, { caller, query }) => {
    requirePermission(caller.actor, 'service_users:read');
    const { name, unused_for_days: days } = query;
    // Uses are written some seconds late; what was just used must not look forgotten.
    if (days !== undefined) await deps.lastUsed.flush();
    const filter = {
      tenantId: caller.actor.tenantId,
      name,
      afterName: readCursor(query.cursor, 'string'),
      unusedSinceMs: days === undefined ? undefined : deps.now() - days * DAY_MS,
    };
    const rows = await listServiceUsers(deps.db.read, filter, withOneMore(query));
    return replyPage(c, query, {
      items: await presentServiceUsers(deps.db.read, rows, deps.now()),
      cursorOf: (one) => one.name,
      count: () => countServiceUsers(deps.db.read, filter),
    });
  });

  route(app, deps, serviceUsersApi.create, async (c, { caller, body }) =>
    replyJson(c, await createServiceUser(deps, caller, body), 201),
  );

  route(app, deps, serviceUsersApi.get, async (c, { caller, params }) => {
    requirePermission(caller.actor, 'service_users:read');
    const row = await readServiceUser(deps, caller, params.id);
    return replyJson(c, (await presentServiceUsers(deps.db.read, [row], deps.now()))[0]);
  });

  route(app, deps, serviceUsersApi.update, async (c, { caller, params, body }) =>
    replyJson(c, await updateServiceUser(deps, caller, params.id, body)),
  );

  route(app, deps, serviceUsersApi.delete, async (c, { caller, params }) => {
    await deleteServiceUser(deps, caller, params.id);
    return replyEmpty(c);
  });

  route(app, deps, serviceUsersApi.rotate, async (c, { caller, params, body }) =>
    replyJson(c, await rotateKey(deps, caller, params.id, body)),
  );

  return app;
}
