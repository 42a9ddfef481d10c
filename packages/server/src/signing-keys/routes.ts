import { signingKeysApi } from '@pangolin/shared/contract/signing-keys';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { readCursor, replyPage, withOneMore } from '../http/pages.ts';
import { replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { requirePermission } from '../policies/permissions.ts';
import { rotateMasterKey } from './rotate-master-key.ts';
import { presentSigningKey, rotateSigningKey } from './rotate-signing-key.ts';
import { countSigningKeys, listSigningKeys } from './store.ts';

export function signingKeyRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, signingKeysApi.list, async (c, { caller, query }) => {
    requirePermission(caller.actor, 'signing_keys:read');
    const rows = await listSigningKeys(deps.db.read, readCursor(query.cursor, 'string'), withOneMore(query));
    return replyPage(c, query, {
      items: rows.map(presentSigningKey),
      cursorOf: (key) => key.kid,
      count: () => countSigningKeys(deps.db.read),
    });
  });

  route(app, deps, signingKeysApi.rotate, async (c, { caller }) => replyJson(c, await rotateSigningKey(deps, caller)));

  route(app, deps, signingKeysApi.reseal, async (c, { caller }) => replyJson(c, await rotateMasterKey(deps, caller)));

  return app;
}
