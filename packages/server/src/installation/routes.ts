import { publicApi } from '@pangolin/shared/contract/public';
import { type Context, Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { replyJson } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { createMetadata } from '../oauth/metadata.ts';
import { readSettings } from '../settings/settings.ts';
import { pingDatabase } from './store.ts';

/** What this server can do; an original Pangolin answers no `features` at all. */
const FEATURES = ['tokens', 'service-users', 'users', 'oauth2', 'catalogs', 'audit', 'settings', 'tenants', 'policies'];

/** The few paths that need no credential. */
export function publicRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();

  route(app, deps, publicApi.health, (c) => replyJson(c, { status: 'ok' }));

  route(app, deps, publicApi.ready, async (c) => {
    await pingDatabase(deps.db.read);
    return replyJson(c, { status: 'ok' });
  });

  route(app, deps, publicApi.appConfig, async (c) => {
    const settings = await readSettings(deps.db.read, deps.installation.defaultTenantId);
    return replyJson(c, {
      auth_enabled: true,
      version: deps.version,
      features: FEATURES,
      token_policy: {
        default_days: settings.default_token_days,
        max_days: settings.max_token_days,
        max_per_user: settings.max_tokens_per_user,
      },
    });
  });

  route(app, deps, publicApi.jwks, async (c) =>
    replyJson(c, await deps.signingKeys.readJwks(), 200, { 'cache-control': 'public, max-age=300' }),
  );

  route(app, deps, publicApi.metadata, (c) => replyJson(c, createMetadata(deps.publicUrl ?? readOwnOrigin(c))));

  app.get('/api/v1/openapi.json', async (c) => {
    const { createOpenApi } = await import('../http/openapi.ts');
    return replyJson(c, createOpenApi(deps.version));
  });

  return app;
}

/** Where the client found this server: by the Host that was checked, whatever URL a request line named. */
const readOwnOrigin = (c: Context<Env>): string => `http://${c.env.incoming?.headers.host ?? new URL(c.req.url).host}`;
