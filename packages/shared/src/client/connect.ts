import { stat } from 'node:fs/promises';
import { readSettings } from '../config/profiles.ts';
import { createAuthorizer } from '../credentials/authorizer.ts';
import { headersOf } from '../credentials/obtained-secret.ts';
import { type FoundLogin, resolveCredential } from '../credentials/resolve-credential.ts';
import { openLoginStore } from '../credentials/store.ts';
import { PangolinError } from '../errors.ts';
import type { Connection, ConnectOptions, Surroundings } from './connect-types.ts';
import { createWireClient } from './create-wire-client.ts';
import { openEmbeddedTransport } from './embedded-transport.ts';
import { type FoundServer, findServer, refuseStrayCredential } from './find-server.ts';
import { createHttpTransport } from './http-transport.ts';

/** How a client without another name calls itself. */
export const USER_AGENT = 'pangolin-client/0.1.0';

/**
 * Finds the server and the credential, in the orders of findServer and resolveCredential, and answers a client for both.
 * Nothing is sent yet; the embedded server is opened, and `onNotice` is told where its data is.
 * Throws `invalid_argument`, `no_server`, `settings_unreadable`, `keyring_failed`, `credential_malformed`, and for the
 * embedded server `data_directory_refused`, `master_key_missing`, `database_too_new` and the `storage_…` codes.
 */
export async function connect(options: ConnectOptions, surroundings: Surroundings): Promise<Connection> {
  const found = await findServer(options, surroundings);
  if (found.origin === null) return connectEmbedded(options, found, surroundings);
  return connectOverHttp(options, found, found.origin, surroundings);
}

async function connectOverHttp(
  options: ConnectOptions,
  found: FoundServer,
  origin: string,
  surroundings: Surroundings,
): Promise<Connection> {
  const { onNotice, obtainAccessToken } = options;
  const { tenantId, tenantName, caFile, insecureHttp } = found;
  const { env, now } = surroundings;
  const userAgent = options.userAgent ?? USER_AGENT;
  const transport = createHttpTransport({ origin, caFile, insecureHttp, env });
  const credential = await resolveCredential({
    server: { transport, origin, userAgent },
    surroundings,
    tokenFromStdin: options.tokenFromStdin,
    tenantId,
    tenantName,
    onNotice,
    findLogin: () => findLogin(origin, found, surroundings),
  });
  const authorizer = createAuthorizer(credential, now, obtainAccessToken);
  const common = { transport, userAgent, onNotice, now };
  const client = createWireClient({
    ...common,
    authorize: authorizer.authorize,
    tenantId,
    // A session that was just made there is nowhere else.
    tenantName: credential.source === 'PANGOLIN_USERNAME' ? undefined : tenantName,
    async beforeClose() {
      const session = authorizer.temporary();
      if (session === null) return;
      const ending = createWireClient({ ...common, authorize: async () => headersOf(session) });
      await ending.tokens.revokeSelf().catch((error: unknown) => {
        const problem = error instanceof Error ? error.message : 'unknown';
        onNotice(`The session of PANGOLIN_USERNAME could not be ended: ${problem}`, 'session');
      });
    },
  });
  return { client, profile: found.profile, source: credential.source };
}

async function connectEmbedded(options: ConnectOptions, found: FoundServer, surroundings: Surroundings) {
  if (options.dataDir === undefined) refuseStrayCredential(surroundings.env, options.tokenFromStdin);
  const { dataDir, databaseUrl } = found;
  const { accountName, now, env } = surroundings;
  if (databaseUrl === undefined && !options.createDataDir && !(await exists(dataDir))) {
    throw new PangolinError('no_server', `no server configured and no data at ${dataDir}; set PANGOLIN_URL or log in`, {
      hint: 'Log in with: pangolin-user login --url URL; or start here with: pangolin-user get-token',
    });
  }
  const create = options.createDataDir;
  const transport = await openEmbeddedTransport({
    dataDir,
    create,
    ownerName: accountName,
    // A database that several processes share has the clock that counts.
    ...(databaseUrl === undefined ? { now } : { databaseUrl, wallMs: now }),
    masterKey: env.PANGOLIN_MASTER_KEY,
    masterKeyFile: env.PANGOLIN_MASTER_KEY_FILE,
  });
  const place = databaseUrl === undefined ? transport.dataDir : `PostgreSQL at ${hideUser(databaseUrl)}`;
  options.onNotice(`Using the embedded server; its data is in ${place}`, 'embedded');
  const authorizer = createAuthorizer({ source: 'embedded owner', obtain: null }, now, options.obtainAccessToken);
  const client = createWireClient({
    transport,
    dataDir: transport.dataDir,
    authorize: authorizer.authorize,
    userAgent: options.userAgent ?? USER_AGENT,
    tenantId: found.tenantId,
    tenantName: found.tenantName,
    onNotice: options.onNotice,
    now,
  });
  return { client, profile: null, source: 'embedded owner' } satisfies Connection;
}

/** A database without who reads it, and with what password. */
function hideUser(url: string): string {
  if (!URL.canParse(url)) return 'PANGOLIN_DATABASE_URL';
  const { host, pathname } = new URL(url);
  return host + pathname;
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * A login made at this origin: the preferred profile's, then the current one's, then any other's that still holds. One made
 * in the tenant that is asked for goes before those of others.
 */
async function findLogin(origin: string, found: FoundServer, surroundings: Surroundings): Promise<FoundLogin | null> {
  const { current, profiles } = await readSettings(surroundings);
  const others = found.profile === null ? [current, ...profiles.keys()] : [];
  const names = new Set([found.preferredProfile, ...others]);
  if (profiles.size === 0) return null;
  const store = openLoginStore(surroundings);
  let elsewhere: FoundLogin | null = null;
  let expired: FoundLogin | null = null;
  for (const name of names) {
    const url = name === null ? undefined : profiles.get(name)?.url;
    if (name === null || url === undefined || !URL.canParse(url) || new URL(url).origin !== origin) continue;
    const kept = await store.read(name, origin);
    if (kept === null) continue;
    const login = { profile: name, ...kept };
    const { expires_at, tenant_id } = kept.login;
    const isGood = expires_at === null || Date.parse(expires_at) > surroundings.now();
    const isThere = found.tenantId === undefined || tenant_id === null || tenant_id === found.tenantId.toLowerCase();
    if (isGood && isThere) return login;
    if (isGood) elsewhere ??= login;
    else expired ??= login;
  }
  return elsewhere ?? expired;
}
