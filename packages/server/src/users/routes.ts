import { usersApi } from '@pangolin/shared/contract/users';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { countUsers, listUsers } from './store.ts';
import { createUser, deleteUser, presentUser, readUser, resetPassword, updateUser } from './users.ts';

export function userRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, usersApi.list, async (c, { caller, query }) => {
    requirePermission(caller.actor, 'users:read');
    const filter = {
      tenantId: caller.actor.tenantId,
      username: query.username,
      afterUsername: readCursor(query.cursor, 'string'),
    };
    const rows = await listUsers(deps.db.read, filter, withOneMore(query));
    return replyPage(c, query, {
      items: rows.map(presentUser),
      cursorOf: (user) => user.username,
      count: () => countUsers(deps.db.read, filter),
    });
  });

  route(app, deps, usersApi.create, async (c, { caller, body }) =>
    replyJson(c, await createUser(deps, caller, body), 201),
  );

  route(app, deps, usersApi.get, async (c, { caller, params }) => {
    requirePermission(caller.actor, 'users:read');
    return replyJson(c, presentUser(await readUser(deps, caller, params.id)));
  });

  route(app, deps, usersApi.update, async (c, { caller, params, body }) =>
    replyJson(c, await updateUser(deps, caller, params.id, body)),
  );

  route(app, deps, usersApi.delete, async (c, { caller, params }) => {
    await deleteUser(deps, caller, params.id);
    return replyEmpty(c);
  });

  route(app, deps, usersApi.resetPassword, async (c, { caller, params, body }) =>
    replyJson(c, await resetPassword(deps, caller, params.id, body)),
  );

  return app;
}
