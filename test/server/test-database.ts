import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { MIGRATION_NAMES } from '../../packages/server/src/store/migrate.ts';
import { TABLE_NAMES } from '../../packages/server/src/store/tables.ts';
import { listDatabases, runOnServer, urlOf, withClient } from './test-postgres.ts';

/** Set when tests run on PostgreSQL; see postgres-databases.ts. */
const prefix = process.env.PANGOLIN_TEST_DATABASE_PREFIX;

const databases = new Map<string, Promise<string>>();

/** What earlier tests have left behind: emptying a database costs a hundredth of making and dropping one. */
let unused: Promise<string[]> | undefined;

/** The database that belongs to a data directory, if tests run on PostgreSQL: empty when it is first asked for. */
export async function databaseOf(dataDir: string): Promise<{ databaseUrl?: string }> {
  if (prefix === undefined) return {};
  let url = databases.get(dataDir);
  if (!url) {
    url = takeDatabase(`${prefix}_${process.env.VITEST_POOL_ID}_`);
    databases.set(dataDir, url);
    onTestFinished(async () => {
      databases.delete(dataDir);
      if (url) (await unused)?.push(await url);
    });
  }
  return { databaseUrl: await url };
}

async function takeDatabase(mine: string): Promise<string> {
  // One process runs one file of tests after another's process has ended.
  unused ??= listDatabases(mine).then((names) => names.map(urlOf));
  const known = (await unused).pop();
  if (known === undefined) return createDatabase(mine);
  await emptyDatabase(known);
  return known;
}

/** Creates a database without tables, from a template or in other ways, and answers its URL; it is dropped after the test. */
export async function createTestDatabase(how?: string): Promise<string> {
  const url = await createDatabase(`${prefix}_own_`, how);
  onTestFinished(() => runOnServer(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`));
  return url;
}

async function createDatabase(start: string, how = 'template0'): Promise<string> {
  const name = `${start}${randomBytes(6).toString('hex')}`;
  await runOnServer(`create database ${name} template ${how}`);
  return urlOf(name);
}

const emptyDatabase = (url: string): Promise<void> =>
  withClient(url, async (client) => {
    // What refers to others comes after them in the list.
    const tables = TABLE_NAMES.filter((name) => name !== 'changes').reverse();
    const { rows } = await client.query('select 1 from pg_tables where tablename = $1', ['changes']);
    // One that no server came to open is still without tables.
    if (rows.length === 0) return;
    await client.query(tables.map((name) => `delete from ${name}`).join('; '));
    await client.query('delete from kysely_migration where not (name = any ($1))', [MIGRATION_NAMES]);
  });

/** Everything that rests in a database, as text. */
export const dumpDatabase = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    let dump = '';
    for (const name of TABLE_NAMES) dump += JSON.stringify((await client.query(`select * from ${name}`)).rows);
    return dump;
  });
