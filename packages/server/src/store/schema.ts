import type { Privilege } from '@pangolin/shared/contract/privileges';
import type { Role } from '@pangolin/shared/contract/roles';
import type { TokenKind } from '@pangolin/shared/contract/tokens';
import type { Kysely, Transaction } from 'kysely';

/**
 * The tables. Times are milliseconds since 1970 (UTC), flags are 0 or 1, ids are UUIDv7 text, lists are JSON text:
 * types that SQLite and PostgreSQL both have.
 */
export interface Schema {
  installation: InstallationTable;
  tenants: TenantsTable;
  users: UsersTable;
  service_users: ServiceUsersTable;
  api_keys: ApiKeysTable;
  tokens: TokensTable;
  settings: SettingsTable;
  signing_keys: SigningKeysTable;
  grants: GrantsTable;
  audit_chains: AuditChainsTable;
  audit_events: AuditEventsTable;
  audit_checkpoints: AuditCheckpointsTable;
  changes: ChangesTable;
  login_failures: LoginFailuresTable;
  credential_failures: CredentialFailuresTable;
  catalogs: CatalogsTable;
  namespaces: NamespacesTable;
  catalog_objects: CatalogObjectsTable;
  object_directories: ObjectDirectoriesTable;
}

/** Anything that runs queries: the read connection, or a transaction. */
export type Executor = Kysely<Schema> | Transaction<Schema>;

/** One row, `one` is always 1. */
export interface InstallationTable {
  one: number;
  id: string;
  default_tenant_id: string;
  owner_id: string;
  created_at: number;
}

/** Of a deleted tenant the row stays, by its id alone; nothing in it is good any more. */
export interface TenantsTable {
  id: string;
  name: string;
  description: string | null;
  created_at: number;
  deleted_at: number | null;
}

/** A privilege, granted in a tenant to everybody of at least a role (`grantee_id` is its name) or to one principal. */
export interface GrantsTable {
  id: string;
  tenant_id: string;
  grantee_kind: 'role' | 'user' | 'service_user';
  grantee_id: string;
  privilege: Privilege;
  created_at: number;
  created_by: string | null;
}

/** `epoch` is copied into every credential at issue; raising it ends them all. */
export interface UsersTable {
  id: string;
  tenant_id: string;
  kind: 'user' | 'owner';
  username: string;
  email: string | null;
  role: Role;
  password_hash: string | null;
  active: number;
  epoch: number;
  epoch_raised_at: number | null;
  created_at: number;
  created_by: string | null;
  last_login_at: number | null;
}

export interface ServiceUsersTable {
  id: string;
  tenant_id: string;
  name: string;
  description: string | null;
  role: Role;
  scopes: string;
  active: number;
  epoch: number;
  epoch_raised_at: number | null;
  created_at: number;
  created_by: string | null;
  expires_at: number | null;
  /** A JSON list of CIDR blocks; an empty one allows every address. */
  allowed_networks: string;
  last_used_at: number | null;
  last_used_ip: string | null;
  last_used_client: string | null;
  updated_at: number | null;
}

/** `hash` is the SHA-256 of the whole key, hex; the key itself is never stored. */
export interface ApiKeysTable {
  id: string;
  tenant_id: string;
  service_user_id: string;
  hash: string;
  epoch: number;
  created_at: number;
  created_by: string | null;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  last_used_ip: string | null;
  last_used_client: string | null;
}

/**
 * Every token ever issued, by its `jti` (`id`).
 * `rotated_to` is the token that took its place. `renewable_until` is how far an access token may be renewed; null: as far
 * as what it descends from. Of what was granted to its owner alone it carries what was granted by `own_grants_until`; null:
 * all of it.
 * `unauthenticated_as` is the name under which a server without authentication minted it; null: its maker was authenticated.
 * `parent_id` is the token it was obtained with and dies with; `root_id` the key, login or token it descends from.
 */
