import type { Endpoint } from '@pangolin/shared/contract/endpoint';
import { PangolinError } from '@pangolin/shared/errors';
import type { Context, Hono } from 'hono';
import type * as z from 'zod/mini';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { requireCaller } from './access.ts';
import { readFields, readFormBody, readJsonBody, readQuery } from './body.ts';
import type { Env } from './env.ts';
import { replyProblem } from './errors.ts';

type Parsed<Schema> = Schema extends z.ZodMiniType ? z.output<Schema> : undefined;

/** A request whose caller is known and whose parts are what the contract says. */
interface Input<E extends Endpoint> {
  caller: E['access'] extends 'credential' ? Caller : undefined;
  params: Parsed<E['params']>;
  query: Parsed<E['query']>;
  body: Parsed<E['body']>;
}

type Handler<E extends Endpoint> = (c: Context<Env>, input: Input<E>) => Response | Promise<Response>;

/** Reading and writing more items than that takes milliseconds, in which nobody else is answered. */
const LONG_LIST = 100;

/**
 * Serves an endpoint of the contract: first who is asking, then what, then the handler.
 * A request that needs no reading goes through without a promise.
 */
export function route<E extends Endpoint>(app: Hono<Env>, deps: Deps, endpoint: E, handle: Handler<E>): void {
  const run = (c: Context<Env>, caller: Caller | undefined): Response | Promise<Response> => {
    const input = { caller, params: undefined, query: undefined, body: undefined } as Input<E>;
    if (endpoint.params) input.params = readFields(endpoint.params, c.req.param()) as Input<E>['params'];
    if (endpoint.query) input.query = readFields(endpoint.query, readQuery(c.req.url)) as Input<E>['query'];
    if (!endpoint.body) return isLongList(input.query) ? inTurn(c, input) : handle(c, input);
    const body =
      endpoint.bodyType === 'form'
        ? readFormBody(c, endpoint.body)
        : readJsonBody(c, endpoint.body, endpoint.bodyOptional ?? false);
    return body.then((parsed) => handle(c, { ...input, body: parsed } as Input<E>));
  };

  /** A credential that is ended before its turn comes is told nothing any more. */
  const inTurn = async (c: Context<Env>, input: Input<E>): Promise<Response> => {
    await deps.turns.next(input.caller?.actor.id ?? '');
    const caller = (await authenticate(c)) as Input<E>['caller'];
    return handle(c, { ...input, caller });
  };

  const authenticate = (c: Context<Env>) => (endpoint.access === 'public' ? undefined : requireCaller(deps, c));

  const serve = (c: Context<Env>): Response | Promise<Response> => {
    const caller = authenticate(c);
    return caller instanceof Promise ? caller.then((known) => run(c, known)) : run(c, caller);
  };

  const endsWithName = endpoint.path.endsWith('}');
  app.on(
    endpoint.method.toUpperCase(),
    [endpoint.path.replace(/\{(\w+)\}/g, ':$1')],
    (c): Response | Promise<Response> => {
      c.env.endpoint = endpoint;
      if (!endsWithName || !/\/[a-z-]+$/.test(c.req.path)) return serve(c);
      return findOtherMethods(endpoint, c.req.path).then((others) => (others ? replyMethods(c, others) : serve(c)));
    },
  );
}

const isLongList = (query: unknown): boolean =>
  typeof query === 'object' &&
  query !== null &&
  'limit' in query &&
  typeof query.limit === 'number' &&
  query.limit > LONG_LIST;

/** A path that is written out elsewhere, such as `/tokens/rotate`, is that path, and not one with a wrong id. */
async function findOtherMethods({ method }: Endpoint, path: string): Promise<string[] | undefined> {
  const { findMethods } = await import('./openapi.ts');
  const allowed = findMethods(path);
  return allowed.includes(method.toUpperCase()) ? undefined : allowed;
}

/** Answers 405 with the methods that a path takes. */
export const replyMethods = (c: Context<Env>, allowed: readonly string[]): Response =>
  replyProblem(
    c,
    new PangolinError('method_not_allowed', `This path takes ${allowed.join(', ')}, not ${c.req.method}.`),
    { allow: allowed.join(', ') },
  );
