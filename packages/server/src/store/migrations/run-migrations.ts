import { type Kysely, type Migration, Migrator } from 'kysely';
import * as initial from './0001-initial.ts';
import * as iceberg from './0002-iceberg.ts';
import * as control from './0003-control.ts';
import * as datahub from './0004-datahub.ts';

/** By name, in the order they run. */
const MIGRATIONS: Record<string, Migration> = {
  '0001-initial': initial,
  '0002-iceberg': iceberg,
  '0003-control': control,
  '0004-datahub': datahub,
};

/** Runs what has not run yet; of several processes at once one does it. */
export async function runMigrations(db: Kysely<unknown>): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
