import type { IssuedApiKey, IssuedToken, LoggedIn, Me, Role, ServiceUser } from '../contract/index.ts';
import { readJwtClaims } from './read-jwt.ts';

/**
 * Answers of an original Pangolin server name fewer fields than ours. These functions fill what is missing: with what the
 * token itself says, else with null or nothing. Answers of our own server pass unchanged.
 */

/** The spelling of the wire for a role in any other: `TenantUser` is `tenant-user`. */
export const kebabRole = (role: unknown): Role =>
  (typeof role === 'string' ? role : 'unknown')
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/[_ ]/g, '-')
    .toLowerCase() as Role;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const expiryOf = (token: string): string => {
  const { exp } = readJwtClaims(token);
  return exp === undefined ? '' : new Date(exp * 1000).toISOString();
};

export function fillIssuedToken(answer: Partial<IssuedToken> & { token: string }, nowMs: number): IssuedToken {
  const claims = readJwtClaims(answer.token);
  const id = answer.id ?? answer.jti ?? claims.jti ?? '';
  return {
    name: null,
    description: null,
    role: kebabRole(claims.role ?? 'tenant-user'),
    scopes: [],
    tenant_id: claims.tenant_id ?? '',
    created_at: new Date(nowMs).toISOString(),
    expires_at: expiryOf(answer.token),
    expiry_source: 'requested',
    ...answer,
    id,
    jti: answer.jti ?? id,
  };
}

/** What an original server calls a service user with a new key. */
type OriginalKey = Partial<IssuedApiKey> & { api_key: string; service_user_id?: string };

export function fillIssuedApiKey(
  { service_user_id, ...answer }: OriginalKey,
  known: Partial<ServiceUser>,
  nowMs: number,
): IssuedApiKey {
  return {
    name: known.name ?? '',
    description: known.description ?? null,
    tenant_id: known.tenant_id ?? '',
    scopes: [],
    key_id: '',
    created_at: known.created_at ?? new Date(nowMs).toISOString(),
    created_by: known.created_by ?? null,
    expires_at: null,
    expiry_source: null,
    active: true,
    ...answer,
    id: answer.id ?? service_user_id ?? known.id ?? '',
    role: kebabRole(answer.role ?? known.role ?? 'tenant-user'),
  };
}

export const fillServiceUser = (answer: ServiceUser): ServiceUser => ({
  ...{ description: null, scopes: [], active: true, created_by: null, expires_at: null },
  ...{ allowed_networks: [], last_used: null, last_used_ip: null, last_used_client: null, keys: [] },
  ...answer,
  role: kebabRole(answer.role),
});

export function fillLoggedIn(answer: Partial<LoggedIn> & { token: string }, username: string): LoggedIn {
  const claims = readJwtClaims(answer.token);
  const user: Partial<LoggedIn['user']> = answer.user ?? {};
  // These go into files that must be readable again, so nothing but text is taken.
  return {
    token: answer.token,
    expires_at: textOf(answer.expires_at) ?? expiryOf(answer.token),
    user: {
      id: textOf(user.id) ?? claims.sub ?? '',
      username: textOf(user.username) ?? claims.username ?? username,
      email: textOf(user.email) ?? null,
      role: kebabRole(user.role ?? claims.role ?? 'tenant-user'),
      tenant_id: textOf(user.tenant_id) ?? claims.tenant_id ?? '',
    },
  };
}

export function fillMe(answer: Me, token: string | undefined): Me {
  const privileges = Array.isArray(answer.privileges) ? answer.privileges : [];
  if (answer.credential !== undefined) return { ...answer, privileges };
  const { jti, exp } = readJwtClaims(token ?? '');
  return {
    ...answer,
    privileges,
    kind: 'user',
    email: answer.email ?? null,
    role: kebabRole(answer.role),
    credential: {
      type: token === undefined ? 'api_key' : 'personal',
      id: jti ?? null,
      expires_at: exp === undefined ? null : new Date(exp * 1000).toISOString(),
      scopes: [],
    },
  };
}
