import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { PangolinError } from '@pangolin/shared/errors';
import { ICEBERG_PATHS, OAUTH_PATHS } from './app.ts';
import type { Log } from './deps.ts';
import { openServer } from './embedded.ts';
import type { Bindings } from './http/env.ts';
import { replyProblem, toPangolinError } from './http/errors.ts';
import { createGuard } from './http/guard.ts';
import { replyIcebergError } from './http/iceberg-errors.ts';
import { addressOf, bracket, createListener, drain, listenOnAll, portOf, readListenError } from './listening.ts';
import { mergeSlashes } from './merge-slashes.ts';
import { createNetworks, type Networks } from './networks.ts';
import { replyOAuthError } from './oauth/oauth-error.ts';
import { sweepDeletedTenants } from './tenants/sweep.ts';
import { HOUR_MS } from './times.ts';
import { pruneExpiredTokens } from './tokens/tokens.ts';

export interface ServeOptions {
  dataDir: string;
  ownerName: string;
  /** 0 takes a free one. */
  port: number;
  /** An address; none, or `localhost`: loopback, 127.0.0.1 and ::1 both. */
  host?: string;
  publicUrl?: string;
  /** Allows listening beyond loopback without TLS. */
  insecureHttp: boolean;
  /** The role that credentials for files on S3 are vended for, by its ARN. */
  s3RoleArn?: string;
  /** What PANGOLIN_MASTER_KEY holds, or the file that PANGOLIN_MASTER_KEY_FILE names. */
  masterKey?: string | undefined;
  masterKeyFile?: string | undefined;
  log?: Log;
  /** CIDR blocks of the proxies whose X-Forwarded-For is believed; nobody else's is. */
  trustedProxies?: readonly string[];
  /** From how many refused credentials a minute an address is answered 429. */
  failuresPerMinute?: number;
}

export interface RunningServer {
  /** Where a client on this machine finds it. */
  url: string;
  addresses: string[];
  /** Takes no more requests, finishes those it took, writes what is outstanding. */
  close(): Promise<void>;
}

const LAST_USED_INTERVAL_MS = 5_000;
const FAILURES_INTERVAL_MS = 1_000;

/** Serves a data directory over HTTP. Throws `invalid_argument` for an unsafe address, `unavailable` for a taken port. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const hosts = readHosts(options);
  const log = options.log ?? (await createLog());
  const publicUrl = options.publicUrl === undefined ? null : new URL(options.publicUrl).origin;
  const opened = await openServer({
    dataDir: options.dataDir,
    create: true,
    ownerName: options.ownerName,
    log,
    publicUrl,
    s3RoleArn: options.s3RoleArn ?? null,
    masterKey: options.masterKey,
    masterKeyFile: options.masterKeyFile,
    lastUsedIntervalMs: LAST_USED_INTERVAL_MS,
    failuresIntervalMs: FAILURES_INTERVAL_MS,
    ...(options.failuresPerMinute !== undefined && { failuresPerMinute: options.failuresPerMinute }),
  });
  const fetch = createFetch(opened, log, {
    hostNames: hosts.map(bracket),
    anyAddress: hosts.some((host) => host === '0.0.0.0' || host === '::'),
    publicUrl,
    trustedProxies: readTrustedProxies(options),
  });
  const listeners = await listenOnAll(hosts, options.port, () =>
    createListener(getRequestListener(fetch as Parameters<typeof getRequestListener>[0])),
  ).catch(async (error) => {
    await opened.close();
    throw readListenError(error, options.port);
  });
  const prune = () =>
    pruneExpiredTokens(opened.deps)
      .then(() => sweepDeletedTenants(opened.deps))
      .catch((err) => log.warn({ err }, 'expired tokens not pruned'));
  void prune();
  const pruning = setInterval(prune, HOUR_MS).unref();
  const addresses = listeners.map(({ server }) => addressOf(server));
  log.info({ addresses, data_dir: options.dataDir }, 'listening');
  return {
    url:
      publicUrl ??
      `http://${hosts.length > 1 ? 'localhost' : bracket(hosts[0] ?? 'localhost')}:${portOf(listeners[0]?.server)}`,
    addresses,
    async close() {
      clearInterval(pruning);
      await Promise.all(listeners.map(drain));
      await opened.deps.lastUsed.flush();
      await opened.deps.db.checkpoint().catch((err) => log.warn({ err }, 'write-ahead log not moved'));
      await opened.close();
      log.info({}, 'stopped');
    },
  };
}

/** What every request passes before it reaches the app: whose host, whose page, and a request id. */
function createFetch(
  { app, deps }: Awaited<ReturnType<typeof openServer>>,
  log: Log,
  options: Parameters<typeof createGuard>[0] & { trustedProxies: Networks | undefined },
) {
  const guard = createGuard(options);
  return (request: Request, { incoming }: { incoming: IncomingMessage }): Response | Promise<Response> => {
    const env: Bindings = { requestId: readRequestId(incoming.headers['x-request-id']), incoming };
    if (options.trustedProxies) env.trustedProxies = options.trustedProxies;
    try {
      guard({
        method: incoming.method ?? 'GET',
        url: incoming.url ?? '/',
        host: incoming.headers.host,
        origin: incoming.headers.origin,
        fetchSite: readOne(incoming.headers['sec-fetch-site']),
      });
    } catch (error) {
      const refusal = toPangolinError(error, log, env.requestId);
      log.warn(
        { request_id: env.requestId, code: refusal.code, host: incoming.headers.host, origin: incoming.headers.origin },
        'refused',
      );
      return replyRefusal(incoming, env, refusal);
    }
    const answer = app.fetch(request, env);
    return incoming.method === 'GET' ? answer : logAnswer(log, incoming, env, deps.now(), deps.now, answer);
  };
}

