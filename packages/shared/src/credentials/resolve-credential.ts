import { readFile } from 'node:fs/promises';
import type { ConnectOptions, CredentialSource, Surroundings } from '../client/connect-types.ts';
import { createWireClient } from '../client/create-wire-client.ts';
import { isLoopback } from '../client/origins.ts';
import { readJwtExpiry } from '../client/read-jwt.ts';
import { PangolinError } from '../errors.ts';
import { exchangeGitHubIdentity } from './github-identity.ts';
import { requestAccessToken } from './oauth.ts';
import type { ObtainedSecret, SecretServer } from './obtained-secret.ts';
import { readSecretLine, readSecretText } from './secret-text.ts';
import type { StoredLogin } from './store.ts';
import { runTokenCommand } from './token-command.ts';

/** Who the caller is: where the secret comes from, and the secret itself, obtained when it is first needed. */
export interface ResolvedCredential {
  source: CredentialSource;
  /** Null for nobody, and for the embedded owner, who needs no secret. */
  obtain: (() => Promise<ObtainedSecret>) | null;
}

/** A profile's login at this origin, and which store holds it. */
export interface FoundLogin {
  profile: string;
  login: StoredLogin;
  kind: 'keyring' | 'file';
}

export interface CredentialInput {
  /** Null for the embedded server. */
  server: SecretServer | null;
  surroundings: Surroundings;
  tokenFromStdin?: string | undefined;
  tenantId?: string | undefined;
  tenantName?: string | undefined;
  onNotice: ConnectOptions['onNotice'];
  /** The profiles' logins at this server's origin, best first; asked only when nothing else says who the caller is. */
  findLogin(): Promise<FoundLogin | null>;
}

/**
 * Decides who the caller is. The first of these that is there wins:
 *
 *  1. `--token-stdin`
 *  2. `PANGOLIN_TOKEN`
 *  3. `PANGOLIN_TOKEN_FILE`
 *  4. `PANGOLIN_API_KEY`
 *  5. `PANGOLIN_CLIENT_ID` + `PANGOLIN_CLIENT_SECRET`, exchanged for an access token
 *  6. `PANGOLIN_TOKEN_COMMAND`, whose stdout is an access token
 *  7. `PANGOLIN_USERNAME` + `PANGOLIN_PASSWORD`, a session that ends with the client
 *  8. the CI system's identity (`ACTIONS_ID_TOKEN_REQUEST_URL`), for a server over https or on loopback
 *  9. the profile's login, in the keyring or the credentials file
 *  10. nobody
 *
 * The embedded server has an owner, who needs none of them. Throws `invalid_argument` for half a pair,
 * `credential_malformed` for what no header could carry, `keyring_failed` and `settings_unreadable`; what it answers throws
 * when obtained: `token_command_failed`, `token_expired`, `login_failed`, `api_key_invalid`, the `network_…` codes.
 */
export async function resolveCredential(input: CredentialInput): Promise<ResolvedCredential> {
  const { server, surroundings, onNotice } = input;
  const { env } = surroundings;
  if (server === null) return { source: 'embedded owner', obtain: null };
  if (input.tokenFromStdin !== undefined) {
    return given('--token-stdin', 'bearer', readSecretLine(input.tokenFromStdin, 'The token on standard input'));
  }
  if (env.PANGOLIN_TOKEN !== undefined) {
    return given('PANGOLIN_TOKEN', 'bearer', readSecretText(env.PANGOLIN_TOKEN, 'PANGOLIN_TOKEN'));
  }
  if (env.PANGOLIN_TOKEN_FILE !== undefined) {
    return given('PANGOLIN_TOKEN_FILE', 'bearer', await readTokenFile(env.PANGOLIN_TOKEN_FILE));
  }
  if (env.PANGOLIN_API_KEY !== undefined) {
    return given('PANGOLIN_API_KEY', 'api_key', readSecretText(env.PANGOLIN_API_KEY, 'PANGOLIN_API_KEY'));
  }
  const client = readPair(env, 'PANGOLIN_CLIENT_ID', 'PANGOLIN_CLIENT_SECRET');
  if (client !== null) {
    return { source: 'PANGOLIN_CLIENT_ID', obtain: () => exchangeClientSecret(server, client, surroundings.now()) };
  }
  const command = env.PANGOLIN_TOKEN_COMMAND;
  if (command !== undefined) {
    const obtain = async () => {
      return bearer(await runTokenCommand(command, env, onNotice));
    };
    return { source: 'PANGOLIN_TOKEN_COMMAND', obtain };
  }
  const account = readPair(env, 'PANGOLIN_USERNAME', 'PANGOLIN_PASSWORD');
  if (account !== null) return { source: 'PANGOLIN_USERNAME', obtain: () => openSession(input, server, account) };
  const requestUrl = env.ACTIONS_ID_TOKEN_REQUEST_URL;
  const requestToken = env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  if (requestUrl && requestToken && mayShowIdentity(server.origin)) {
    const obtain = async () => {
      return exchangeGitHubIdentity(server, { requestUrl, requestToken, env }, surroundings.now());
    };
    return { source: 'GitHub Actions', obtain };
  }
  const found = await input.findLogin();
  if (found === null) return { source: 'none', obtain: null };
  return {
    source: found.kind === 'keyring' ? 'keyring' : 'credentials file',
    obtain: async () => presentLogin(found, server.origin, surroundings.now()),
  };
}

