import type { Role } from '@pangolin/shared/contract/roles';
import type { TokenKind } from '@pangolin/shared/contract/tokens';
import { sql } from 'kysely';
import type { MaybePromise } from '../maybe-promise.ts';
import type { Database } from '../store/database.ts';
import type { Executor } from '../store/schema.ts';

/** A tenant's limits as its row has them; null where it never changed its settings. */
export interface LimitsState {
  max_token_days: number | null;
  max_key_days: number | null;
  session_hours: number | null;
  allow_non_expiring_tokens: number | null;
  role_limits: string | null;
}

/** Everything that decides whether a token is good now, in one read. */
export interface TokenState extends LimitsState {
  id: string;
  tenant_id: string;
  kind: TokenKind;
  owner_id: string;
  /** Null where there is no owner any more. */
  owner_tenant_id: string | null;
  epoch: number;
  role: Role;
  scopes: string;
  created_at: number;
  expires_at: number;
  revoked_at: number | null;
  renewable_until: number | null;
  own_grants_until: number | null;
  unauthenticated_as: string | null;
  root_kind: 'token' | 'api_key';
  root_id: string;
  user_kind: 'user' | 'owner' | null;
  user_name: string | null;
  user_email: string | null;
  user_role: Role | null;
  user_active: number | null;
  user_epoch: number | null;
  service_user_name: string | null;
  service_user_role: Role | null;
  service_user_scopes: string | null;
  service_user_active: number | null;
  service_user_epoch: number | null;
  service_user_expires_at: number | null;
  key_id: string | null;
  key_created_at: number | null;
  key_expires_at: number | null;
  key_revoked_at: number | null;
  key_epoch: number | null;
  key_owner_role: Role | null;
  key_owner_active: number | null;
  key_owner_epoch: number | null;
  key_owner_expires_at: number | null;
  root_token_id: string | null;
  root_token_kind: TokenKind | null;
  root_token_role: Role | null;
  root_token_created_at: number | null;
  root_token_expires_at: number | null;
  root_token_revoked_at: number | null;
  tenant_networks: string | null;
  service_user_networks: string | null;
  role_grants: string | null;
  own_grants: string | null;
}

/** Everything that decides whether an API key is good now, in one read. */
export interface ApiKeyState extends LimitsState {
  id: string;
  tenant_id: string;
  hash: string;
  epoch: number;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  service_user_id: string;
  name: string;
  role: Role;
  scopes: string;
  active: number;
  service_user_epoch: number;
  service_user_expires_at: number | null;
  tenant_networks: string | null;
  service_user_networks: string;
  role_grants: string | null;
  own_grants: string | null;
}

/** As in `VIEW_AUDIT:tenant-admin MANAGE_USERS:tenant-admin`; null where no role was granted anything. */
const roleGrants = (tenantId: 't.tenant_id' | 'k.tenant_id') =>
  sql<string | null>`(select string_agg(g.privilege || ':' || g.grantee_id, ' ') from grants as g
    where g.tenant_id = ${sql.ref(tenantId)} and g.grantee_id in ('tenant-user', 'tenant-admin'))`.as('role_grants');

/** As in `VIEW_AUDIT MANAGE_USERS`; null where the service user was granted nothing by itself. */
const ownGrantsOfKey = sql<string | null>`(select string_agg(g.privilege, ' ') from grants as g
  where g.tenant_id = k.tenant_id and g.grantee_id = k.service_user_id)`.as('own_grants');

/** The same for a token's owner; a token may carry only what was granted until some time. */
const ownGrantsOfToken = sql<string | null>`(select string_agg(g.privilege, ' ') from grants as g
  where g.tenant_id = t.tenant_id and g.grantee_id = t.owner_id
    and (t.own_grants_until is null or g.created_at <= t.own_grants_until))`.as('own_grants');

const tokenStateQuery = (db: Executor) =>
  db
    .selectFrom('tokens as t')
    // In a deleted tenant no credential is known.
    .innerJoin('tenants as n', (join) => join.onRef('n.id', '=', 't.tenant_id').on('n.deleted_at', 'is', null))
    .leftJoin('users as u', 'u.id', 't.owner_id')
    .leftJoin('service_users as s', 's.id', 't.owner_id')
    .leftJoin('api_keys as k', 'k.id', 't.root_id')
    .leftJoin('service_users as o', 'o.id', 'k.service_user_id')
    .leftJoin('tokens as r', 'r.id', 't.root_id')
    .leftJoin('settings as l', 'l.tenant_id', 't.tenant_id')
    .select([
      't.id',
      't.tenant_id',
      't.kind',
      't.owner_id',
      sql<string | null>`coalesce(u.tenant_id, s.tenant_id)`.as('owner_tenant_id'),
      't.epoch',
      't.role',
      't.scopes',
      't.created_at',
      't.expires_at',
    ])
    .select([
      't.revoked_at',
      't.renewable_until',
      't.own_grants_until',
      't.unauthenticated_as',
      't.root_kind',
      't.root_id',
      'u.kind as user_kind',
      'u.username as user_name',
      'u.email as user_email',
    ])
    .select(['u.role as user_role', 'u.active as user_active', 'u.epoch as user_epoch'])
    .select(['s.name as service_user_name', 's.role as service_user_role', 's.scopes as service_user_scopes'])
    .select([
      's.active as service_user_active',
      's.epoch as service_user_epoch',
      's.expires_at as service_user_expires_at',
    ])
    .select(['k.id as key_id', 'k.expires_at as key_expires_at', 'k.revoked_at as key_revoked_at'])
    .select(['k.epoch as key_epoch', 'o.active as key_owner_active', 'o.epoch as key_owner_epoch'])
    .select(['k.created_at as key_created_at', 'o.role as key_owner_role', 'o.expires_at as key_owner_expires_at'])
    .select(['r.id as root_token_id', 'r.kind as root_token_kind', 'r.created_at as root_token_created_at'])
    .select([
      'r.role as root_token_role',
      'r.expires_at as root_token_expires_at',
      'r.revoked_at as root_token_revoked_at',
    ])
    .select(['l.max_token_days', 'l.max_key_days', 'l.session_hours', 'l.allow_non_expiring_tokens', 'l.role_limits'])
    .select(['l.allowed_networks as tenant_networks', 's.allowed_networks as service_user_networks'])
    .select([roleGrants('t.tenant_id'), ownGrantsOfToken]);

