import { expect, test } from 'vitest';
import { openEmbeddedServer } from './back-up.ts';

/**
 * What decides about credentials, and what restored-credentials.ts does about it. `backup`: as the backup has it, because
 * it decides nothing, or because a credential for which it differs is ended.
 */
const DECIDED: Record<string, Record<string, 'backup' | 'rule'>> = {
  users: {
    id: 'backup',
    tenant_id: 'backup',
    kind: 'backup',
    username: 'backup',
    email: 'backup',
    role: 'rule',
    password_hash: 'rule',
    active: 'rule',
    epoch: 'rule',
    epoch_raised_at: 'rule',
    created_at: 'backup',
    created_by: 'backup',
    last_login_at: 'rule',
  },
  service_users: {
    id: 'backup',
    tenant_id: 'backup',
    name: 'backup',
    description: 'backup',
    role: 'rule',
    scopes: 'rule',
    active: 'rule',
    epoch: 'rule',
    epoch_raised_at: 'rule',
    created_at: 'backup',
    created_by: 'backup',
    expires_at: 'rule',
    allowed_networks: 'rule',
    updated_at: 'backup',
    last_used_at: 'rule',
    last_used_ip: 'rule',
    last_used_client: 'rule',
  },
  api_keys: {
    id: 'backup',
    tenant_id: 'backup',
    service_user_id: 'backup',
    hash: 'backup',
    epoch: 'backup',
    created_at: 'backup',
    created_by: 'backup',
    expires_at: 'rule',
    revoked_at: 'rule',
    last_used_at: 'rule',
    last_used_ip: 'rule',
    last_used_client: 'rule',
  },
  tokens: {
    id: 'backup',
    tenant_id: 'backup',
    kind: 'backup',
    owner_kind: 'backup',
    owner_id: 'backup',
    actor_id: 'backup',
    epoch: 'backup',
    name: 'backup',
    description: 'backup',
    role: 'backup',
    scopes: 'backup',
    created_at: 'backup',
    expires_at: 'rule',
    parent_id: 'backup',
    root_kind: 'backup',
    root_id: 'backup',
    revoked_at: 'rule',
    revoked_by: 'rule',
    revoked_reason: 'rule',
    rotated_to: 'rule',
    renewable_until: 'rule',
    own_grants_until: 'rule',
    unauthenticated_as: 'backup',
    last_used_at: 'rule',
    last_used_ip: 'rule',
    last_used_client: 'rule',
  },
  settings: {
    tenant_id: 'backup',
    default_token_days: 'rule',
    max_token_days: 'rule',
    max_tokens_per_user: 'rule',
    session_hours: 'rule',
    default_key_days: 'rule',
    max_key_days: 'rule',
    allow_non_expiring_tokens: 'rule',
    role_limits: 'rule',
    allowed_networks: 'rule',
    allowed_token_durations: 'rule',
  },
  grants: {
    id: 'backup',
    tenant_id: 'backup',
    grantee_kind: 'backup',
    grantee_id: 'backup',
    privilege: 'backup',
    created_at: 'rule',
    created_by: 'backup',
  },
  signing_keys: {
    kid: 'backup',
    state: 'rule',
    public_key: 'backup',
    private_key: 'rule',
    created_at: 'backup',
    activated_at: 'backup',
    retired_at: 'rule',
    verify_until: 'rule',
  },
};

test('what a restore does is decided for every column of what credentials are made of', async () => {
  const { deps } = await openEmbeddedServer();
  const tables = await deps.db.read.introspection.getTables();
  for (const [name, columns] of Object.entries(DECIDED)) {
    const there = tables.find((table) => table.name === name)?.columns.map((column) => column.name);
    expect([name, there?.sort()], 'decide it in restored-credentials.ts').toEqual([name, Object.keys(columns).sort()]);
  }
  const decided = [...Object.keys(DECIDED), 'installation', 'tenants'];
  const others = tables
    .map(({ name }) => name)
    .filter((name) => !decided.includes(name) && !name.startsWith('kysely_'));
  expect(others.sort(), 'does a new table decide about credentials?').toEqual([
    'audit_chains',
    'audit_checkpoints',
    'audit_events',
    'catalog_objects',
    'catalogs',
    'changes',
    'credential_failures',
    'login_failures',
    'namespaces',
    'object_directories',
  ]);
});
