import { publicApi } from '@pangolin/shared/contract/public';
import { PangolinError } from '@pangolin/shared/errors';
import { type Context, Hono } from 'hono';
import type { Deps } from '../deps.ts';
import type { Env } from '../http/env.ts';
import { replyProblem } from '../http/errors.ts';
import { isOverTls } from '../http/headers.ts';
import { replyJson, replyText } from '../http/reply.ts';
import { route } from '../http/route.ts';
import { createMetricsReaders, mayReadMetrics, readMetrics } from '../metrics/read-metrics.ts';
import { createMetadata } from '../oauth/metadata.ts';
import { readSettings } from '../settings/settings.ts';
import { createReadiness } from './readiness.ts';

/** Prometheus' text format. */
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** What this server can do; an original Pangolin answers no `features` at all. */
const FEATURES = ['tokens', 'service-users', 'users', 'oauth2', 'catalogs', 'audit', 'settings', 'tenants', 'policies'];

/** The few paths that need no credential. */
export function publicRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  const readReadiness = createReadiness(deps);
  const metricsReaders = createMetricsReaders(deps.serving.metricsAllow);

  route(app, deps, publicApi.health, (c) => replyJson(c, { status: 'ok' }));

  route(app, deps, publicApi.ready, async (c) => {
    const unready = await readReadiness();
    return unready ? replyProblem(c, unready.error, {}, { reason: unready.reason }) : replyJson(c, { status: 'ok' });
  });

  route(app, deps, publicApi.metrics, async (c) => {
    if (!mayReadMetrics(metricsReaders, c.env)) throw new PangolinError('not_found', 'There is nothing at this path.');
    return replyText(c, await readMetrics(deps), 200, { 'content-type': METRICS_TYPE });
  });

  route(app, deps, publicApi.appConfig, async (c) => {
    const settings = await readSettings(deps.db.read, deps.installation.defaultTenantId);
    return replyJson(c, {
      auth_enabled: deps.authenticates,
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
function readOwnOrigin({ env, req }: Context<Env>): string {
  return `${isOverTls({ env }) ? 'https' : 'http'}://${env.incoming?.headers.host ?? new URL(req.url).host}`;
}
