import { oauthApi, TOKEN_EXCHANGE } from '@pangolin/shared/contract/oauth';
import { Hono } from 'hono';
import type { Deps } from '../deps.ts';
import { requireCaller } from '../http/access.ts';
import type { Env } from '../http/env.ts';
import { toPangolinError } from '../http/errors.ts';
import { readHeader, readOrigin } from '../http/headers.ts';
import { replyEmpty, replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { authenticateClient } from './client-authentication.ts';
import { grantClientCredentials, grantTokenExchange } from './grants.ts';
import { introspect } from './introspection.ts';
import { oauthError, replyOAuthError } from './oauth-error.ts';
import { revokeByValue } from './revocation.ts';

export function oauthRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) =>
    replyOAuthError(c, toPangolinError(error, deps.log, c.env.requestId), readHeader(c, 'authorization')),
  );

  for (const endpoint of [
    oauthApi.token,
    oauthApi.tokenIceberg,
    oauthApi.tokenInCatalog,
    oauthApi.tokenInCatalogAlias,
  ]) {
    route(app, deps, endpoint, async (c, { body }) => {
      if (body.grant_type === undefined) throw oauthError('invalid_request', 'grant_type is missing.');
      if (body.grant_type !== 'client_credentials' && body.grant_type !== TOKEN_EXCHANGE) {
        throw oauthError('unsupported_grant_type', `grant_type must be client_credentials or ${TOKEN_EXCHANGE}.`);
      }
      const client = await authenticateClient(deps, c, body);
      const grant = body.grant_type === TOKEN_EXCHANGE ? grantTokenExchange : grantClientCredentials;
      return replyJson(c, await grant(deps, client, body, readOrigin(c)), 200, { pragma: 'no-cache' });
    });
  }

  route(app, deps, oauthApi.revoke, async (c, { body }) => {
    if (body.token === undefined) throw oauthError('invalid_request', 'token is missing.');
    await revokeByValue(deps, await authenticateClient(deps, c, body), body.token, readOrigin(c));
    return replyEmpty(c, 200);
  });

  route(app, deps, oauthApi.introspect, async (c, { body }) => {
    const asking = (await authenticateClient(deps, c, body)) ?? (await requireCaller(deps, c)).actor;
    if (body.token === undefined) throw oauthError('invalid_request', 'token is missing.');
    return replyJson(c, await introspect(deps, asking, body.token));
  });

  return app;
}
