import { PangolinError } from '@pangolin/shared/errors';
import { type Kysely, type QueryExecutorProvider, sql } from 'kysely';

/** Every migration, in order; run-migrations.ts has the steps. */
export const MIGRATION_NAMES = ['0001-initial', '0002-iceberg', '0003-control', '0004-datahub'];

/**
 * Brings a database up to this release's schema.
 * Throws `database_too_new` when a newer release has already changed it.
 */
export async function migrate(db: Kysely<unknown>): Promise<void> {
  const applied = await refuseTooNew(db);
  if (applied.length === MIGRATION_NAMES.length) return;
  const { runMigrations } = await import('./migrations/run-migrations.ts');
  await runMigrations(db);
}

/** Throws `database_too_new` when a newer release has changed the database; answers what was applied. */
export async function refuseTooNew(db: QueryExecutorProvider): Promise<string[]> {
  const applied = await readApplied(db);
  const unknown = applied.filter((name) => !MIGRATION_NAMES.includes(name));
  if (unknown.length > 0) {
    throw new PangolinError(
      'database_too_new',
      `The database has migrations this release does not know: ${unknown.join(', ')}.`,
      {
        hint: 'Use the Pangolin release that wrote it, or a newer one: npm install -g @pangolin/user-cli@latest @pangolin/admin-cli@latest',
      },
    );
  }
  return applied;
}

/**
 * The migrations a database has, in order; none for an empty one. One query instead of the Migrator's seven: most starts
 * find nothing to do.
 */
export async function readApplied(db: QueryExecutorProvider): Promise<string[]> {
  try {
    const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db);
    return rows.map((row) => row.name);
  } catch (error) {
    if (error instanceof Error && /no such table|does not exist/.test(error.message)) return [];
    throw error;
  }
}
