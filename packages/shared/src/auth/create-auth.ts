import type { WireSource } from '../client/resources/wire-source.ts';
import type { Role } from '../contract/index.ts';
import { createPersonalAccessTokens, type PersonalAccessTokens } from './pats.ts';

/** Who is logged in. */
export interface ActiveUser {
  id: string;
  username: string;
  email: string | null;
  role: Role;
  tenantId: string;
}

/** Sign-in and personal access tokens, after H2O Feature Store's authentication. */
export interface Auth {
  /**
   * Logs in with username and password, keeps the session for the profile and uses it from now on.
   * Sends `POST /api/v1/users/login`. Throws `login_failed`, `no_server`, `too_many_requests`, `conflict`,
   * `keyring_failed`, `settings_unreadable` and the `network_…` codes.
   */
  login(options: { username: string; password: string; tenantId?: string; tenant?: string }): Promise<ActiveUser>;
  /**
   * Revokes the session at the server and forgets it. Sends `POST /api/v1/auth/revoke`.
   * Throws `not_logged_in` when this client's credential does not come from a login.
   */
  logout(): Promise<void>;
  /** Who this client is. Sends `GET /api/v1/users/me`. Throws 401's and the `network_…` codes. */
  getActiveUser(): Promise<ActiveUser>;
  /** Presents this access token from now on, instead of any other credential. Throws `credential_malformed`. */
  setAuthToken(token: string): void;
  readonly pats: PersonalAccessTokens;
}

export interface AuthParts {
  connect: WireSource;
  now(): number;
  login: Auth['login'];
  logout: Auth['logout'];
  setAuthToken: Auth['setAuthToken'];
}

/** Builds `client.auth` over a connection. */
export const createAuth = ({ connect, now, login, logout, setAuthToken }: AuthParts): Auth => ({
  login,
  logout,
  setAuthToken,
  async getActiveUser() {
    const { users } = await connect();
    const { id, username, email, role, tenant_id } = await users.me();
    return { id, username, email, role, tenantId: tenant_id };
  },
  pats: createPersonalAccessTokens(connect, now),
});
