import { sql } from 'kysely';
import { MIGRATION_NAMES, readApplied } from '../store/migrate.ts';
import type { Executor } from '../store/schema.ts';
import { TABLE_NAMES } from '../store/tables.ts';

/** Rows by table; a table that an older release does not have is left out. */
export async function countRows(db: Executor): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  const { rows } = await sql<{ name: string }>`select name from sqlite_schema where type = 'table'`.execute(db);
  const present = new Set(rows.map(({ name }) => name));
  for (const table of TABLE_NAMES.filter((name) => present.has(name))) {
    const { rows: counted } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db);
    counts[table] = Number(counted[0]?.n);
  }
  return counts;
}

/** The installation's row; undefined where nothing has been founded, or not even a table made. */
export const findInstallation = async (db: Executor) =>
  (await readMigrations(db)).length === 0 ? undefined : db.selectFrom('installation').selectAll().executeTakeFirst();

/** The migrations that have run. */
export const readMigrations = (db: Executor): Promise<string[]> => readApplied(db);

/** Whether a database has this release's schema. */
export const isCurrent = async (db: Executor): Promise<boolean> =>
  (await readMigrations(db)).length === MIGRATION_NAMES.length;

/** Catalogs whose files are not below a data directory. */
export async function listCatalogsElsewhere(db: Executor, dataDirLocation: string) {
  const rows = await db
    .selectFrom('catalogs')
    .select(['name', 'warehouse_location'])
    .where('warehouse_location', 'is not', null)
    .orderBy('name')
    .execute();
  return rows.filter(({ warehouse_location: location }) => !location?.startsWith(`${dataDirLocation}/`));
}

/** Tokens that are neither revoked nor expired; whether they are good depends on more. */
export const listOpenTokens = (db: Executor, nowMs: number) =>
  db
    .selectFrom('tokens as t')
    .leftJoin('users as u', 'u.id', 't.owner_id')
    .leftJoin('service_users as s', 's.id', 't.owner_id')
    .select(['t.id', 't.tenant_id', 't.name', 't.last_used_at', 't.expires_at'])
    .select((eb) => eb.fn.coalesce('u.username', 's.name').as('owner'))
    .where('t.revoked_at', 'is', null)
    .where('t.expires_at', '>', nowMs)
    .orderBy('t.id')
    .$castTo<OpenCredential>()
    .execute();

/** API keys that are not revoked; whether they are good depends on more. */
export const listOpenApiKeys = (db: Executor) =>
  db
    .selectFrom('api_keys as k')
    .leftJoin('service_users as s', 's.id', 'k.service_user_id')
    .select(['k.id', 'k.tenant_id', 'k.last_used_at', 'k.expires_at', 's.name as owner'])
    .select((eb) => eb.lit(null).as('name'))
    .where('k.revoked_at', 'is', null)
    .orderBy('k.id')
    .$castTo<OpenCredential>()
    .execute();

/** Users who can log in with a password. */
export const listPasswordHolders = (db: Executor) =>
  db
    .selectFrom('users')
    .select(['id', 'tenant_id', 'username as owner', 'last_login_at as last_used_at'])
    .select((eb) => [eb.lit(null).as('name'), eb.lit(null).as('expires_at')])
    .where('password_hash', 'is not', null)
    .where('active', '=', 1)
    .orderBy('username')
    .$castTo<OpenCredential>()
    .execute();

interface OpenCredential {
  id: string;
  tenant_id: string;
  owner: string | null;
  name: string | null;
  last_used_at: number | null;
  expires_at: number | null;
}

/** The signing keys whose private part is kept. */
export const listSealedKeys = (db: Executor) =>
  db.selectFrom('signing_keys').select(['kid', 'private_key']).where('private_key', '<>', '').execute();

/** Whether a database has more in it than tables and indexes. */
export async function hasCode(db: Executor): Promise<boolean> {
  const { rows } = await sql`select 1 from sqlite_schema where type not in ('table', 'index') limit 1`.execute(db);
  return rows.length > 0;
}

/** Whether tables or views lie below a location, which ends with a slash. */
export async function hasTablesBelow(db: Executor, location: string): Promise<boolean> {
  const found = await db
    .selectFrom('catalog_objects')
    .select('id')
    .where(sql<number>`substr(location, 1, ${location.length})`, '=', location as never)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}
