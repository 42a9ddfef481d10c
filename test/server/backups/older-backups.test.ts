import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { expect, test } from 'vitest';
import { backUp } from '../../../packages/server/src/operations.ts';
import * as initial from '../../../packages/server/src/store/migrations/0001-initial.ts';
import * as iceberg from '../../../packages/server/src/store/migrations/0002-iceberg.ts';
import { openSqlite } from '../../../packages/server/src/store/sqlite.ts';
import { createFolder, UNKNOWN_ID } from '../harness.ts';
import { openEmbeddedServer, restoreBackup } from './back-up.ts';

const INSTALLATION_ID = '01900000-0000-7000-8000-00000000000a';

/** A data directory as a release before policies left it. */
async function createOldDirectory(): Promise<string> {
  const dataDir = join(await createFolder(), 'old');
  await mkdir(dataDir, { mode: 0o700 });
  await writeFile(join(dataDir, 'pangolin.db'), '', { mode: 0o600 });
  const { kysely } = await openSqlite<unknown>(join(dataDir, 'pangolin.db'), { readOnly: false });
  const migrations: Record<string, Migration> = { '0001-initial': initial, '0002-iceberg': iceberg };
  const provider = { getMigrations: async () => migrations };
  const { error } = await new Migrator({ db: kysely as Kysely<unknown>, provider }).migrateToLatest();
  expect(error).toBeUndefined();
  await sql`insert into tenants (id, name, created_at) values (${UNKNOWN_ID}, 'default', 1)`.execute(kysely);
  await sql`insert into installation (one, id, default_tenant_id, owner_id, created_at)
    values (1, ${INSTALLATION_ID}, ${UNKNOWN_ID}, ${UNKNOWN_ID}, 1)`.execute(kysely);
  await kysely.destroy();
  return dataDir;
}

test('a backup of an older release is made without changing it, and brought up to date when it is restored', async () => {
  const dataDir = await createOldDirectory();
  const file = join(await createFolder(), 'old.tar');
  const operator = { ownerName: 'ada', client: 'test' };
  const made = await backUp({ ...operator, dataDir, file, force: false, includeMasterKey: false });
  expect(made.isAudited).toBe(false);
  expect(made.manifest.migrations).toEqual(['0001-initial', '0002-iceberg']);
  expect(made.manifest.counts).not.toHaveProperty('grants');
  const again = await backUp({ ...operator, dataDir, file: `${file}.2`, force: false, includeMasterKey: false });
  expect(again.manifest.migrations).toEqual(made.manifest.migrations);

  const server = await openEmbeddedServer();
  const masterKeyFile = join(server.dataDir, 'master.key');
  const restored = join(await createFolder(), 'new');
  await restoreBackup(server, file, { dataDir: restored, masterKeyFile });
  const { kysely } = await openSqlite<unknown>(join(restored, 'pangolin.db'), { readOnly: true });
  const { rows } = await sql<{ n: number }>`select count(*) as n from grants`.execute(kysely);
  expect(rows[0]?.n).toBeGreaterThan(3);
  await kysely.destroy();
});
