import { usersApi } from '@pangolin/shared/contract/users';
import { Hono } from 'hono';
import type { Actor } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readOrigin } from '../http/headers.ts';
import { replyJson, replyText } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { formatOptionalTime } from '../times.ts';
import { revokePresentedToken } from '../tokens/tokens.ts';
import { logIn } from './login.ts';

export function sessionRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  // An actor does not change while it is cached, and neither does the answer to who they are.
  const identities = new WeakMap<Actor, string>();

  route(app, deps, usersApi.login, async (c, { body }) => {
    const origin = readOrigin(c);
    return replyJson(c, await deps.failedCredentials.judgeLogin(origin.address, () => logIn(deps, body, origin)));
  });

  route(app, deps, usersApi.logout, async (c, { caller }) => {
    await revokePresentedToken(deps, caller, 'logged out');
    return replyJson(c, { message: 'Logged out.' });
  });

  route(app, deps, usersApi.me, (c, { caller: { actor } }) => {
    const known = identities.get(actor);
    if (known !== undefined) return replyText(c, known);
    const identity = JSON.stringify(presentMe(actor));
    identities.set(actor, identity);
    return replyText(c, identity);
  });

  return app;
}

const presentMe = (actor: Actor) => ({
  id: actor.id,
  kind: actor.kind,
  username: actor.name,
  email: actor.email,
  role: actor.role,
  tenant_id: actor.tenantId,
  privileges: [...actor.privileges].sort(),
  credential: {
    type: actor.credential.type,
    id: actor.credential.id,
    expires_at: formatOptionalTime(actor.credential.expiresAtMs),
    scopes: actor.scopes,
  },
});