export interface TokensTable {
  id: string;
  tenant_id: string;
  kind: TokenKind;
  owner_kind: 'user' | 'service_user';
  owner_id: string;
  actor_id: string;
  epoch: number;
  name: string | null;
  description: string | null;
  role: Role;
  scopes: string;
  created_at: number;
  expires_at: number;
  parent_id: string | null;
  root_kind: 'token' | 'api_key';
  root_id: string;
  revoked_at: number | null;
  revoked_by: string | null;
  revoked_reason: string | null;
  rotated_to: string | null;
  renewable_until: number | null;
  own_grants_until: number | null;
  unauthenticated_as: string | null;
  last_used_at: number | null;
  last_used_ip: string | null;
  last_used_client: string | null;
}

/**
 * `role_limits` is JSON: by role, the limits that differ for it. `allowed_networks` is a JSON list of CIDR blocks; an empty
 * one allows every address. `allowed_token_durations` is one of the names of DataHub's durations; an empty one allows all.
 */
interface SettingsTable {
  tenant_id: string;
  default_token_days: number;
  max_token_days: number;
  max_tokens_per_user: number | null;
  session_hours: number;
  default_key_days: number | null;
  max_key_days: number | null;
  allow_non_expiring_tokens: number;
  role_limits: string;
  allowed_networks: string;
  allowed_token_durations: string;
}

/** `private_key` is a JWK sealed with the master key. `verify_until`, of a retired key: when the last token it signed ends. */
export interface SigningKeysTable {
  kid: string;
  state: 'next' | 'active' | 'retired';
  public_key: string;
  private_key: string;
  created_at: number;
  activated_at: number | null;
  retired_at: number | null;
  verify_until: number | null;
}

/** The head of each chain: a tenant's id, or `system`. */
interface AuditChainsTable {
  chain: string;
  seq: number;
  hash: string;
}

export interface AuditEventsTable {
  id: string;
  chain: string;
  seq: number;
  time: number;
  tenant_id: string;
  user_id: string | null;
  username: string | null;
  action: string;
  resource_type: string;
  resource_id: string | null;
  resource_name: string | null;
  result: 'success' | 'failure';
  ip: string | null;
  client: string | null;
  credential_type: string | null;
  credential_id: string | null;
  request_id: string | null;
  details: string;
  previous_hash: string;
  hash: string;
}

/** What vouches for a chain up to an event: a compact JWS over chain, seq, hash and time, by a signing key. */
export interface AuditCheckpointsTable {
  chain: string;
  seq: number;
  hash: string;
  time: number;
  kid: string;
  signature: string;
}

/**
 * One row, `one` is always 1. `credentials` counts the commits that may have ended or narrowed a credential; on PostgreSQL
 * the row is what writers take turns by.
 */
interface ChangesTable {
  one: number;
  credentials: number;
}

/** Wrong passwords in a row, per account (a hash of tenant and name) and address. */
interface LoginFailuresTable {
  account: string;
  address: string;
  failures: number;
  last_failure_at: number;
}

/** Refused tokens and API keys, per address and minute (whole minutes since 1970). */
interface CredentialFailuresTable {
  address: string;
  minute: number;
  failures: number;
}

export interface CatalogsTable {
  id: string;
  tenant_id: string;
  name: string;
  catalog_type: 'internal';
  warehouse_location: string | null;
  created_at: number;
  created_by: string | null;
}

/** `path` is the levels' names joined by U+001F, which no name holds; `parent_path` of a top level is empty. */
export interface NamespacesTable {
  id: string;
  tenant_id: string;
  catalog_id: string;
  path: string;
  parent_path: string;
  properties: string;
  created_at: number;
  created_by: string | null;
}

/**
 * Tables and views, which share their names. `metadata_location` is the pointer that a commit swaps; `version` counts the
 * swaps.
 */
export interface CatalogObjectsTable {
  id: string;
  tenant_id: string;
  catalog_id: string;
  namespace_path: string;
  name: string;
  kind: 'table' | 'view';
  location: string;
  metadata_location: string;
  previous_metadata_location: string | null;
  version: number;
  created_at: number;
  updated_at: number;
}

/** Where the files of a table or view are; no two objects have directories in each other. */
interface ObjectDirectoriesTable {
  object_id: string;
  tenant_id: string;
  catalog_id: string;
  location: string;
}
