import { USER_AGENT } from '../client/connect.ts';
import type { ConnectOptions, Surroundings } from '../client/connect-types.ts';
import { createWireClient } from '../client/create-wire-client.ts';
import { type FoundServer, findServer } from '../client/find-server.ts';
import { createHttpTransport } from '../client/http-transport.ts';
import { freeProfileName } from '../config/profile-names.ts';
import { type Profile, type ProfileSettings, readSettings, writeProfile } from '../config/profiles.ts';
import type { LoggedIn } from '../contract/index.ts';
import { openLoginStore } from '../credentials/store.ts';
import { PangolinError } from '../errors.ts';

export type LoginTargetOptions = Pick<
  ConnectOptions,
  'url' | 'profile' | 'tenantId' | 'tenant' | 'caFile' | 'insecureHttp'
>;

/** Where a login would go, before anybody is asked for a password. */
export interface LoginTarget {
  origin: string;
  /** The profile the server came from, or that a person named; it may not exist yet. */
  profile: string | null;
  /** Who logged in there last, under that profile. */
  username: string | undefined;
}

export interface LogInOptions extends LoginTargetOptions {
  username: string;
  password: string;
  /** Told where the session is kept when that is not the keyring. */
  onNotice: ConnectOptions['onNotice'];
  userAgent?: string;
}

export interface LogInResult {
  origin: string;
  /** The profile the login is kept under, and which is the current one from now on. */
  profile: string;
  /** What the server answered; `token` is the session's secret. */
  answer: LoggedIn;
  /** Where the session rests; `none` means that it is not kept at all. */
  stored: { kind: 'keyring' | 'file' | 'none'; location: string };
}

/** Finds the server to log in to. Throws `no_server`, `invalid_argument`, `conflict`, `settings_unreadable`. */
export async function readLoginTarget(options: LoginTargetOptions, surroundings: Surroundings): Promise<LoginTarget> {
  const { origin, profile, preferredProfile } = await findLoginServer(options, surroundings);
  const settings = await readSettings(surroundings);
  const name = profile ?? preferredProfile;
  if (name === null) return { origin, profile: null, username: undefined };
  refuseOtherServer(settings, name, origin);
  return { origin, profile: name, username: settings.profiles.get(name)?.username };
}

/**
 * Logs in with username and password, keeps the session for the profile and makes that profile the current one.
 * Without a profile's name, the one that already stands for this server and user is used, else a new one is named after
 * the server: no login takes another's place.
 * Sends `POST /api/v1/users/login`. Throws `login_failed`, `no_server`, `conflict` (the named profile is another server's),
 * `invalid_argument`, `too_many_requests`, `keyring_failed`, `settings_unreadable` and the `network_…` codes.
 */
export async function logIn(options: LogInOptions, surroundings: Surroundings): Promise<LogInResult> {
  const { username, password, onNotice } = options;
  const found = await findLoginServer(options, surroundings);
  const { origin } = found;
  const named = found.profile ?? found.preferredProfile;
  if (named !== null) refuseOtherServer(await readSettings(surroundings), named, origin);
  const store = openLoginStore(surroundings);
  const client = createWireClient({
    transport: createHttpTransport({ ...found, env: surroundings.env }),
    authorize: async () => ({}),
    userAgent: options.userAgent ?? USER_AGENT,
    onNotice,
    now: surroundings.now,
  });
  try {
    const where = { tenant_id: found.tenantId ?? null, tenant: found.tenantName ?? null };
    const answer = await client.users.login({ username, password, ...where });
    const tenantId = found.tenantName === undefined ? found.tenantId : answer.user.tenant_id;
    const name = named ?? chooseProfile(await readSettings(surroundings), { origin, tenantId }, username);
    const stored = await store.write(name, {
      origin,
      token: answer.token,
      expires_at: answer.expires_at || null,
      username: answer.user.username,
      tenant_id: answer.user.tenant_id || null,
    });
    await writeProfile(surroundings, name, profileOf({ ...found, tenantId }, answer.user.username), {
      makeCurrent: true,
    });
    if (stored.kind === 'file') onNotice(`There is no keyring here: the login is kept in ${stored.location}`, 'store');
    if (stored.kind === 'none') onNotice('PANGOLIN_CREDENTIAL_STORE=none: the login is not kept', 'store');
    return { origin, profile: name, answer, stored };
  } finally {
    await client.close();
  }
}

const profileOf = ({ origin, tenantId, caFile, insecureHttp }: HttpServer, username: string): Profile => ({
  url: origin,
  username,
  ...(tenantId === undefined ? {} : { tenant_id: tenantId }),
  ...(caFile === undefined ? {} : { ca_file: caFile }),
  ...(insecureHttp ? { insecure_http: true } : {}),
});

type HttpServer = FoundServer & { origin: string };

async function findLoginServer(options: LoginTargetOptions, surroundings: Surroundings): Promise<HttpServer> {
  const { url, profile, tenantId, tenant, caFile, insecureHttp } = options;
  const given = Object.entries({ url, profile, tenantId, tenant, caFile, insecureHttp }).filter(
    ([, one]) => one !== undefined,
  );
  const found = await findServer(Object.fromEntries(given), surroundings);
  const { origin } = found;
  if (origin !== null) return { ...found, origin };
  throw new PangolinError('no_server', 'There is no server to log in to: the embedded one knows its owner', {
    hint: 'Name a server: pangolin-user login --url https://pangolin.example.com',
  });
}

const originOf = ({ profiles }: ProfileSettings, name: string): string | undefined => {
  const url = profiles.get(name)?.url;
  return url !== undefined && URL.canParse(url) ? new URL(url).origin : url;
};

function refuseOtherServer(settings: ProfileSettings, name: string, origin: string): void {
  if (!settings.profiles.has(name) || originOf(settings, name) === origin) return;
  throw new PangolinError('conflict', `Profile '${name}' stands for ${originOf(settings, name)}, not for ${origin}`, {
    hint: 'Choose another name: --profile NAME',
  });
}

function chooseProfile(
  settings: ProfileSettings,
  { origin, tenantId }: Pick<HttpServer, 'origin' | 'tenantId'>,
  username: string,
): string {
  const { current, profiles } = settings;
  const belongs = (name: string) =>
    originOf(settings, name) === origin &&
    (profiles.get(name)?.username ?? username) === username &&
    profiles.get(name)?.tenant_id === tenantId;
  const known = [...(current === null ? [] : [current]), ...profiles.keys()].find(belongs);
  return known ?? freeProfileName(origin, username, profiles);
}
