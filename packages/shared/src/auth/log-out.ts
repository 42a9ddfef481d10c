import { USER_AGENT } from '../client/connect.ts';
import type { ConnectOptions, Surroundings } from '../client/connect-types.ts';
import { createWireClient } from '../client/create-wire-client.ts';
import { findServer } from '../client/find-server.ts';
import { createHttpTransport } from '../client/http-transport.ts';
import { readOrigin } from '../client/origins.ts';
import { type Profile, readSettings, unknownProfile } from '../config/profiles.ts';
import { type LoginStore, openLoginStore, type StoredLogin } from '../credentials/store.ts';
import { ERRORS, PangolinError } from '../errors.ts';

export interface LogOutOptions
  extends Pick<ConnectOptions, 'url' | 'profile' | 'caFile' | 'insecureHttp' | 'onNotice' | 'userAgent'> {
  /** Log out of every profile. */
  all?: boolean;
}

/**
 * Revokes the session of the profile in use (or of every one) at its server, then forgets it here; the profile's settings
 * stay. Answers the profiles' names. A server that cannot be reached does not keep the login alive here: `onNotice` is told
 * that the session lives on until it expires. Sends `POST /api/v1/auth/revoke`.
 * Throws `not_logged_in`, `invalid_argument`, `keyring_failed`, `settings_unreadable`.
 */
export async function logOut(options: LogOutOptions, surroundings: Surroundings): Promise<string[]> {
  const { profiles } = await readSettings(surroundings);
  const names = options.all ? [...profiles.keys()] : await namesInUse(options, surroundings, profiles);
  const store = openLoginStore(surroundings);
  const done: string[] = [];
  for (const name of names) {
    const profile = profiles.get(name);
    if (profile === undefined) throw unknownProfile('invalid_argument', name, profiles.keys());
    if (await logOutOf(name, profile, store, options, surroundings)) done.push(name);
  }
  if (done.length > 0) return done;
  throw new PangolinError(
    'not_logged_in',
    names.length === 1 ? `Profile '${names[0]}' is not logged in` : 'Nobody is logged in',
    {
      hint: 'Log in with: pangolin-user login --url URL',
    },
  );
}

async function namesInUse(
  { url, profile, caFile, insecureHttp }: LogOutOptions,
  surroundings: Surroundings,
  profiles: ReadonlyMap<string, Profile>,
): Promise<string[]> {
  const given = Object.entries({ url, profile, caFile, insecureHttp }).filter(([, value]) => value !== undefined);
  const found = await findServer(Object.fromEntries(given), surroundings);
  if (found.profile !== null) return [found.profile];
  if (found.origin === null) return [];
  if (found.preferredProfile !== null) return [found.preferredProfile];
  return [...profiles].flatMap(([name, one]) => (originOf(name, one) === found.origin ? [name] : []));
}

const originOf = (name: string, profile: Profile) => readOrigin(profile.url, `The url of profile '${name}'`);

async function logOutOf(
  name: string,
  profile: Profile,
  store: LoginStore,
  options: LogOutOptions,
  surroundings: Surroundings,
): Promise<boolean> {
  const origin = originOf(name, profile);
  const kept = await store.read(name, origin);
  if (kept === null) return false;
  const problem = await revoke(kept.login, profile, options, surroundings);
  await store.delete(name, origin);
  if (problem !== null) {
    const until = kept.login.expires_at === null ? '' : ` until ${kept.login.expires_at}`;
    const message = `The session of profile '${name}' is forgotten here but still valid${until}: ${problem.message}`;
    options.onNotice(message, 'session');
  }
  return true;
}

async function revoke(
  { origin, token }: StoredLogin,
  profile: Profile,
  options: LogOutOptions,
  { env, now }: Surroundings,
): Promise<PangolinError | null> {
  try {
    const caFile = options.caFile ?? env.PANGOLIN_CA_FILE ?? profile.ca_file;
    const insecureHttp = options.insecureHttp ?? profile.insecure_http;
    const client = createWireClient({
      transport: createHttpTransport({ origin, caFile, insecureHttp, env }),
      authorize: async () => ({ authorization: `Bearer ${token}` }),
      userAgent: options.userAgent ?? USER_AGENT,
      onNotice: options.onNotice,
      now,
    });
    try {
      await client.tokens.revokeSelf();
    } finally {
      await client.close();
    }
    return null;
  } catch (error) {
    if (!(error instanceof PangolinError)) throw error;
    // The server says that this session is dead already.
    return ERRORS[error.code].status === 401 ? null : error;
  }
}