/** A refusal before anything was looked at, in the words of whoever the path belongs to. */
function replyRefusal({ url, method, headers }: IncomingMessage, env: Bindings, refusal: PangolinError): Response {
  const path = mergeSlashes(url?.split('?', 1)[0] ?? '');
  if (OAUTH_PATHS.test(path)) return replyOAuthError({ env }, refusal, headers.authorization);
  if (ICEBERG_PATHS.test(path)) return replyIcebergError({ env, req: { method: method ?? 'GET' } }, refusal);
  return replyProblem({ env }, refusal);
}

async function logAnswer(
  log: Log,
  incoming: IncomingMessage,
  env: Bindings,
  startMs: number,
  now: () => number,
  answer: Response | Promise<Response>,
) {
  const response = await answer;
  const path = hideSecrets(incoming.url?.split('?', 1)[0] ?? '');
  log.info(
    { request_id: env.requestId, method: incoming.method, path, status: response.status, ms: now() - startMs },
    'request',
  );
  return response;
}

/** A token or key that somebody put into a path by mistake. */
const hideSecrets = (path: string): string => path.replace(/eyJ[\w.%-]{20,}|pgl_\w+/g, '[secret]').slice(0, 500);

/** The caller's own id, so that its log and ours meet; else a new one. */
function readRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID();
}

const readOne = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

const readTrustedProxies = ({ trustedProxies = [] }: ServeOptions): Networks | undefined =>
  trustedProxies.length === 0 ? undefined : createNetworks(trustedProxies);

function readHosts(options: ServeOptions): string[] {
  const host = (options.host ?? 'localhost').replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  if (isIP(host) === 0)
    throw new PangolinError(
      'invalid_argument',
      `--host takes an address such as 0.0.0.0, not ${JSON.stringify(host)}.`,
    );
  const isLoopback = host === '::1' || host.startsWith('127.');
  if (isLoopback || options.insecureHttp) return [host];
  throw new PangolinError(
    'invalid_argument',
    `Listening on ${host} without TLS would send credentials over the network in the clear.`,
    {
      hint: 'Leave --host out to listen on this machine only; behind a proxy that speaks TLS, add --insecure-http --public-url https://…',
    },
  );
}

async function createLog(): Promise<Log> {
  // Bundled, a CommonJS module has its default export alone.
  const { default: pino } = await import('pino');
  const log: Log = pino(
    { base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
  return log;
}
