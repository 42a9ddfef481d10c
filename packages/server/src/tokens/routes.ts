import { type TokenPage, tokensApi } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import { type Context, Hono } from 'hono';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, replyPart, withOneMore } from '../http/pages.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { findPrincipal } from '../principals/principals.ts';
import { mintToken } from './mint.ts';
import { findPersonalTokens } from './personal-tokens.ts';
import { presentToken } from './present.ts';
import { pruneTokens } from './prune.ts';
import { readStanding } from './standing.ts';
import { countTokens, listTokens } from './store.ts';
import {
  readToken,
  requirePresentedToken,
  revokePresentedToken,
  revokeToken,
  revokeTokensOf,
  rotateToken,
} from './tokens.ts';

export function tokenRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, tokensApi.listOfTenant, async (c, { caller, query }) => {
    const beforeId = readCursor(query.cursor, 'string');
    const found = await findPersonalTokens(deps, caller.actor, query, { ...query, beforeId });
    return replyPart(c, query, { ...found, items: found.items.map(presentToken) });
  });

  route(app, deps, tokensApi.listOwn, (c, { caller, query }) => {
    requirePermission(caller.actor, 'tokens:read');
    return replyTokens(c, caller, caller.actor.id, query);
  });

  route(app, deps, tokensApi.listOfUser, async (c, { caller, params, query }) => {
    const id = params.id.toLowerCase();
    requirePermission(caller.actor, id === caller.actor.id ? 'tokens:read' : 'tokens:manage');
    const principal = await findPrincipal(deps.db.read, { tenantId: caller.actor.tenantId, id });
    if (!principal)
      throw new PangolinError('not_found', 'There is no such user.', {
        hint: 'See the users: pangolin-admin list-users',
      });
    return replyTokens(c, caller, id, query);
  });

  route(app, deps, tokensApi.create, async (c, { caller, body }) => replyJson(c, await mintToken(deps, caller, body)));

  route(app, deps, tokensApi.getSelf, async (c, { caller }) =>
    replyJson(c, presentToken(await readToken(deps, caller, requirePresentedToken(caller)))),
  );

  route(app, deps, tokensApi.get, async (c, { caller, params }) => {
    requirePermission(caller.actor, 'tokens:read');
    return replyJson(c, presentToken(await readToken(deps, caller, params.id)));
  });

  route(app, deps, tokensApi.delete, async (c, { caller, params }) => {
    await revokeToken(deps, caller, params.id, undefined);
    return replyEmpty(c);
  });

  for (const endpoint of [tokensApi.revokeSelf, tokensApi.revokeSelfAlias]) {
    route(app, deps, endpoint, async (c, { caller, body }) => {
      await revokePresentedToken(deps, caller, body.reason);
      return replyJson(c, { message: 'Token revoked.' });
    });
  }

  for (const endpoint of [tokensApi.revoke, tokensApi.revokeAlias]) {
    route(app, deps, endpoint, async (c, { caller, params, body }) => {
      const ended = await revokeToken(deps, caller, params.jti, body.reason);
      return replyJson(c, {
        message: describeRevocation(params.jti.toLowerCase(), ended),
      });
    });
  }

  route(app, deps, tokensApi.revokeOfUser, async (c, { caller, params, body }) => {
    const name = await revokeTokensOf(deps, caller, params.id, body.reason);
    return replyJson(c, { message: `Everything issued to ${name} until now is revoked.` });
  });

  route(app, deps, tokensApi.prune, async (c, { caller, body }) => replyJson(c, await pruneTokens(deps, caller, body)));

  route(app, deps, tokensApi.rotate, async (c, { caller }) => replyJson(c, await rotateToken(deps, caller)));

  async function replyTokens(c: Context<Env>, { actor }: Caller, ownerId: string, query: TokenPage): Promise<Response> {
    const standing = await readStanding(deps.db.read, deps, actor.tenantId);
    const filter = {
      tenantId: actor.tenantId,
      ownerId,
      status: query.status,
      beforeId: readCursor(query.cursor, 'string'),
    };
    const rows = await listTokens(deps.db.read, filter, standing, withOneMore(query));
    return replyPage(c, query, {
      items: rows.map(presentToken),
      cursorOf: (token) => token.id,
      count: () => countTokens(deps.db.read, filter, standing),
    });
  }

  return app;
}

function describeRevocation(asked: string, ended: string | null): string {
  if (ended === null) return `Token ${asked} was revoked already.`;
  return ended === asked
    ? `Token ${asked} revoked.`
    : `Token ${asked} had been rotated; ${ended}, which took its place, is revoked.`;
}
