import type { Schema } from './schema.ts';

/**
 * Every table and its primary key, in an order in which rows can be inserted: what others refer to comes first. Backups,
 * restoring and moving to another engine go by this list, so a table that is missing here does not compile.
 */
export const TABLES = {
  installation: ['one'],
  tenants: ['id'],
  users: ['id'],
  service_users: ['id'],
  api_keys: ['id'],
  tokens: ['id'],
  settings: ['tenant_id'],
  grants: ['tenant_id', 'grantee_id', 'privilege'],
  signing_keys: ['kid'],
  audit_chains: ['chain'],
  audit_events: ['id'],
  audit_checkpoints: ['chain', 'seq'],
  changes: ['one'],
  login_failures: ['account', 'address'],
  credential_failures: ['address', 'minute'],
  catalogs: ['id'],
  namespaces: ['id'],
  catalog_objects: ['id'],
  object_directories: ['object_id', 'location'],
} as const satisfies { [Table in keyof Schema]: readonly (keyof Schema[Table])[] };

export type TableName = keyof Schema;

export const TABLE_NAMES = Object.keys(TABLES) as TableName[];
