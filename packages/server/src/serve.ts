import { isIP } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { PangolinError } from '@pangolin/shared/errors';
import type { LogLevel } from './create-log.ts';
import type { Log } from './deps.ts';
import { openServer, systemClock } from './embedded.ts';
import { startHousekeeping } from './housekeeping.ts';
import { createBoundedLog } from './http/bounded-log.ts';
import { createDoor } from './http/door.ts';
import { createParserRefusal } from './http/parser-refusal.ts';
import { addressOf, bracket, createListener, drain, listenOnAll, portOf, readListenError } from './listening.ts';
import { createNetworks } from './networks.ts';
import type { Serving } from './serving.ts';
import { openTls } from './tls.ts';
import type { TlsFiles } from './tls-files.ts';

export interface ServeOptions {
  dataDir: string;
  /** A `postgres://` URL; without one the database is a file in `dataDir`. */
  databaseUrl?: string;
  ownerName: string;
  /** 0 takes a free one. */
  port: number;
  /** An address; none, or `localhost`: loopback, 127.0.0.1 and ::1 both. */
  host?: string;
  publicUrl?: string;
  /** Believes whoever asks: see credentials/unauthenticated.ts. On loopback alone, and behind no proxy. */
  noAuth?: boolean;
  /** Allows listening beyond loopback without TLS. */
  insecureHttp: boolean;
  /** Speaks TLS with these. */
  tls?: TlsFiles;
  /** The role that credentials for files on S3 are vended for, by its ARN. */
  s3RoleArn?: string;
  /** What PANGOLIN_MASTER_KEY holds, or the file that PANGOLIN_MASTER_KEY_FILE names. */
  masterKey?: string | undefined;
  masterKeyFile?: string | undefined;
  log?: Log;
  /** `info` unless said otherwise; `debug` logs requests that only read, too. */
  logLevel?: LogLevel;
  /** CIDR blocks of the proxies whose X-Forwarded-For is believed; nobody else's is. */
  trustedProxies?: readonly string[];
  /** CIDR blocks of those who may read /metrics; none: this machine. */
  metricsAllow?: readonly string[];
  /** From how many refused credentials a minute an address is answered 429. */
  failuresPerMinute?: number;
  /** How long it goes on answering, but is not ready, once it is told to stop; in milliseconds. */
  shutdownDelayMs?: number;
}

export interface RunningServer {
  /** Where a client on this machine finds it. */
  url: string;
  addresses: string[];
  /** Reads the TLS certificate and key again; of files that cannot be used the log says why, and the old ones stay. */
  reload(): Promise<void>;
  /** Is ready no more, then takes no more requests, finishes those it took, writes what is outstanding. */
  close(): Promise<void>;
}

const LAST_USED_INTERVAL_MS = 5_000;
const FAILURES_INTERVAL_MS = 1_000;

const WITHOUT_AUTH =
  'this server runs without authentication: whoever reaches it acts as its owner, or as whom X-DataHub-Actor names; ' +
  'tokens made here are refused by servers with authentication';

/** What is left of ten seconds when the last request has ended. */
const BACKGROUND_PATIENCE_MS = 2_000;

