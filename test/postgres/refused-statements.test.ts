import { randomInt } from 'node:crypto';
import { catalogsApi, oauthApi, publicApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { ask, CREATE, post } from '../server/graphql/graphql.ts';
import { createTestDatabase } from '../server/test-database.ts';
import { runOnServer, withClient } from '../server/test-postgres.ts';
import { openReplica, type Replica } from './open-replica.ts';

const nameOf = (url: string) => new URL(url).pathname.slice(1);

const countTenants = (url: string, name: string): Promise<number> =>
  withClient(url, async (client) => (await client.query('select 1 from tenants where name = $1', [name])).rows.length);

const raise = (state: string) => sql.raw(`do $$ begin raise exception using errcode = '${state}'; end $$`);

/** Has every change to a table fail. */
const failOn = (url: string, table: string, state: string) =>
  withClient(url, (client) =>
    client.query(`
      create function fail() returns trigger language plpgsql
        as $$ begin raise exception using errcode = '${state}'; end $$;
      create trigger failing before insert or update or delete on ${table} execute function fail()`),
  );

const isOver = async (asked: Promise<{ status: number; json: unknown }>) => {
  const { status, json } = await asked;
  return { status, json: json as { code?: string; error?: unknown } };
};

describe('a database that refuses what it is asked', () => {
  test.each([
    ['55000', 503, 'unavailable'],
    ['F0000', 503, 'unavailable'],
    ['42P01', 503, 'storage_damaged'],
    ['42703', 503, 'storage_damaged'],
    ['54000', 400, 'invalid_request'],
  ])('is told from a mistake of the server: %s', async (state, status, code) => {
    const server = await openReplica(await createTestDatabase());
    await expect(server.deps.db.transact((tx) => raise(state).execute(tx))).rejects.toMatchObject({ status, code });
  });

  test.each(['25P04', '26000', '42P05'])(
    'for what the connection has become is asked on another: %s',
    async (state) => {
      const url = await createTestDatabase();
      const server = await openReplica(url);
      let runs = 0;
      await server.deps.db.transact(async (tx) => {
        runs += 1;
        await tx.insertInto('tenants').values({ id: server.deps.newId(), name: 'once', created_at: 1 }).execute();
        if (runs < 3) await raise(state).execute(tx);
      });
      expect(runs).toBe(3);
      expect(await countTenants(url, 'once')).toBe(1);
    },
  );

  test('refuses a namespace whose levels together are too long for it, and says so', async () => {
    const server = await openReplica(await createTestDatabase());
    const answers: { status: number; json: unknown }[] = [];
    for (const namespace: string[] = []; namespace.length < 12 && (answers.at(-1)?.status ?? 200) === 200; ) {
      namespace.push(incompressible(250));
      answers.push(
        await server.owner.send('POST', '/v1/default/namespaces', {
          body: JSON.stringify({ namespace }),
          headers: { 'content-type': 'application/json' },
        }),
      );
    }
    expect(answers.at(-1)).toMatchObject({ status: 400, json: { error: { type: 'BadRequestException' } } });
    expect(answers.length).toBeGreaterThan(1);
  });
});

const incompressible = (length: number): string =>
  String.fromCodePoint(...Array.from({ length }, () => 0x4e00 + randomInt(20_000)));

describe('a database that was taken away', () => {
  async function answers(server: Replica, secret: string, key: string) {
    const caller = server.bearer(secret);
    const iceberg = await isOver(caller.send('GET', '/v1/default/namespaces'));
    const rest = await isOver(caller.ask(usersApi.me));
    const oauth = await isOver(
      server.nobody.ask(oauthApi.token, { body: { grant_type: 'client_credentials', client_secret: key } }),
    );
    const graphql = await isOver(post(caller, { query: '{ me { corpUser { urn } } }' }));
    return { iceberg, rest, oauth, graphql };
  }

  const unavailable = (code: string) => ({
    iceberg: { status: 503, json: { error: { type: 'ServiceUnavailableException', code: 503 } } },
    rest: { status: 503, json: { code } },
    oauth: { status: 503, json: { error: 'temporarily_unavailable' } },
    graphql: { status: 503, json: { code } },
  });

  test('takes no connections any more: in the words of each API, 503, until it does', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    const { token } = await server.owner.call(tokensApi.create, { body: {} });
    const { api_key: key } = await server.owner.call(serviceUsersApi.create, { body: { name: 'job' } });
    await runOnServer(`alter database ${nameOf(url)} with allow_connections false`);
    await endConnections(url);
    expect(await answers(server, token, key)).toMatchObject(unavailable('unavailable'));
    await runOnServer(`alter database ${nameOf(url)} with allow_connections true`);
    expect((await server.bearer(token).ask(usersApi.me)).status).toBe(200);
  });

  test('is dropped, and made again without tables: 503, and never a mistake of the server', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    const { token } = await server.owner.call(tokensApi.create, { body: {} });
    const { api_key: key } = await server.owner.call(serviceUsersApi.create, { body: { name: 'job' } });
    await runOnServer(`drop database ${nameOf(url)} with (force)`);
    expect(await answers(server, token, key)).toMatchObject(unavailable('unavailable'));
    await runOnServer(`create database ${nameOf(url)} template template0`);
    expect(await answers(server, token, key)).toMatchObject(unavailable('storage_damaged'));
    const refused = await server.owner.refused(serviceUsersApi.create, { body: { name: 'etl' } });
    expect(refused).toMatchObject({ status: 503, code: 'storage_damaged' });
    expect((await server.nobody.ask(publicApi.ready)).status).toBe(503);
  });

  test('is emptied of rows that every installation has', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    await withClient(url, (client) => client.query('delete from signing_keys'));
    await withClient(url, (client) => client.query('update changes set credentials = credentials + 1'));
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const refused = await server.owner.refused(tokensApi.create, { body: {} });
    expect(refused).toMatchObject({ status: 503, code: 'storage_damaged' });
    await withClient(url, (client) => client.query('delete from changes'));
    const also = await server.owner.refused(serviceUsersApi.create, { body: { name: 'etl' } });
    expect(also).toMatchObject({ status: 503, code: 'storage_damaged' });
  });
});