const apiKeyStateQuery = (db: Executor) =>
  db
    .selectFrom('api_keys as k')
    .innerJoin('service_users as s', 's.id', 'k.service_user_id')
    .innerJoin('tenants as n', (join) => join.onRef('n.id', '=', 'k.tenant_id').on('n.deleted_at', 'is', null))
    .leftJoin('settings as l', 'l.tenant_id', 'k.tenant_id')
    .select([
      'k.id',
      'k.tenant_id',
      'k.hash',
      'k.epoch',
      'k.created_at',
      'k.expires_at',
      'k.revoked_at',
      'k.service_user_id',
    ])
    .select([
      's.name',
      's.role',
      's.scopes',
      's.active',
      's.epoch as service_user_epoch',
      's.expires_at as service_user_expires_at',
    ])
    .select(['l.max_token_days', 'l.max_key_days', 'l.session_hours', 'l.allow_non_expiring_tokens', 'l.role_limits'])
    .select(['l.allowed_networks as tenant_networks', 's.allowed_networks as service_user_networks'])
    .select([roleGrants('k.tenant_id'), ownGrantsOfKey]);

/** The two reads of authentication. On SQLite they answer at once, without a promise. */
export interface CredentialReader {
  findTokenState(id: string): MaybePromise<TokenState | undefined>;
  findApiKeyState(id: string): MaybePromise<ApiKeyState | undefined>;
}

export const createCredentialReader = (db: Database): CredentialReader => ({
  findTokenState: db.prepareFind((id) => tokenStateQuery(db.read).where('t.id', '=', id)),
  findApiKeyState: db.prepareFind((id) => apiKeyStateQuery(db.read).where('k.id', '=', id)),
});

/** The same reads as a transaction sees them. */
export const findTokenStateIn = (tx: Executor, id: string): Promise<TokenState | undefined> =>
  tokenStateQuery(tx).where('t.id', '=', id).executeTakeFirst();

export const findApiKeyStateIn = (tx: Executor, id: string): Promise<ApiKeyState | undefined> =>
  apiKeyStateQuery(tx).where('k.id', '=', id).executeTakeFirst();

/** Everything that decides about a principal who presents no credential, but what is granted to it. */
export interface PrincipalState {
  id: string;
  tenant_id: string;
  kind: 'user' | 'service_user';
  name: string;
  email: string | null;
  role: Role;
  scopes: string;
  active: number;
  epoch: number;
  expires_at: number | null;
  tenant_networks: string | null;
  service_user_networks: string | null;
}

/** A user by id or name, active or not; never the embedded owner. */
export async function findUserState(
  db: Executor,
  wanted: { id: string } | { tenantId: string; username: string },
): Promise<PrincipalState | undefined> {
  const query = db
    .selectFrom('users as u')
    .leftJoin('settings as l', 'l.tenant_id', 'u.tenant_id')
    .select(['u.id', 'u.tenant_id', 'u.username as name', 'u.email', 'u.role', 'u.active', 'u.epoch'])
    .select('l.allowed_networks as tenant_networks')
    .where('u.kind', '=', 'user');
  const found =
    'id' in wanted
      ? query.where('u.id', '=', wanted.id)
      : query.where('u.tenant_id', '=', wanted.tenantId).where('u.username', '=', wanted.username);
  const row = await found.executeTakeFirst();
  return row && { ...row, kind: 'user', scopes: '[]', expires_at: null, service_user_networks: null };
}

/** The same of a service user. */
export async function findServiceUserState(db: Executor, { id }: { id: string }): Promise<PrincipalState | undefined> {
  const row = await db
    .selectFrom('service_users as s')
    .leftJoin('settings as l', 'l.tenant_id', 's.tenant_id')
    .select(['s.id', 's.tenant_id', 's.name', 's.role', 's.scopes', 's.active', 's.epoch', 's.expires_at'])
    .select(['l.allowed_networks as tenant_networks', 's.allowed_networks as service_user_networks'])
    .where('s.id', '=', id)
    .executeTakeFirst();
  return row && { ...row, kind: 'service_user', email: null };
}
