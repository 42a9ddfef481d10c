import { randomBytes, randomUUID } from 'node:crypto';
import { PangolinError } from '@pangolin/shared/errors';

import { type App, createApp } from './app.ts';
import { createRefusals } from './audit/refusals.ts';
import { createNetworkLists } from './credentials/networks.ts';
import { createCredentialReader } from './credentials/store.ts';
import { createVerifiedCredentials } from './credentials/verified-credentials.ts';
import type { Deps, Log } from './deps.ts';
import type { Bindings } from './http/env.ts';
import { createLightRequest, createLightResponse } from './http/light-messages.ts';
import { createIcebergState } from './iceberg/iceberg-state.ts';
import { createWarehouses } from './iceberg/warehouse/open-warehouse.ts';
import { createUuidV7 } from './ids.ts';
import { ensureDataDirectory, openDataDirectory } from './installation/data-directory.ts';
import { openInstallation } from './installation/installation.ts';
import { openMasterKey } from './installation/master-key.ts';
import { createLastUsed } from './last-used/last-used.ts';
import { createFailedCredentials, DEFAULT_FAILURES_PER_MINUTE } from './limits/failed-credentials.ts';
import { createMetrics } from './metrics/metrics.ts';
import type { Serving } from './serving.ts';
import { createLoginFailures } from './sessions/login-failures.ts';
import { createLoginThrottle } from './sessions/login-throttle.ts';
import { resumeMasterKeyRotation } from './signing-keys/rotate-master-key.ts';
import { createSigningKeys } from './signing-keys/signing-keys.ts';
import { type Database, openDatabase } from './store/database.ts';
import { createTurns } from './turns.ts';
import { createPasswords } from './users/passwords.ts';
import { VERSION } from './version.ts';

export interface OpenOptions {
  dataDir: string;
  /** A `postgres://` URL, where several servers may share one database; without one it is a file in `dataDir`. */
  databaseUrl?: string;
  /** Make the data directory if there is none; otherwise that is `no_server`. */
  create: boolean;
  /** The operating system's account, as which the owner is shown. */
  ownerName: string;
  now?: () => number;
  /** This process's own clock, by which it knows how long ago it asked a shared database. */
  wallMs?: () => number;
  log?: Log;
  /** Nobody proves who they are: see credentials/unauthenticated.ts. */
  noAuth?: boolean;
  publicUrl?: string | null;
  /** The role that credentials for files on S3 are vended for; null: none. */
  s3RoleArn?: string | null;
  /** What PANGOLIN_MASTER_KEY holds; without it and the next, the data directory has a master key of its own. */
  masterKey?: string | undefined;
  /** The file that PANGOLIN_MASTER_KEY_FILE names. */
  masterKeyFile?: string | undefined;
  /** How often the last use of credentials is written, in milliseconds; null: only at the end. */
  lastUsedIntervalMs?: number | null;
  /** How often failed attempts are written for other servers to count, in milliseconds; null: only at the end. */
  failuresIntervalMs?: number | null;
  /** From how many refused credentials a minute an address is answered 429. */
  failuresPerMinute?: number;
  /** What a server that listens knows of itself. */
  serving?: Serving;
  /** How a login is made to wait. */
  sleep?: (ms: number) => Promise<void>;
}

/** An open data directory: what the server needs, before it is mounted. */
export interface Opened {
  deps: Deps;
  /** Writes what is outstanding and lets go of the files; waits so long, in milliseconds, for files that are being deleted. */
  close(patienceMs?: number): Promise<void>;
}

/** How long closing waits for files of dropped tables to be deleted; what is left then stays. */
const BACKGROUND_PATIENCE_MS = 10_000;

