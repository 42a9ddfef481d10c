import { type Kysely, sql } from 'kysely';

/** What DataHub's token API asks for: lists of a tenant's tokens by their end, durations, tokens made without authentication. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('tokens').addColumn('unauthenticated_as', 'text').execute();
  await db.schema
    .alterTable('settings')
    .addColumn('allowed_token_durations', 'text', (c) => c.notNull().defaultTo('[]'))
    .execute();
  await db.schema.alterTable('service_users').addColumn('updated_at', 'bigint').execute();

  // Personal tokens that nobody revoked, by their end: of a tenant, of whose they are, and of who minted them.
  for (const [name, first] of [
    ['tokens_by_end', 'tenant_id'],
    ['tokens_by_owner_and_end', 'owner_id'],
    ['tokens_by_minter_and_end', 'actor_id'],
  ] as const) {
    await db.schema
      .createIndex(name)
      .on('tokens')
      .columns([first, 'expires_at', 'id'])
      .where(sql.ref('kind'), '=', sql.lit('personal'))
      .where(sql.ref('revoked_at'), 'is', null)
      .execute();
  }

  // Two that every token had to be put into, in a place of its own: what they found is found by the index above, and by one
  // of the few tokens that somebody minted for others.
  await db.schema.dropIndex('tokens_by_validity').execute();
  await db.schema.dropIndex('tokens_by_actor').execute();
  await db.schema
    .createIndex('tokens_for_others_by_minter')
    .on('tokens')
    .column('actor_id')
    .where(sql.ref('owner_id'), '<>', sql.ref('actor_id'))
    .execute();

  // Of a tenant's tokens most are obtained by programs, for an hour; these are few among them. By the second condition no
  // query is offered the index that names no tenant.
  await db.schema
    .createIndex('tokens_personal')
    .on('tokens')
    .columns(['tenant_id', 'id'])
    .where(sql.ref('kind'), '=', sql.lit('personal'))
    .where(sql.ref('tenant_id'), 'is not', null)
    .execute();
}
