import { USER_AGENT } from '../client/connect.ts';
import type { ConnectOptions, Surroundings } from '../client/connect-types.ts';
import { createWireClient } from '../client/create-wire-client.ts';
import { type FoundServer, findServer, type ServerOptions } from '../client/find-server.ts';
import { createHttpTransport } from '../client/http-transport.ts';
import { type Profile, type ProfileSettings, readSettings, writeProfile } from '../config/profiles.ts';
import type { LoggedIn } from '../contract/index.ts';
import { openLoginStore } from '../credentials/store.ts';
import { PangolinError } from '../errors.ts';

export interface LogInOptions extends Omit<ServerOptions, 'dataDir'> {
  username: string;
  password: string;
  onNotice: ConnectOptions['onNotice'];
  userAgent?: string;
}

export interface LogInResult {
  origin: string;
  /** The profile the login is kept under, and which is the current one from now on. */
  profile: string;
  user: LoggedIn['user'];
  expiresAt: string;
  /** Where the session rests; a `file` is to be announced, and `none` means that it is not kept at all. */
  stored: { kind: 'keyring' | 'file' | 'none'; location: string };
  /** The session's token, for programs that keep no login. */
  token: string;
}

/**
 * Logs in with username and password, keeps the session for the profile and makes that profile the current one.
 * Without a profile's name, the one that already stands for this server and user is used, else a new one is named after
 * the server: no login takes another's place.
 * Sends `POST /api/v1/users/login`. Throws `login_failed`, `no_server`, `conflict` (the named profile is another server's),
 * `invalid_argument`, `too_many_requests`, `keyring_failed`, `settings_unreadable` and the `network_…` codes.
 */
export async function logIn(options: LogInOptions, surroundings: Surroundings): Promise<LogInResult> {
  const found = await findLoginServer(options, surroundings);
  const { origin } = found;
  const settings = await readSettings(surroundings);
  const named = options.profile ?? surroundings.env.PANGOLIN_PROFILE;
  const name = chooseProfile(settings, found, named, options.username);
  const store = openLoginStore(surroundings);
  const client = createWireClient({
    transport: createHttpTransport({ ...found, env: surroundings.env }),
    authorize: async () => ({}),
    userAgent: options.userAgent ?? USER_AGENT,
    onNotice: options.onNotice,
    now: surroundings.now,
  });
  try {
    const { username, password } = options;
    const session = await client.users.login({ username, password, tenant_id: found.tenantId ?? null });
    const tenantId = found.tenantId ?? (session.user.tenant_id || undefined);
    const stored = await store.write(name, {
      origin,
      token: session.token,
      expires_at: session.expires_at || null,
      username: session.user.username,
      tenant_id: tenantId ?? null,
    });
    const profile: Profile = {
      url: origin,
      username: session.user.username,
      ...(found.tenantId === undefined ? {} : { tenant_id: found.tenantId }),
      ...(found.caFile === undefined ? {} : { ca_file: found.caFile }),
      ...(found.insecureHttp ? { insecure_http: true } : {}),
    };
    await writeProfile(surroundings, name, profile, { makeCurrent: true });
    return { origin, profile: name, user: session.user, expiresAt: session.expires_at, stored, token: session.token };
  } finally {
    await client.close();
  }
}

type HttpServer = FoundServer & { origin: string };

async function findLoginServer(options: LogInOptions, surroundings: Surroundings): Promise<HttpServer> {
  const { url, profile, tenantId, caFile, insecureHttp } = options;
  const given = { url, profile, tenantId, caFile, insecureHttp };
  const defined = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const found = await findServer(defined, surroundings);
  const { origin } = found;
  if (origin !== null) return { ...found, origin };
  throw new PangolinError('no_server', 'There is no server to log in to: the embedded one knows its owner', {
    hint: 'Name a server: pangolin-user login --url https://pangolin.example.com',
  });
}

function chooseProfile(
  { current, profiles }: ProfileSettings,
  { origin, profile }: HttpServer,
  named: string | undefined,
  username: string,
): string {
  const originOf = (name: string) => {
    const url = profiles.get(name)?.url;
    return url !== undefined && URL.canParse(url) ? new URL(url).origin : url;
  };
  if (named !== undefined) {
    if (!profiles.has(named) || originOf(named) === origin) return named;
    throw new PangolinError('conflict', `Profile '${named}' stands for ${originOf(named)}, not for ${origin}`, {
      hint: 'Choose another name: --profile NAME',
    });
  }
  if (profile !== null) return profile;
  const belongs = (name: string) =>
    originOf(name) === origin && (profiles.get(name)?.username ?? username) === username;
  const known = [...(current === null ? [] : [current]), ...profiles.keys()].find(belongs);
  if (known !== undefined) return known;
  const host = new URL(origin).host.replace(/[^A-Za-z0-9.]+/g, '-').replace(/^-|-$/g, '');
  const account = username.replace(/[^A-Za-z0-9._@-]+/g, '-');
  const wishes = [host, `${host}-${account}`].map((name) => name.slice(0, 60));
  for (let number = 2; ; number += 1) {
    const free = wishes.find((name) => !profiles.has(name));
    if (free !== undefined) return free;
    wishes.push(`${wishes[1]}-${number}`.slice(-64));
  }
}