/** Serves a data directory over HTTP. Throws `invalid_argument` for an unsafe address or TLS files, `unavailable` for a taken port. */
export async function startServer(options: ServeOptions): Promise<RunningServer> {
  const hosts = readHosts(options);
  if (options.noAuth) refuseOthers(options);
  const { createLog } = await import('./create-log.ts');
  const log = createBoundedLog(options.log ?? (await createLog(options.logLevel ?? 'info')), systemClock);
  const publicUrl = options.publicUrl === undefined ? null : new URL(options.publicUrl).origin;
  const serving: Serving = { stopping: false, certificateEndsAtMs: null, metricsAllow: options.metricsAllow ?? [] };
  const tls = await openTls(options.tls, { log, now: systemClock, serving });
  const opened = await openServer({
    dataDir: options.dataDir,
    ...(options.databaseUrl !== undefined && { databaseUrl: options.databaseUrl }),
    create: true,
    ownerName: options.ownerName,
    log,
    publicUrl,
    ...(options.noAuth && { noAuth: true }),
    serving,
    s3RoleArn: options.s3RoleArn ?? null,
    masterKey: options.masterKey,
    masterKeyFile: options.masterKeyFile,
    lastUsedIntervalMs: LAST_USED_INTERVAL_MS,
    failuresIntervalMs: FAILURES_INTERVAL_MS,
    ...(options.failuresPerMinute !== undefined && { failuresPerMinute: options.failuresPerMinute }),
  });
  const answer = createDoor(opened.app, opened.deps, {
    guard: {
      hostNames: hosts.map(bracket),
      anyAddress: hosts.some((host) => host === '0.0.0.0' || host === '::'),
      publicUrl,
    },
    trustedProxies: options.trustedProxies?.length ? createNetworks(options.trustedProxies) : undefined,
    logsReading: options.logLevel === 'debug',
  });
  const refuse = createParserRefusal(opened.deps);
  const listeners = await listenOnAll(hosts, options.port, () =>
    createListener(getRequestListener(answer as Parameters<typeof getRequestListener>[0]), {
      identity: tls.identity,
      refuse,
    }),
  ).catch(async (error) => {
    tls.close();
    await opened.close();
    throw readListenError(error, options.port);
  });
  const housekeeping = startHousekeeping(opened.deps);
  const addresses = listeners.map(({ server }) => addressOf(server));
  log.info({ addresses, data_dir: options.dataDir, tls: tls.identity !== null }, 'listening');
  if (options.noAuth) log.warn({ auth_enabled: false, owner: options.ownerName }, WITHOUT_AUTH);
  return {
    url: publicUrl ?? readUrl(hosts, portOf(listeners[0]?.server), tls.identity !== null),
    addresses,
    async reload() {
      const identity = await tls.reload();
      if (identity) for (const listener of listeners) listener.renew(identity);
    },
    async close() {
      serving.stopping = true;
      log.info({}, 'stopping');
      if (options.shutdownDelayMs) await new Promise((resolve) => setTimeout(resolve, options.shutdownDelayMs));
      housekeeping.stop();
      tls.close();
      await Promise.all(listeners.map(drain));
      await opened.deps.lastUsed.flush();
      await opened.deps.db.checkpoint().catch((err) => log.warn({ err }, 'write-ahead log not moved'));
      await opened.close(BACKGROUND_PATIENCE_MS);
      log.info({}, 'stopped');
      log.close();
    },
  };
}

const readUrl = (hosts: readonly string[], port: number, isTls: boolean): string =>
  `${isTls ? 'https' : 'http'}://${hosts.length > 1 ? 'localhost' : bracket(hosts[0] ?? 'localhost')}:${port}`;

function readHosts(options: ServeOptions): string[] {
  const host = (options.host ?? 'localhost').replace(/^\[|\]$/g, '').toLowerCase();
  if (host === 'localhost') return ['127.0.0.1', '::1'];
  if (isIP(host) === 0)
    throw new PangolinError(
      'invalid_argument',
      `--host takes an address such as 0.0.0.0, not ${JSON.stringify(host)}.`,
    );
  if (isLoopback(host)) return [host];
  if (options.noAuth) throw reachableWithoutAuth(`--host ${host}`);
  if (options.insecureHttp || options.tls) return [host];
  throw new PangolinError(
    'invalid_argument',
    `Listening on ${host} without TLS would send credentials over the network in the clear.`,
    {
      hint: 'Give --tls-cert and --tls-key, or leave --host out to listen on this machine only; behind a proxy that speaks TLS, add --insecure-http --public-url https://…',
    },
  );
}

/** Without authentication nobody but this machine may reach the server, by whatever way. */
function refuseOthers({ publicUrl, trustedProxies }: ServeOptions): void {
  if (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname.replace(/^\[|\]$/g, '')))
    throw reachableWithoutAuth(`--public-url ${publicUrl}`);
  if (trustedProxies?.length) throw reachableWithoutAuth('--trusted-proxy');
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));

const reachableWithoutAuth = (setting: string) =>
  new PangolinError(
    'invalid_argument',
    `A server without authentication answers this machine alone, and ${setting} is for others to reach it by.`,
    { hint: 'Leave that out, its variable too, or leave --no-auth out.' },
  );
