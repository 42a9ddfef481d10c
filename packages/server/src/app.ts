import { PangolinError } from '@pangolin/shared/contract';
import { Hono } from 'hono';
import { auditRoutes } from './audit/routes.ts';
import { catalogRoutes } from './catalogs/routes.ts';
import type { Deps } from './deps.ts';
import type { Env } from './http/env.ts';
import { replyProblem, toPangolinError } from './http/errors.ts';
import { publicRoutes } from './installation/routes.ts';
import { oauthRoutes } from './oauth/routes.ts';
import { serviceUserRoutes } from './service-users/routes.ts';
import { settingsRoutes } from './settings/routes.ts';
import { tokenRoutes } from './tokens/routes.ts';
import { userRoutes } from './users/routes.ts';

/** The server as a function from Request to Response. */
export function createApp(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  app.onError((error, c) => replyProblem(c, toPangolinError(error, deps.log, c.env.requestId)));
  app.notFound(async (c) => {
    const { findMethods } = await import('./http/methods.ts');
    const allowed = findMethods(c.req.path);
    if (allowed.length === 0)
      return replyProblem(
        c,
        new PangolinError('not_found', 'There is nothing at this path.', { hint: 'See /api/v1/openapi.json' }),
      );
    return replyProblem(
      c,
      new PangolinError('method_not_allowed', `This path takes ${allowed.join(', ')}, not ${c.req.method}.`),
      { allow: allowed.join(', ') },
    );
  });

  app.route('/', publicRoutes(deps));
  app.route('/', userRoutes(deps));
  app.route('/', tokenRoutes(deps));
  app.route('/', serviceUserRoutes(deps));
  app.route('/', catalogRoutes(deps));
  app.route('/', settingsRoutes(deps));
  app.route('/', auditRoutes(deps));
  app.route('/', oauthRoutes(deps));
  return app;
}