/** The machine's clock, in milliseconds since 1970. */
export const systemClock = (): number => Date.now();

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Opens a data directory: the composition root of everything but the port. */
async function openDeps(options: OpenOptions): Promise<Opened> {
  const { dataDir, databaseUrl } = options;
  const log = options.log ?? silent;
  const masterKey = openMasterKey({ ...options, isShared: databaseUrl !== undefined });
  const db = await openStorage(options);
  const now = options.now ?? db.now ?? systemClock;
  const newId = () => createUuidV7(now(), randomBytes(10));
  const founding = { masterKey, ownerName: options.ownerName, now, newId };
  const signingKeys = createSigningKeys({ db, masterKey, now, newId });
  const installation = await openInstallation(db, founding)
    .then(async (found) => {
      // Whoever has another database's master key is told now, not when a token is signed.
      await signingKeys.open();
      // What a killed rotation left opens everything; tidying it may wait for a better disk.
      await resumeMasterKeyRotation(db, masterKey).catch((err) =>
        log.warn({ err }, 'rotation of the master key not finished'),
      );
      return found;
    })
    .catch(async (error) => {
      await db.close();
      throw nameDirectory(error, dataDir);
    });
  const failures = {
    now,
    intervalMs: options.failuresIntervalMs ?? null,
    onError: (error: unknown) => log.warn({ err: error }, 'failed attempts not written'),
  };
  const loginFailures = createLoginFailures(db, failures);
  const metrics = createMetrics();
  const deps: Deps = {
    db,
    now,
    newId,
    newUuid: randomUUID,
    randomBytes,
    log,
    installation,
    signingKeys,
    masterKey,
    credentials: createCredentialReader(db),
    verified: createVerifiedCredentials(),
    networks: createNetworkLists(),
    lastUsed: createLastUsed(db, {
      intervalMs: options.lastUsedIntervalMs ?? null,
      onError: (error) => log.warn({ err: error }, 'last use not written'),
    }),
    passwords: createPasswords(),
    turns: createTurns(),
    metrics,
    serving: options.serving ?? { stopping: false, certificateEndsAtMs: null, metricsAllow: [] },
    failedCredentials: createFailedCredentials(db, {
      ...failures,
      onUndecided: metrics.checkFailed,
      perMinute: options.failuresPerMinute ?? DEFAULT_FAILURES_PER_MINUTE,
    }),
    loginFailures,
    refusals: createRefusals({ db, newId, now, log }),
    logins: createLoginThrottle({
      failures: loginFailures,
      sleep: options.sleep ?? ((ms) => new Promise((resolve) => setTimeout(resolve, ms))),
    }),
    warehouses: createWarehouses({ dataDir, s3RoleArn: options.s3RoleArn ?? null, now, log }),
    iceberg: createIcebergState(db),
    dataDir,
    ownerName: options.ownerName,
    version: VERSION,
    authenticates: options.noAuth !== true,
    publicUrl: options.publicUrl ?? null,
  };
  return {
    deps,
    async close(patienceMs = BACKGROUND_PATIENCE_MS) {
      await deps.iceberg.background.settle(patienceMs);
      await Promise.all([deps.lastUsed.close(), deps.failedCredentials.close(), deps.loginFailures.close()]);
      await deps.refusals.close();
      await db.close();
    },
  };
}

async function openStorage({ dataDir, databaseUrl, create, wallMs = systemClock }: OpenOptions): Promise<Database> {
  if (databaseUrl !== undefined) {
    ensureDataDirectory(dataDir);
    return openDatabase({ url: databaseUrl, wallMs });
  }
  const { path, databasePath } = openDataDirectory(dataDir, create);
  return openDatabase({ file: databasePath }).catch((error) => {
    throw nameDirectory(error, path);
  });
}

/** The same error, saying which data directory it is about. */
function nameDirectory(error: unknown, path: string): unknown {
  if (!(error instanceof PangolinError) || error.message.includes(path)) return error;
  return new PangolinError(error.code, `${error.message} (data directory ${path})`, { cause: error, hint: error.hint });
}

/** A whole server over a data directory, as a function from Request to Response. */
export async function openServer(options: OpenOptions): Promise<Opened & { app: App }> {
  const opened = await openDeps(options);
  const app = createApp(opened.deps);
  await app.load();
  return { ...opened, app };
}

/** A request from inside the process; `path` carries its query, header names are lower-case. */
export interface EmbeddedRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

interface EmbeddedAnswer {
  status: number;
  header(name: string): string | null;
  text: string;
}

/** The server inside a command: requests are the owner's and go through no port. */
export interface EmbeddedServer {
  dataDir: string;
  send(request: EmbeddedRequest): Promise<EmbeddedAnswer>;
  close(): Promise<void>;
}

/** Opens a data directory for its owner. Throws `no_server`, `data_directory_refused`, `master_key_missing`, `storage_…`. */
export async function openEmbedded(options: OpenOptions): Promise<EmbeddedServer> {
  const { deps, close } = await openDeps(options);
  const app = createApp(deps);
  return {
    dataDir: options.dataDir,
    async send(request) {
      const client = request.headers['user-agent'] ?? 'embedded';
      const env: Bindings = { requestId: deps.newId(), owner: { client }, createResponse: createLightResponse };
      const answer = await app.fetch(createLightRequest(request), env);
      return { status: answer.status, header: (name) => answer.headers.get(name), text: await answer.text() };
    },
    close,
  };
}
