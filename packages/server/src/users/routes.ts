import { usersApi } from '@pangolin/shared/contract/users';
import { Hono } from 'hono';
import type { Actor } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readOrigin } from '../http/headers.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { formatOptionalTime } from '../times.ts';
import { revokePresentedToken } from '../tokens/tokens.ts';
import { logIn } from './login.ts';
import { countUsers, listUsers } from './store.ts';
import { createUser, deleteUser, presentUser, readUser, resetPassword, updateUser } from './users.ts';

export function userRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, usersApi.login, async (c, { body }) => replyJson(c, await logIn(deps, body, readOrigin(c))));

  route(app, deps, usersApi.logout, async (c, { caller }) => {
    await revokePresentedToken(deps, caller, 'logged out');
    return replyJson(c, { message: 'Logged out.' });
  });

  route(app, deps, usersApi.me, (c, { caller }) => replyJson(c, presentMe(caller.actor)));

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

const presentMe = (actor: Actor) => ({
  id: actor.id,
  kind: actor.kind,
  username: actor.name,
  email: actor.email,
  role: actor.role,
  tenant_id: actor.tenantId,
  credential: {
    type: actor.credential.type,
    id: actor.credential.id,
    expires_at: formatOptionalTime(actor.credential.expiresAtMs),
    scopes: actor.scopes,
  },
});
