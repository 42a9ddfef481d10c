import { catalogsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../packages/server/src/store/database.ts';
import { standingOf } from '../server/harness.ts';
import { createTestDatabase } from '../server/test-database.ts';
import { withClient } from '../server/test-postgres.ts';
import { openReplica } from './open-replica.ts';

const MIGRATIONS = ['0001-initial', '0002-iceberg', '0003-control', '0004-datahub'];

describe('an empty database', () => {
  test('is given its tables once, though several servers open it at the same moment', async () => {
    const url = await createTestDatabase();
    const opened = await Promise.all(Array.from({ length: 5 }, () => openDatabase({ url, wallMs: Date.now })));
    for (const db of opened) expect(await db.read.selectFrom('changes').selectAll().execute()).toHaveLength(1);
    await Promise.all(opened.map((db) => db.close()));
    const { rows } = await withClient(url, (client) => client.query('select name from kysely_migration order by name'));
    expect(rows.map(({ name }) => name)).toEqual(MIGRATIONS);
  });

  test('is founded once: what one of them mints, each of them takes', async () => {
    const url = await createTestDatabase();
    const servers = await Promise.all([openReplica(url), openReplica(url), openReplica(url)]);
    expect(new Set(servers.map(({ deps }) => deps.installation.id)).size).toBe(1);
    const minted = await Promise.all(servers.map(({ owner }) => owner.call(tokensApi.create, { body: {} })));
    for (const server of servers) {
      for (const { token } of minted) expect(await standingOf(server.bearer(token))).toBe('ok');
    }
  });

  test('whose text is not UTF-8 is refused', async () => {
    const url = await createTestDatabase(`template0 encoding 'LATIN1' locale 'C'`);
    await expect(openReplica(url)).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The database is encoded in LATIN1; Pangolin needs UTF8.',
      hint: "create database pangolin encoding 'UTF8' template template0",
    });
  });
});

describe('text', () => {
  test('is in the order of its bytes in every column, whatever the database speaks', async () => {
    const url = await createTestDatabase(`template0 locale_provider icu icu_locale 'en'`);
    const server = await openReplica(url);
    const others = await withClient(url, (client) =>
      client.query(
        `select table_name, column_name from information_schema.columns where table_schema = 'public'
         and data_type = 'text' and collation_name is distinct from 'C'`,
      ),
    );
    expect(others.rows).toEqual([]);
    for (const name of ['b', 'A', 'a', 'B', 'Z', 'default-2', 'é'])
      await server.owner.send('POST', '/api/v1/catalogs', {
        body: JSON.stringify({ name }),
        headers: { 'content-type': 'application/json' },
      });
    const catalogs = await server.owner.call(catalogsApi.list);
    const names = catalogs.map(({ name }) => name);
    expect(names).toEqual([...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(names.length).toBeGreaterThan(5);
  });
});

describe('a database that cannot be opened', () => {
  const refusal = (url: string) =>
    openReplica(url).catch((error) => ({ code: error.code, message: error.message, hint: error.hint }));
  const withUser = async (user: string) => Object.assign(new URL(await createTestDatabase()), { username: user }).href;

  test('is named, and what the driver says, but never the password', async () => {
    const url = await createTestDatabase();
    const missing = new URL(url);
    missing.pathname = '/nowhere';
    missing.password = 'hunter2hunter2';
    const refused = await refusal(missing.href);
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: `The database server refuses the connection. (PostgreSQL at ${missing.host}/nowhere: database "nowhere" does not exist)`,
    });
    expect(JSON.stringify(refused)).not.toContain('hunter2');
    expect(await refusal(await withUser('nobody_here'))).toMatchObject({
      code: 'unavailable',
      hint: 'Check the user, the password and the name of the database in the database URL.',
    });
    expect(await refusal('mysql://root:hunter2hunter2@localhost/db')).toMatchObject({ code: 'invalid_argument' });
    expect(await refusal('postgres://x:hunter2/hunter2@localhost/db')).toMatchObject({
      code: 'invalid_argument',
      message: 'The database URL is not a postgres:// URL.',
    });
    expect(await refusal(`${url}?pool_max_conns=none`)).toMatchObject({
      code: 'invalid_argument',
      message: 'pool_max_conns in the database URL must be from 1 to 1000.',
    });
  });

  test('over TLS that could be trusted says so, and does not go on without', async () => {
    const url = new URL(await createTestDatabase());
    // Nobody has a certificate for it.
    url.hostname = '127.0.0.1';
    url.searchParams.set('sslmode', 'require');
    expect(await refusal(url.href)).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^There is no TLS connection to the database server that could be trusted\. /),
    });
  });

  test('because a newer release has changed it says so', async () => {
    const url = await createTestDatabase();
    await (await openReplica(url)).close();
    await withClient(url, (client) => client.query(`insert into kysely_migration values ('9999-later', now()::text)`));
    expect(await refusal(url)).toMatchObject({ code: 'database_too_new' });
  });

  test('with another master key says that all servers have the same', async () => {
    const url = await createTestDatabase();
    await (await openReplica(url)).close();
    await expect(openReplica(url, { masterKey: undefined })).rejects.toMatchObject({
      code: 'master_key_missing',
      hint: expect.stringContaining('Every server on one database has the same master key'),
    });
    await expect(openReplica(url, { masterKey: Buffer.alloc(32, 8).toString('base64') })).rejects.toMatchObject({
      code: 'master_key_missing',
      hint: expect.stringContaining('every server on one database has the same'),
    });
  });
});
