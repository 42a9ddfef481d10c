import { PangolinError } from '@pangolin/shared/errors';
import { type Context, Hono } from 'hono';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { requireCaller } from '../http/access.ts';
import { readJsonText } from '../http/body.ts';
import type { Env } from '../http/env.ts';
import { toPangolinError } from '../http/errors.ts';
import { readHeader } from '../http/headers.ts';
import { replyIcebergError } from '../http/iceberg-errors.ts';
import { replyEmpty, replyText } from '../http/reply.ts';
import type { MaybePromise } from '../maybe-promise.ts';
import { requireSight } from '../policies/catalog-access.ts';
import type { Answer, IcebergEndpoint, IcebergRequest } from './answer.ts';
import { openCatalog } from './catalog.ts';
import { answerConfig } from './config.ts';
import { ENDPOINTS } from './endpoints.ts';
import { isObject, parseJson } from './json.ts';
import { createPathReader, type IcebergPath } from './paths.ts';
import { recordRefusal } from './refusals.ts';

/** Bodies of large commits. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** The Iceberg REST API, at every base path that clients form. */
export function icebergRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  const readPath = createPathReader();
  app.onError((error, c) => replyIcebergError(c, toPangolinError(error, deps.log, c.env.requestId)));
  app.all('*', (c): MaybePromise<Response> => {
    const caller = requireCaller(deps, c);
    const proceed = (known: Caller) => serve(deps, c, known, readPath(c.req.url));
    return caller instanceof Promise ? caller.then(proceed) : proceed(caller);
  });
  return app;
}

function serve(deps: Deps, c: Context<Env>, caller: Caller, path: IcebergPath): MaybePromise<Response> {
  if (path.isConfig) {
    if (c.req.method !== 'GET') throw methodNotAllowed(c, ['GET']);
    return answerConfig(deps, caller, path.catalog, c.req.query('warehouse')).then((answer) => reply(c, answer));
  }
  if (path.catalog === null) throw noSuchPath();
  requireSight(caller.actor, path.catalog, []);
  const catalog = openCatalog(deps, caller, path.catalog);
  const proceed = (opened: Awaited<typeof catalog>) => {
    const endpoint = findEndpoint(c, path);
    const request: IcebergRequest = {
      deps,
      caller,
      catalog: opened,
      namespace: path.namespace,
      object: path.object,
      query: new URLSearchParams(path.search),
      header: (name) => readHeader(c, name),
      readBody: () => readBody(c),
    };
    return run(c, endpoint, request);
  };
  return catalog instanceof Promise ? catalog.then(proceed) : proceed(catalog);
}

function run(c: Context<Env>, endpoint: IcebergEndpoint, request: IcebergRequest): MaybePromise<Response> {
  if (endpoint.action !== undefined) return runChange(c, endpoint, request);
  const answer = endpoint.handle(request);
  return answer instanceof Promise ? answer.then((later) => reply(c, later)) : reply(c, answer);
}

async function runChange(c: Context<Env>, endpoint: IcebergEndpoint, request: IcebergRequest): Promise<Response> {
  try {
    return reply(c, await endpoint.handle(request));
  } catch (error) {
    await recordRefusal(request, endpoint, error);
    throw error;
  }
}

const reply = (c: Context<Env>, { status, text, headers }: Answer): Response =>
  text === null ? replyEmpty(c, status, headers) : replyText(c, text, status, headers);

function findEndpoint(c: Context<Env>, { template }: IcebergPath): IcebergEndpoint {
  const served = ENDPOINTS.get(template);
  if (!served) throw noSuchPath();
  const endpoint = served.get(c.req.method);
  if (!endpoint) throw methodNotAllowed(c, [...served.keys()]);
  return endpoint;
}

async function readBody(c: Context<Env>) {
  const body = parseJson(await readJsonText(c, MAX_BODY_BYTES));
  if (!isObject(body)) throw new PangolinError('invalid_request', 'The body must be a JSON object.');
  return body;
}

const noSuchPath = () =>
  new PangolinError('not_found', 'There is nothing at this path. See GET /v1/config for what is served.');

const methodNotAllowed = (c: Context<Env>, methods: string[]) =>
  new PangolinError('method_not_allowed', `This path takes ${methods.join(', ')}, not ${c.req.method}.`);
