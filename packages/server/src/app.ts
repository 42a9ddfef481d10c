import { PangolinError } from '@pangolin/shared/errors';
import { Hono } from 'hono';
import { getPath } from 'hono/utils/url';
import { noteRefusal } from './audit/note-refusal.ts';
import type { controlRoutes } from './control.ts';
import type { Deps } from './deps.ts';
import type { Bindings, Env } from './http/env.ts';
import { replyProblem, toPangolinError } from './http/errors.ts';
import { replyMethods } from './http/route.ts';
import { mergeSlashes } from './merge-slashes.ts';
import { tokenRoutes } from './tokens/routes.ts';

/** Where errors are answered as RFC 6749 §5.2 has them; under /v1 the token endpoint is where Iceberg's clients look. */
export const OAUTH_PATHS = /^\/(?:oauth2\/|v1\/(?:[^/]+\/(?:v1\/)?)?oauth\/)/;

/** Where errors are answered as the Iceberg REST specification has them; what is OAuth's is not here. */
export const ICEBERG_PATHS = /^\/v1(?:\/|$)/;

const control = (name: keyof typeof controlRoutes) => async () => (await import('./control.ts')).controlRoutes[name];

/** Every mount: which paths are a feature's, and where its routes are. The first that matches has the path. Metrics go by name. */
const FEATURES = [
  {
    name: 'public',
    paths: /^\/(?:health|\.well-known|metrics|api\/v1\/(?:app|openapi\.json))(?:\/|$)/,
    load: control('public'),
  },
  {
    name: 'tokens',
    paths: /^\/api\/v1\/(?:tokens|auth|users\/[^/]+\/tokens)(?:\/|$)/,
    load: async () => tokenRoutes,
  },
  {
    name: 'sessions',
    paths: /^\/api\/v1\/users\/(?:login|logout|me)$/,
    load: control('sessions'),
  },
  {
    name: 'users',
    paths: /^\/api\/v1\/users(?:\/|$)/,
    load: control('users'),
  },
  {
    name: 'service-users',
    paths: /^\/api\/v1\/service-users(?:\/|$)/,
    load: control('serviceUsers'),
  },
  {
    name: 'tenants',
    paths: /^\/api\/v1\/tenants(?:\/|$)/,
    load: control('tenants'),
  },
  {
    name: 'catalogs',
    paths: /^\/api\/v1\/catalogs(?:\/|$)/,
    load: control('catalogs'),
  },
  {
    name: 'settings',
    paths: /^\/api\/v1\/config(?:\/|$)/,
    load: control('settings'),
  },
  {
    name: 'policies',
    paths: /^\/api\/v1\/policies(?:\/|$)/,
    load: control('policies'),
  },
  {
    name: 'signing-keys',
    paths: /^\/api\/v1\/signing-keys(?:\/|$)/,
    load: control('signingKeys'),
  },
  {
    name: 'audit',
    paths: /^\/api\/v1\/audit(?:\/|$)/,
    load: control('audit'),
  },
  {
    name: 'datahub',
    paths: /^\/(?:(?:api\/gms\/)?(?:config|entities|entitiesV2|aspects|openapi)(?:\/|$)|(?:api\/)?logIn$)/,
    load: control('datahub'),
  },
  {
    name: 'graphql',
    // DataHub's command line asks at /api/api where it was given an address that ends with /api/gms.
    paths: /^\/api\/(?:gms\/)?(?:api\/)?(?:v2\/)?graphql\/?$/,
    load: control('graphql'),
  },
  { name: 'oauth', paths: OAUTH_PATHS, load: async () => (await import('./oauth/routes.ts')).oauthRoutes },
  { name: 'iceberg', paths: ICEBERG_PATHS, load: async () => (await import('./iceberg/routes.ts')).icebergRoutes },
];

type Feature = (typeof FEATURES)[number];

/** The server as a function from Request to Response. */
export interface App {
  /** Without a promise where the feature is loaded and its handler needs none. */
  fetch(request: Request, env: Bindings): Response | Promise<Response>;
  /** Loads every feature now, as a server does that stays; a command loads what its request needs. */
  load(): Promise<void>;
}

/** Mounts every feature, each with a router of its own: small ones match by one regular expression. */
export function createApp(deps: Deps): App {
  const loaded = new Map<Feature | undefined, Hono<Env>>();
  const loading = new Map<Feature | undefined, Promise<Hono<Env>>>();

  function load(feature: Feature | undefined): Promise<Hono<Env>> {
    const known = loading.get(feature);
    if (known) return known;
    const mounting = mount(deps, feature);
    loading.set(feature, mounting);
    mounting.then(
      (app) => loaded.set(feature, app),
      // The next request tries again: what could not be read now may be there then.
      () => loading.delete(feature),
    );
    return mounting;
  }

  function answerRequest(request: Request, env: Bindings): Response | Promise<Response> {
    const path = readPath(request.url);
    const feature = FEATURES.find((one) => one.paths.test(path));
    env.group = feature?.name ?? 'other';
    const app = loaded.get(feature);
    return app ? app.fetch(request, env) : load(feature).then((late) => late.fetch(request, env));
  }

  return {
    fetch(request, env) {
      const answer = answerRequest(request, env);
      const finish = (response: Response): Response => {
        if (env.refusal !== undefined) noteRefusal(deps, request, env);
        return response;
      };
      return answer instanceof Promise ? answer.then(finish) : finish(answer);
    },
    async load() {
      await Promise.all([undefined, ...FEATURES].map(load));
    },
  };
}

/** The path of an absolute URL, without its query. */
function readPath(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const end = url.indexOf('?', start);
  return mergeSlashes(url.slice(start, end < 0 ? undefined : end));
}

async function mount(deps: Deps, feature: Feature | undefined): Promise<Hono<Env>> {
  const app = new Hono<Env>({ getPath: (request) => mergeSlashes(getPath(request)) });
  app.onError((error, c) => replyProblem(c, toPangolinError(error, deps.log, c.env.requestId)));
  app.notFound(async (c) => {
    const { findMethods } = await import('./http/openapi.ts');
    const allowed = findMethods(c.req.path);
    if (allowed.length > 0) return replyMethods(c, allowed);
    const hint = 'See /api/v1/openapi.json';
    return replyProblem(c, new PangolinError('not_found', 'There is nothing at this path.', { hint }));
  });
  if (feature) app.route('/', (await feature.load())(deps));
  return app;
}