const bearer = (secret: string): ObtainedSecret => ({ kind: 'bearer', secret, expiresAtMs: readJwtExpiry(secret) });

/** A secret that was handed over; it is not obtained again, so it never runs out here. */
const given = (source: CredentialSource, kind: ObtainedSecret['kind'], secret: string): ResolvedCredential => ({
  source,
  obtain: async () => ({ kind, secret, expiresAtMs: null }),
});

function mayShowIdentity(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === 'https:' || isLoopback(hostname);
}

type Pair = readonly [name: string, secret: string];

function readPair(env: Surroundings['env'], first: string, second: string): Pair | null {
  const one = env[first];
  const two = env[second];
  if (one === undefined && two === undefined) return null;
  if (one !== undefined && two !== undefined) return [one, two];
  const [there, missing] = one === undefined ? [second, first] : [first, second];
  throw new PangolinError('invalid_argument', `${there} is set, but ${missing} is not`, {
    hint: `Set ${missing} as well, or unset ${there}`,
  });
}

async function readTokenFile(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new PangolinError('token_command_failed', `The file ${file} of PANGOLIN_TOKEN_FILE cannot be read`, {
      cause,
      hint: 'Let PANGOLIN_TOKEN_FILE name a file that holds one token',
    });
  }
  return readSecretLine(text, `The token in ${file}`);
}

const exchangeClientSecret = async (server: SecretServer, [id, secret]: Pair, nowMs: number) => {
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret };
  return requestAccessToken(server, form, nowMs, ({ error, description }) =>
    error === 'invalid_client'
      ? new PangolinError('api_key_invalid', `${server.origin} refused the client credentials: ${description}`, {
          hint: 'Check PANGOLIN_CLIENT_ID and PANGOLIN_CLIENT_SECRET',
        })
      : new PangolinError('forbidden', `${server.origin} refused the client credentials: ${description}`),
  );
};

async function openSession(input: CredentialInput, server: SecretServer, account: Pair): Promise<ObtainedSecret> {
  const [username, password] = account;
  const anonymous = createWireClient({
    ...server,
    authorize: async () => ({}),
    onNotice: input.onNotice,
    now: input.surroundings.now,
  });
  const { token, expires_at } = await anonymous.users.login({
    username,
    password,
    tenant_id: input.tenantId ?? null,
    tenant: input.tenantName ?? null,
  });
  return {
    ...bearer(readSecretText(token, 'The session')),
    expiresAtMs: Date.parse(expires_at) || null,
    revokeOnClose: true,
  };
}

function presentLogin({ profile, login }: FoundLogin, origin: string, nowMs: number): ObtainedSecret {
  if (login.expires_at !== null && Date.parse(login.expires_at) <= nowMs) {
    throw new PangolinError('token_expired', `The login at ${origin} expired at ${login.expires_at}`, {
      hint: `Log in again: pangolin-user login --profile ${profile}`,
    });
  }
  return { kind: 'bearer', secret: readSecretText(login.token, 'The stored login'), expiresAtMs: null };
}
