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
import { MAX_SMALL_BODY_BYTES } from './body-budget.ts';
import { openCatalog } from './catalog.ts';
import { answerConfig } from './config.ts';
import { describeChange } from './describe-change.ts';
import { ENDPOINTS } from './endpoints.ts';
import { isObject, type JsonValue, parseJson } from './json.ts';
import { createPathReader, type IcebergPath } from './paths.ts';

/** The Iceberg REST API, at every base path that clients form. */
export function icebergRoutes(deps: Deps): Hono<Env> {
  const app = new Hono<Env>();
  const readPath = createPathReader();
  // Not by onError: in an app inside another, Hono has every request wait for that, also those without an error.
  app.all('*', (c): MaybePromise<Response> => {
    const fail = (error: unknown) => replyIcebergError(c, toPangolinError(error, deps.log, c.env.requestId));
    const proceed = (known: Caller) => serve(deps, c, known, readPath(c.req.url));
    try {
      const caller = requireCaller(deps, c);
      const answer = caller instanceof Promise ? caller.then(proceed) : proceed(caller);
      return answer instanceof Promise ? answer.catch(fail) : answer;
    } catch (error) {
      return fail(error);
    }
  });
  return app;
}

function serve(deps: Deps, c: Context<Env>, caller: Caller, path: IcebergPath): MaybePromise<Response> {
  if (path.isConfig) {
    if (c.req.method !== 'GET') throw methodNotAllowed(c, ['GET']);
    return answerConfig(deps, caller, path.catalog, c.req.query('warehouse')).then((answer) => reply(c, answer));
  }
  if (path.catalog === null) throw noSuchPath();
  const endpoint = findEndpoint(c, path);
  const asked: Asked = { deps, c, caller, path, endpoint, request: null };
  if (endpoint.action !== undefined) return changeOnRecord(asked, endpoint.action);
  const answer = handle(asked);
  return answer instanceof Promise ? answer.then((later) => reply(c, later)) : reply(c, answer);
}

/** A request on its way. */
interface Asked extends Pick<IcebergRequest, 'deps' | 'caller'> {
  c: Context<Env>;
  path: IcebergPath;
  endpoint: IcebergEndpoint;
  /** Once its catalog is open. */
  request: IcebergRequest | null;
}

async function changeOnRecord(asked: Asked, action: NonNullable<IcebergEndpoint['action']>): Promise<Response> {
  try {
    return reply(asked.c, await handle(asked));
  } catch (error) {
    const { path, request } = asked;
    asked.c.env.refused = describeChange(action, path, request?.about ?? null);
    throw error;
  }
}

function handle(asked: Asked): MaybePromise<Answer> {
  const { deps, c, caller, path, endpoint } = asked;
  const name = path.catalog ?? '';
  requireSight(caller.actor, name, [], endpoint.action === undefined ? 'read' : 'write');
  const catalog = openCatalog(deps, caller, name);
  const proceed = (opened: Awaited<typeof catalog>) => {
    const request: IcebergRequest = {
      deps,
      caller,
      catalog: opened,
      namespace: path.namespace,
      object: path.object,
      base: path.base,
      about: null,
      query: path.query,
      header: (header) => readHeader(c, header),
      readBody: () => readBody(deps, c, endpoint.maxBodyBytes ?? MAX_SMALL_BODY_BYTES),
    };
    asked.request = request;
    return endpoint.handle(request);
  };
  return catalog instanceof Promise ? catalog.then(proceed) : proceed(catalog);
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

async function readBody(deps: Deps, c: Context<Env>, maxBytes: number) {
  const held = deps.iceberg.bodies.open();
  const text = await readJsonText(c, maxBytes, held.take).finally(held.release);
  const body = parseBody(text);
  if (!isObject(body)) throw new PangolinError('invalid_request', 'The body must be a JSON object.');
  return body;
}

function parseBody(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    const message = cause instanceof PangolinError ? cause.message.replace(/^It /, 'The body ') : 'It cannot be read.';
    throw new PangolinError('invalid_request', message, { cause });
  }
}

const noSuchPath = () =>
  new PangolinError('not_found', 'There is nothing at this path. See GET /v1/config for what is served.');

const methodNotAllowed = (c: Context<Env>, methods: string[]) =>
  new PangolinError('method_not_allowed', `This path takes ${methods.join(', ')}, not ${c.req.method}.`);
