import { USER_AGENT } from '../client/connect.ts';
import type { ConnectOptions, Surroundings } from '../client/connect-types.ts';
import { createWireClient } from '../client/create-wire-client.ts';
import { findServer } from '../client/find-server.ts';
import { createHttpTransport } from '../client/http-transport.ts';
import { type Profile, readSettings, unknownProfile } from '../config/profiles.ts';
import { openLoginStore, type StoredLogin } from '../credentials/store.ts';
import { ERRORS, PangolinError } from '../errors.ts';

export interface LogOutOptions
  extends Pick<ConnectOptions, 'url' | 'profile' | 'caFile' | 'insecureHttp' | 'onNotice' | 'userAgent'> {
  /** Log out of every profile, also of those that the settings no longer know. */
  all?: boolean;
}

/**
 * Revokes every session of the profile in use (or of every one) at the server it was made at, whatever the profile's
 * address is now, then forgets it here; the profile's settings stay. Answers the profiles' names. A server that cannot be reached does not keep the login alive here: `onNotice` is told
 * that the session lives on until it expires. Sends `POST /api/v1/auth/revoke`.
 * Throws `not_logged_in`, `invalid_argument`, `keyring_failed`, `settings_unreadable`.
 */
export async function logOut(options: LogOutOptions, surroundings: Surroundings): Promise<string[]> {
  const { profiles } = await readSettings(surroundings);
  const meant = options.all ? {} : await findMeant(options, surroundings);
  const store = openLoginStore(surroundings);
  const logins = meant === null ? [] : (await store.list()).filter((login) => isMeant(login, meant));
  if (meant?.profile !== undefined && logins.length === 0 && !profiles.has(meant.profile)) {
    throw unknownProfile('invalid_argument', meant.profile, profiles.keys());
  }
  const done = new Set<string>();
  for (const { profile: name, origin } of logins) {
    const kept = await store.read(name, origin);
    if (kept === null) continue;
    const problem = await revoke(kept.login, profiles.get(name), options, surroundings);
    await store.delete(name, origin);
    if (problem !== null) tellStillValid(name, kept.login, problem, options);
    done.add(name);
  }
  if (done.size > 0) return [...done];
  throw new PangolinError(
    'not_logged_in',
    meant?.profile === undefined ? 'Nobody is logged in' : `Profile '${meant.profile}' is not logged in`,
    {
      hint: 'Log in with: pangolin-user login --url URL',
    },
  );
}

/** Which logins are meant: those of a profile, else those at a server; an empty object is all of them. */
interface Meant {
  profile?: string;
  origin?: string;
}

const isMeant = (login: Required<Meant>, { profile, origin }: Meant): boolean =>
  (profile === undefined || login.profile === profile) && (origin === undefined || login.origin === origin);

/** Null where the embedded server is meant, which knows no logins. */
async function findMeant(
  { url, profile, caFile, insecureHttp }: LogOutOptions,
  surroundings: Surroundings,
): Promise<Meant | null> {
  const given = Object.entries({ url, profile, caFile, insecureHttp }).filter(([, value]) => value !== undefined);
  const found = await findServer(Object.fromEntries(given), surroundings);
  const name = found.profile ?? found.preferredProfile;
  if (name !== null) return { profile: name };
  return found.origin === null ? null : { origin: found.origin };
}

function tellStillValid(name: string, login: StoredLogin, problem: PangolinError, { onNotice }: LogOutOptions): void {
  const until = login.expires_at === null ? '' : ` until ${login.expires_at}`;
  const message = `The session of profile '${name}' is forgotten here but still valid${until}: ${problem.message}`;
  onNotice(message, 'session');
}

async function revoke(
  { origin, token }: StoredLogin,
  profile: Profile | undefined,
  options: LogOutOptions,
  { env, now }: Surroundings,
): Promise<PangolinError | null> {
  try {
    const caFile = options.caFile ?? env.PANGOLIN_CA_FILE ?? profile?.ca_file;
    const insecureHttp = options.insecureHttp ?? profile?.insecure_http;
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
