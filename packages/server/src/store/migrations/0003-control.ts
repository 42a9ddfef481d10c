import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

/** What a role may do in a tenant whose policies nobody has changed, as of this migration. */
const DEFAULT_GRANTS = [
  ['tenant-user', 'GENERATE_PERSONAL_ACCESS_TOKENS'],
  ['tenant-admin', 'GENERATE_PERSONAL_ACCESS_TOKENS'],
  ['tenant-admin', 'MANAGE_ACCESS_TOKENS'],
  ['tenant-admin', 'MANAGE_SERVICE_ACCOUNTS'],
  ['tenant-admin', 'MANAGE_USERS'],
  ['tenant-admin', 'MANAGE_CATALOGS'],
  ['tenant-admin', 'VIEW_AUDIT'],
] as const;

/** Tenants, policies, limits, checkpoints of the audit log, states of signing keys, and what several servers share. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tenants').addColumn('description', 'text').execute();
  await db.schema.alterTable('tenants').addColumn('deleted_at', 'bigint').execute();

  await db.schema
    .createTable('grants')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('tenant_id', 'text', (c) => c.notNull().references('tenants.id'))
    .addColumn('grantee_kind', 'text', (c) => c.notNull())
    .addColumn('grantee_id', 'text', (c) => c.notNull())
    .addColumn('privilege', 'text', (c) => c.notNull())
    .addColumn('created_at', 'bigint', (c) => c.notNull())
    .addColumn('created_by', 'text')
    .addPrimaryKeyConstraint('grants_once', ['tenant_id', 'grantee_id', 'privilege'])
    .execute();
  await db.schema
    .createIndex('grants_by_privilege')
    .on('grants')
    .columns(['tenant_id', 'privilege', 'grantee_id'])
    .execute();
  await grantDefaults(db);
  await limitOwnGrants(db);

  await db.schema.alterTable('settings').addColumn('default_key_days', 'integer').execute();
  await db.schema.alterTable('settings').addColumn('max_key_days', 'integer').execute();
  await db.schema
    .alterTable('settings')
    .addColumn('allow_non_expiring_tokens', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema
    .alterTable('settings')
    .addColumn('role_limits', 'text', (c) => c.notNull().defaultTo('{}'))
    .execute();
  for (const table of ['settings', 'service_users']) {
    await db.schema
      .alterTable(table)
      .addColumn('allowed_networks', 'text', (c) => c.notNull().defaultTo('[]'))
      .execute();
  }
  await db.schema.createIndex('tokens_by_tenant').on('tokens').columns(['tenant_id', 'id']).execute();
  // Few tokens are: whoever lost a right to obtain them may have obtained a million for themselves.
  await db.schema
    .createIndex('tokens_for_others')
    .on('tokens')
    .columns(['tenant_id', 'actor_id'])
    .where(sql.ref('owner_id'), '<>', sql.ref('actor_id'))
    .execute();

  for (const column of ['activated_at', 'retired_at', 'verify_until'] as const)
    await db.schema.alterTable('signing_keys').addColumn(column, 'bigint').execute();
  await sql`update signing_keys set activated_at = created_at where state = 'active'`.execute(db);
  // Whatever happens at once: one key signs, and one is next.
  await sql`create unique index signing_keys_one_each on signing_keys (state) where state <> 'retired'`.execute(db);
  await db.schema.createIndex('signing_keys_by_end').on('signing_keys').column('verify_until').execute();

  await db.schema
    .createTable('audit_checkpoints')
    .addColumn('chain', 'text', (c) => c.notNull())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .addColumn('time', 'bigint', (c) => c.notNull())
    .addColumn('kid', 'text', (c) => c.notNull())
    .addColumn('signature', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('audit_checkpoints_once', ['chain', 'seq'])
    .execute();
  await db.schema.createIndex('audit_checkpoints_by_key').on('audit_checkpoints').column('kid').execute();
  await db.schema
    .createIndex('audit_events_by_result')
    .on('audit_events')
    .columns(['chain', 'result', 'seq'])
    .execute();

  await db.schema
    .createTable('changes')
    .addColumn('one', 'integer', (c) => c.primaryKey())
    .addColumn('credentials', 'bigint', (c) => c.notNull())
    .execute();
  await sql`insert into changes (one, credentials) values (1, 1)`.execute(db);

  await db.schema
    .createTable('login_failures')
    .addColumn('account', 'text', (c) => c.notNull())
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addColumn('last_failure_at', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('login_failures_once', ['account', 'address'])
    .execute();
  await db.schema.createIndex('login_failures_by_time').on('login_failures').column('last_failure_at').execute();

  await db.schema
    .createTable('credential_failures')
    .addColumn('address', 'text', (c) => c.notNull())
    .addColumn('minute', 'bigint', (c) => c.notNull())
    .addColumn('failures', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('credential_failures_once', ['address', 'minute'])
    .execute();
  await db.schema.createIndex('credential_failures_by_minute').on('credential_failures').column('minute').execute();
}

/** A token below its owner's role, or obtained by somebody else, carries nothing that is granted to its owner later. */
async function limitOwnGrants(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('own_grants_until', 'bigint').execute();
  await sql`update tokens set own_grants_until = 0 where actor_id <> owner_id or role <> coalesce(
    (select role from users where users.id = owner_id),
    (select role from service_users where service_users.id = owner_id), '')`.execute(db);
}

/** Tenants that exist keep what their roles could do before there were policies. */
async function grantDefaults(db: Kysely<unknown>): Promise<void> {
  const { rows } = await sql<{ id: string; created_at: number }>`select id, created_at from tenants`.execute(db);
  for (const tenant of rows) {
    for (const [role, privilege] of DEFAULT_GRANTS) {
      await sql`insert into grants (id, tenant_id, grantee_kind, grantee_id, privilege, created_at, created_by)
        values (${randomUUID()}, ${tenant.id}, 'role', ${role}, ${privilege}, ${tenant.created_at}, null)`.execute(db);
    }
  }
}
