import { PangolinError } from '@pangolin/shared/errors';
import { Hono } from 'hono';
import type { Deps } from './deps.ts';
import type { Env } from './http/env.ts';
import { replyProblem, toPangolinError } from './http/errors.ts';

/** Every mount: which paths are a feature's, and where its routes are. The first that matches has the path. */
const FEATURES = [
  {
    paths: /^\/(?:health|\.well-known|api\/v1\/(?:app|openapi\.json))(?:\/|$)/,
    load: async () => (await import('./installation/routes.ts')).publicRoutes,
  },
  {
    paths: /^\/api\/v1\/(?:tokens|auth|users\/[^/]+\/tokens)(?:\/|$)/,
    load: async () => (await import('./tokens/routes.ts')).tokenRoutes,
  },
  { paths: /^\/api\/v1\/users(?:\/|$)/, load: async () => (await import('./users/routes.ts')).userRoutes },
  {
    paths: /^\/api\/v1\/service-users(?:\/|$)/,
    load: async () => (await import('./service-users/routes.ts')).serviceUserRoutes,
  },
  { paths: /^\/api\/v1\/catalogs(?:\/|$)/, load: async () => (await import('./catalogs/routes.ts')).catalogRoutes },
  { paths: /^\/api\/v1\/config(?:\/|$)/, load: async () => (await import('./settings/routes.ts')).settingsRoutes },
  { paths: /^\/api\/v1\/audit(?:\/|$)/, load: async () => (await import('./audit/routes.ts')).auditRoutes },
  {
    paths: /^\/(?:oauth2\/|v1\/(?:[^/]+\/(?:v1\/)?)?oauth\/)/,
    load: async () => (await import('./oauth/routes.ts')).oauthRoutes,
  },
];

type Feature = (typeof FEATURES)[number];

/** The whole server as a function from Request to Response. */
export const createApp = (deps: Deps): Promise<Hono<Env>> => mount(deps, FEATURES);

/** The same for a process that asks little and ends soon: a feature is loaded by the first request for it. */
export function createLateApp(deps: Deps): (path: string) => Promise<Hono<Env>> {
  const mounted = new Map<Feature | undefined, Promise<Hono<Env>>>();
  return (path) => {
    const feature = FEATURES.find((one) => one.paths.test(path));
    const app = mounted.get(feature) ?? mount(deps, feature ? [feature] : []);
    mounted.set(feature, app);
    return app;
  };
}

async function mount(deps: Deps, features: readonly Feature[]): Promise<Hono<Env>> {
  const app = new Hono<Env>();
  app.onError((error, c) => replyProblem(c, toPangolinError(error, deps.log, c.env.requestId)));
  app.notFound(async (c) => {
    const { findMethods } = await import('./http/methods.ts');
    const allowed = findMethods(c.req.path);
    const error =
      allowed.length === 0
        ? new PangolinError('not_found', 'There is nothing at this path.', { hint: 'See /api/v1/openapi.json' })
        : new PangolinError('method_not_allowed', `This path takes ${allowed.join(', ')}, not ${c.req.method}.`);
    return replyProblem(c, error, allowed.length === 0 ? {} : { allow: allowed.join(', ') });
  });
  for (const routes of await Promise.all(features.map((feature) => feature.load()))) app.route('/', routes(deps));
  return app;
}