const endConnections = (url: string) =>
  runOnServer(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${nameOf(url)}'`);

describe('statements that were prepared', () => {
  test('before another release changed their table are prepared anew, on however many connections', async () => {
    const url = await createTestDatabase();
    const { deps } = await openReplica(url);
    const readAll = () => deps.db.read.selectFrom('tenants').selectAll().execute();
    await Promise.all(Array.from({ length: 5 }, readAll));
    await withClient(url, (client) => client.query('alter table tenants add column newer bigint'));
    expect(await readAll()).toHaveLength(1);
  });

  test('and are gone from the connection are prepared anew', async () => {
    const { deps } = await openReplica(await createTestDatabase());
    const readAll = () => deps.db.read.selectFrom('tenants').selectAll().execute();
    await readAll();
    await sql`deallocate all`.execute(deps.db.read);
    expect(await readAll()).toHaveLength(1);
  });

  test('have names that mean the same on every connection: where those are shared, none runs for another', async () => {
    const { deps } = await openReplica(await createTestDatabase());
    const list = sql<{ name: string; statement: string }>`select name, statement from pg_prepared_statements`;
    await deps.db.read.selectFrom('users').select('id').execute();
    const read = (await list.execute(deps.db.read)).rows;
    const written = await deps.db.transact(async (tx) => {
      await tx.selectFrom('catalogs').select('id').execute();
      return (await list.execute(tx)).rows;
    });
    const texts = new Map<string, Set<string>>();
    for (const { name, statement } of [...read, ...written])
      texts.set(name, (texts.get(name) ?? new Set()).add(statement));
    expect(texts.size).toBeGreaterThan(2);
    expect([...texts.values()].filter((statements) => statements.size > 1)).toEqual([]);
  });
});

describe('GraphQL on a database that takes nothing', () => {
  const input = { type: 'PERSONAL', actorUrn: 'urn:li:corpuser:ada', name: 'x', duration: 'ONE_HOUR' };

  test('says why, as DataHub’s clients read it, and shows no token', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    await failOn(url, 'tokens', '53100');
    expect(await ask(server.owner, CREATE, { input })).toMatchObject({
      data: { createAccessToken: null },
      errors: [
        {
          message: 'The disk of the database server is full. Free some space on it.',
          extensions: { code: 500, type: 'SERVER_ERROR' },
        },
      ],
    });
  });

  test('says of what it made before that it is there, when it can neither be shown nor ended', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    await failOn(url, 'changes', '53100');
    const { id } = await server.owner.call(tokensApi.create, { body: {} });
    const query = `mutation ($input: CreateAccessTokenInput!, $id: String!) {
      createAccessToken(input: $input) { accessToken } revokeAccessToken(tokenId: $id)
    }`;
    const { status, text } = await post(server.owner, { query, variables: { input, id } });
    expect({ status, ...JSON.parse(text) }).toMatchObject({ status: 503, code: 'storage_full' });
    const { rows } = await withClient(url, (client) => client.query('select id from tokens where id <> $1', [id]));
    expect(rows).toHaveLength(1);
    expect(JSON.parse(text).detail).toContain(`could neither be shown nor ended: ${rows[0].id}.`);
    expect(text).not.toContain('eyJ');
  });
});

test('a catalog that was made without its sample data, and could not be removed again, is not said not to be there', async () => {
  const url = await createTestDatabase();
  const server = await openReplica(url);
  await failOn(url, 'catalog_objects', '53100');
  await withClient(url, (client) =>
    client.query('create trigger failing before delete on catalogs execute function fail()'),
  );
  const body = { name: 'lake', with_sample_data: true };
  const refused = await server.owner.refused(catalogsApi.create, { body });
  expect(refused).toMatchObject({
    status: 503,
    code: 'storage_full',
    detail:
      'The catalog was created, but not its sample data, and it could not be removed again: The disk of the database server is full.',
    hint: 'Remove it: pangolin-admin delete-catalog lake',
  });
  await server.owner.call(catalogsApi.get, { params: { name: 'lake' } });
});
