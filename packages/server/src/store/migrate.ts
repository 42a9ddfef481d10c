import { PangolinError } from '@pangolin/shared/contract';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import * as initial from './migrations/0001-initial.ts';

const MIGRATIONS: Record<string, Migration> = { '0001-initial': initial };

/**
 * Brings a database up to this release's schema.
 * Throws `database_too_new` when a newer release has already changed it.
 */
export async function migrate(db: Kysely<unknown>): Promise<void> {
  const applied = await readApplied(db);
  const unknown = applied.filter((name) => !Object.hasOwn(MIGRATIONS, name));
  if (unknown.length > 0) {
    throw new PangolinError(
      'database_too_new',
      `The database has migrations this release does not know: ${unknown.join(', ')}.`,
      {
        hint: 'Use the Pangolin release that wrote it, or a newer one: npm install -g @pangolin/user-cli@latest @pangolin/admin-cli@latest',
      },
    );
  }
  if (applied.length === Object.keys(MIGRATIONS).length) return;
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}

/** One query instead of the Migrator's seven: most starts find nothing to do. */
async function readApplied(db: Kysely<unknown>): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
    return rows.map((row) => row.name);
  } catch (error) {
    if (error instanceof Error && /no such table|does not exist/.test(error.message)) return [];
    throw error;
  }
}
