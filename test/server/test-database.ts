import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { runOnServer, urlOf, withClient } from './test-postgres.ts';

/** An empty database that has its tables already: copying it is quicker than migrating. */
const template = process.env.PANGOLIN_TEST_DATABASE_TEMPLATE;

const databases = new Map<string, Promise<string>>();

/** The database that belongs to a data directory, if tests run on PostgreSQL: made when first asked for, dropped after the test. */
export async function databaseOf(dataDir: string): Promise<{ databaseUrl?: string }> {
  if (template === undefined) return {};
  let url = databases.get(dataDir);
  if (!url) {
    url = ensureTemplate(template).then(() => createTestDatabase(template));
    databases.set(dataDir, url);
    onTestFinished(() => void databases.delete(dataDir));
  }
  return { databaseUrl: await url };
}

/** Creates a database, empty or like another, and answers its URL; it is dropped after the test. */
export async function createTestDatabase(like = 'template0'): Promise<string> {
  const name = newName();
  await runOnServer(`create database ${name} template ${like}`);
  onTestFinished(() => runOnServer(`drop database if exists ${name} with (force)`));
  return urlOf(name);
}

let ready: Promise<void> | undefined;

/** Of several test processes one makes the template. */
function ensureTemplate(name: string): Promise<void> {
  ready ??= (async () => {
    const mine = newName();
    await runOnServer(`create database ${mine} template template0`);
    await (await openDatabase({ url: urlOf(mine), wallMs: Date.now })).close();
    await runOnServer(`alter database ${mine} rename to ${name}`).catch(async (error: { code?: string }) => {
      await runOnServer(`drop database ${mine} with (force)`);
      if (error.code !== '42P04' && error.code !== '23505') throw error;
    });
  })();
  return ready;
}

const newName = () => `pangolin_test_${randomBytes(8).toString('hex')}`;

/** Everything that rests in a database, as text. */
export const dumpDatabase = (url: string): Promise<string> =>
  withClient(url, async (client) => {
    const { rows: tables } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public'`,
    );
    let dump = '';
    for (const { name } of tables) dump += JSON.stringify((await client.query(`select * from "${name}"`)).rows);
    return dump;
  });
