import { type Auth, createAuth } from '../auth/create-auth.ts';
import { logIn } from '../auth/log-in.ts';
import { logOut } from '../auth/log-out.ts';
import { readSecretText } from '../credentials/secret-text.ts';
import { PangolinError } from '../errors.ts';
import { connect } from './connect.ts';
import type { Connection, ConnectOptions, Surroundings } from './connect-types.ts';
import { readSurroundings } from './process-surroundings.ts';
import { type AuditResource, auditResource } from './resources/audit.ts';
import { type CatalogsResource, catalogsResource } from './resources/catalogs.ts';
import { type PoliciesResource, policiesResource } from './resources/policies.ts';
import { type ServiceUsersResource, serviceUsersResource } from './resources/service-users.ts';
import { type SettingsResource, settingsResource } from './resources/settings.ts';
import { type SigningKeysResource, signingKeysResource } from './resources/signing-keys.ts';
import { type TenantsResource, tenantsResource } from './resources/tenants.ts';
import { type TokensResource, tokensResource } from './resources/tokens.ts';
import { type UsersResource, usersResource } from './resources/users.ts';
import type { WireSource } from './resources/wire-source.ts';

export interface ClientOptions extends Partial<Omit<ConnectOptions, 'tokenFromStdin' | 'obtainAccessToken'>> {
  /** What the client may know of the process; the process's own environment, clock and account when left out. */
  surroundings?: Surroundings;
}

/** A client for one Pangolin server; it connects on first use. */
export interface PangolinClient {
  readonly tokens: TokensResource;
  readonly serviceUsers: ServiceUsersResource;
  readonly users: UsersResource;
  readonly catalogs: CatalogsResource;
  readonly tenants: TenantsResource;
  readonly settings: SettingsResource;
  readonly policies: PoliciesResource;
  readonly signingKeys: SigningKeysResource;
  readonly audit: AuditResource;
  readonly auth: Auth;
  /**
   * From now on asks `obtain` for an access token before every request, instead of any other credential. When it rejects,
   * the request throws `token_command_failed` with the rejection as its cause.
   */
  setObtainAccessTokenMethod(obtain: () => string | Promise<string>): void;
  /** How the client was found, connecting if it has not yet: profile, credential source, origin or data directory. */
  describeConnection(): Promise<
    Pick<Connection, 'profile' | 'source'> & { origin: string | null; dataDir: string | null }
  >;
  /** Ends what was opened: connections, the embedded server, a session of PANGOLIN_USERNAME. */
  close(): Promise<void>;
}

/**
 * A client that finds its server and its credential the way the command-line tools do: `url`, `PANGOLIN_URL`, the profile,
 * else the embedded server on a data directory, which creating something creates (unless `createDataDir` is false).
 * Nothing is read or sent before the first call, which throws what `connect` throws. Nothing is ever printed: give
 * `onNotice` to hear what a person should know.
 */
export function createClient(options: ClientOptions = {}): PangolinClient {
  const { surroundings = readSurroundings(), createDataDir = true, onNotice = () => undefined, ...rest } = options;
  let target: Pick<ConnectOptions, 'url' | 'profile'> = {};
  let obtain: (() => string | Promise<string>) | undefined;
  /** A session that is kept nowhere but here. */
  let isOwnSession = false;
  let connection: Promise<Connection> | undefined;

  async function obtainAccessToken(): Promise<string | undefined> {
    try {
      return await obtain?.();
    } catch (cause) {
      throw new PangolinError('token_command_failed', 'The method that obtains access tokens failed', {
        cause,
        hint: 'See its cause; the method was given to setObtainAccessTokenMethod',
      });
    }
  }

  function open(create: boolean): Promise<Connection> {
    connection ??= connect(
      { ...rest, ...target, onNotice, obtainAccessToken, createDataDir: createDataDir && create },
      surroundings,
    ).catch((error: unknown) => {
      connection = undefined;
      throw error;
    });
    return connection;
  }

  async function close(): Promise<void> {
    const opened = await connection?.catch(() => undefined);
    connection = undefined;
    await opened?.client.close();
  }

  const source: WireSource = async ({ create = false } = {}) => (await open(create)).client;

  const auth = createAuth({
    connect: source,
    now: surroundings.now,
    setAuthToken(token) {
      const secret = readSecretText(token, 'The access token');
      obtain = () => secret;
      isOwnSession = false;
    },
    async login(account) {
      const { answer, profile, stored } = await logIn({ ...rest, ...account, onNotice }, surroundings);
      await close();
      isOwnSession = stored.kind === 'none';
      obtain = isOwnSession ? () => answer.token : undefined;
      // The login just made goes first, even where a url leads to the server.
      target = { profile };
      const { id, username, email, role, tenant_id } = answer.user;
      return { id, username, email, role, tenantId: tenant_id };
    },
    async logout() {
      const { client, source: from, profile } = await open(false);
      if (isOwnSession) {
        await client.tokens.revokeSelf();
        obtain = undefined;
        isOwnSession = false;
        return;
      }
      const isStored = from === 'keyring' || from === 'credentials file';
      if (obtain !== undefined || !isStored) {
        throw new PangolinError(
          'not_logged_in',
          `This client's credential does not come from a login but from ${obtain ? 'the program' : from}`,
          {
            hint: 'Only a session made by auth.login() can be logged out',
          },
        );
      }
      await logOut({ ...rest, ...target, ...(profile === null ? {} : { profile }), onNotice }, surroundings);
      await close();
    },
  });

  return {
    tokens: tokensResource(source),
    serviceUsers: serviceUsersResource(source),
    users: usersResource(source),
    catalogs: catalogsResource(source),
    tenants: tenantsResource(source),
    settings: settingsResource(source),
    policies: policiesResource(source),
    signingKeys: signingKeysResource(source),
    audit: auditResource(source),
    auth,
    setObtainAccessTokenMethod(method) {
      obtain = method;
      isOwnSession = false;
    },
    async describeConnection() {
      const { client, profile, source: from } = await open(false);
      const { origin, dataDir } = client;
      return { profile, source: obtain === undefined ? from : 'program', origin, dataDir };
    },
    close,
  };
}
