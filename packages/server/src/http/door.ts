import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PangolinError } from '@pangolin/shared/errors';
import { type App, ICEBERG_PATHS, OAUTH_PATHS } from '../app.ts';
import { noteRefusal } from '../audit/note-refusal.ts';
import type { Deps } from '../deps.ts';
import { mergeSlashes } from '../merge-slashes.ts';
import type { Networks } from '../networks.ts';
import { replyOAuthError } from '../oauth/oauth-error.ts';
import { monotonicMs } from '../times.ts';
import type { Bindings } from './env.ts';
import { replyProblem, toPangolinError } from './errors.ts';
import { createGuard } from './guard.ts';
import { replyIcebergError } from './iceberg-errors.ts';
import { isReading, logRequest } from './request-log.ts';
import { createUnauthenticatedGuard } from './unauthenticated-guard.ts';

export interface DoorOptions {
  guard: Parameters<typeof createGuard>[0];
  /** Whose X-Forwarded-For is believed; undefined: nobody's. */
  trustedProxies: Networks | undefined;
  /** Also requests that only read. */
  logsReading: boolean;
}

/** What every request over a port passes on its way in and out: its id, the guard, the counters, the log. */
export function createDoor(app: App, deps: Deps, options: DoorOptions) {
  const { log, metrics, serving } = deps;
  const guard = createGuard(options.guard);
  const guardBelief = deps.authenticates ? undefined : createUnauthenticatedGuard(options.guard.publicUrl);

  function finish(incoming: IncomingMessage, env: Bindings, startMs: number, response: Response): Response {
    const ms = monotonicMs() - startMs;
    const { method } = incoming;
    const { status } = response;
    metrics.answered(env, method, status, ms / 1000);
    if (status >= 400 || options.logsReading || !isReading(method)) logRequest(log, incoming, env, { status, ms });
    return response;
  }

  async function finishLater(
    incoming: IncomingMessage,
    env: Bindings,
    startMs: number,
    answer: Promise<Response>,
  ): Promise<Response> {
    metrics.begin();
    try {
      return finish(incoming, env, startMs, await answer);
    } finally {
      metrics.end();
    }
  }

  return (request: Request, { incoming, outgoing }: { incoming: IncomingMessage; outgoing: ServerResponse }) => {
    const startMs = monotonicMs();
    const env: Bindings = { requestId: readRequestId(incoming.headers['x-request-id']), incoming };
    if (options.trustedProxies) env.trustedProxies = options.trustedProxies;
    // A client that always has one more request would keep its connection for ever.
    if (serving.stopping) outgoing.shouldKeepAlive = false;
    try {
      guard({
        method: incoming.method ?? 'GET',
        url: incoming.url ?? '/',
        host: incoming.headers.host,
        origin: incoming.headers.origin,
        fetchSite: readOne(incoming.headers['sec-fetch-site']),
      });
      guardBelief?.(incoming);
    } catch (error) {
      const refusal = toPangolinError(error, log, env.requestId);
      const answer = replyRefusal(incoming, env, refusal);
      noteRefusal(deps, { method: incoming.method ?? 'GET', url: incoming.url ?? '/' }, env);
      return finish(incoming, env, startMs, answer);
    }
    const answer = app.fetch(request, env);
    return answer instanceof Promise
      ? finishLater(incoming, env, startMs, answer)
      : finish(incoming, env, startMs, answer);
  };
}

/** A refusal before anything was looked at, in the words of whoever the path belongs to. */
function replyRefusal({ url, method, headers }: IncomingMessage, env: Bindings, refusal: PangolinError): Response {
  const path = mergeSlashes(url?.split('?', 1)[0] ?? '');
  if (OAUTH_PATHS.test(path)) return replyOAuthError({ env }, refusal, headers.authorization);
  if (ICEBERG_PATHS.test(path)) return replyIcebergError({ env, req: { method: method ?? 'GET' } }, refusal);
  return replyProblem({ env }, refusal);
}

/** The caller's own id, so that its log and ours meet; else a new one. */
function readRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}

const readOne = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
