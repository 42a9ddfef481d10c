import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { standingOf, type TestCaller } from '../server/harness.ts';
import { createTestDatabase } from '../server/test-database.ts';
import { withClient } from '../server/test-postgres.ts';
import { openProxy } from './database-proxy.ts';
import { openReplica } from './open-replica.ts';
import { countTenants, insertTenant } from './tenant-rows.ts';

/** Longer than what is known of a shared database is trusted. */
const STALE_MS = 1_000;

/** As it goes over the wire. */
const COMMIT = 'commit\u0000';

async function openBehindProxy() {
  const direct = await createTestDatabase();
  const proxy = await openProxy(direct);
  return { direct, proxy, server: await openReplica(proxy.url) };
}

async function unavailable(caller: TestCaller, path = '/api/v1/users/me') {
  const { status, headers, json } = await caller.send('GET', path);
  return { status, retryAfter: headers.get('retry-after'), code: (json as { code?: string }).code };
}

const UNAVAILABLE = { status: 503, retryAfter: '1', code: 'unavailable' };

describe('a database that is gone', () => {
  test('lets nobody in on what was known a second ago, changes nothing, and is used again when it is back', async () => {
    const { proxy, server } = await openBehindProxy();
    const { token } = await server.owner.call(tokensApi.create, { body: {} });
    const caller = server.bearer(token);
    expect(await standingOf(caller)).toBe('ok');
    proxy.cut();
    await sleep(STALE_MS);
    expect(await unavailable(caller)).toEqual(UNAVAILABLE);
    expect(await unavailable(server.nobody, '/health/ready')).toMatchObject({ status: 503 });
    expect((await server.nobody.send('GET', '/health')).status).toBe(200);
    const refused = await server.owner.refused(serviceUsersApi.create, { body: { name: 'etl' } });
    expect(refused).toMatchObject({ status: 503, code: 'unavailable', hint: 'Try again in a moment.' });
    proxy.mend();
    expect(await standingOf(caller)).toBe('ok');
    await server.owner.call(serviceUsersApi.create, { body: { name: 'etl' } });
  });

  test('for a moment costs a change nothing but that moment', async () => {
    const { direct, proxy, server } = await openBehindProxy();
    proxy.cut();
    const made = insertTenant(server, 'patient');
    await sleep(500);
    proxy.mend();
    await made;
    expect(await countTenants(direct, 'patient')).toBe(1);
  });

  test('is not said to be gone by connections that died while nobody used them', async () => {
    const { direct, server } = await openBehindProxy();
    await Promise.all([1, 2, 3].map(() => server.owner.call(usersApi.list)));
    await withClient(direct, (client) =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      ),
    );
    expect((await server.nobody.send('GET', '/health/ready')).status).toBe(200);
    await server.owner.call(serviceUsersApi.create, { body: { name: 'etl' } });
  });

  test('and silent is given up after some seconds', async () => {
    const { proxy, server } = await openBehindProxy();
    const { token } = await server.owner.call(tokensApi.create, { body: {} });
    proxy.hold();
    await sleep(STALE_MS);
    const asked = performance.now();
    expect(await unavailable(server.bearer(token))).toEqual(UNAVAILABLE);
    expect(performance.now() - asked).toBeLessThan(15_000);
    proxy.mend();
    expect(await standingOf(server.bearer(token))).toBe('ok');
  });
});

describe('a commit', () => {
  test('whose connection is lost before it is sent is made again, once', async () => {
    const { direct, proxy, server } = await openBehindProxy();
    proxy.cutBefore(COMMIT);
    // The proxy drops the statement; to the server that is a commit without an answer.
    await expect(insertTenant(server, 'dropped')).rejects.toMatchObject({ code: 'unavailable' });
    expect(await countTenants(direct, 'dropped')).toBe(0);
    let runs = 0;
    await insertTenant(server, 'again', async () => {
      runs += 1;
      if (runs > 1) return;
      proxy.cut();
      setTimeout(() => proxy.mend(), 300);
      // Until the server has noticed: what it sends into a dead connection may have arrived.
      await sleep(100);
    });
    expect(runs).toBe(2);
    expect(await countTenants(direct, 'again')).toBe(1);
  });

  test('whose answer is lost is neither said to be made nor made again, and shows no secret', async () => {
    const { direct, proxy, server } = await openBehindProxy();
    proxy.cutAfter(COMMIT);
    const refused = await server.owner.refused(serviceUsersApi.create, { body: { name: 'etl' } });
    expect(refused).toMatchObject({
      status: 503,
      code: 'unavailable',
      detail: 'The database was lost in the middle of the commit: the change may have been made, or not.',
      hint: 'See whether it was made before you try again.',
    });
    expect(JSON.stringify(refused)).not.toContain('pgl_');
    const { rows } = await withClient(direct, (client) => client.query('select name from service_users'));
    expect(rows).toEqual([{ name: 'etl' }]);
  });

  test('after which this server asks anew what may have ended', async () => {
    const { proxy, server } = await openBehindProxy();
    const { token, id } = await server.owner.call(tokensApi.create, { body: {} });
    expect(await standingOf(server.bearer(token))).toBe('ok');
    proxy.cutAfter(COMMIT);
    expect((await server.owner.refused(tokensApi.revoke, { params: { jti: id } })).status).toBe(503);
    expect(await standingOf(server.bearer(token))).toBe('token_revoked');
  });

  test.each(['40001', '40P01'])('that fails with %s is made again', async (state) => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    const { sql } = await import('kysely');
    let runs = 0;
    await server.deps.db.transact(async (tx) => {
      runs += 1;
      await tx.insertInto('tenants').values({ id: server.deps.newId(), name: 'once', created_at: 1 }).execute();
      if (runs < 3) await sql.raw(`do $$ begin raise exception using errcode = '${state}'; end $$`).execute(tx);
    });
    expect(runs).toBe(3);
    expect(await countTenants(url, 'once')).toBe(1);
  });

  test('that never stops failing is given up after 5 seconds', async () => {
    const server = await openReplica(await createTestDatabase());
    const { sql } = await import('kysely');
    const failing = server.deps.db.transact((tx) =>
      sql.raw(`do $$ begin raise exception using errcode = '40001'; end $$`).execute(tx),
    );
    await expect(failing).rejects.toMatchObject({ code: 'storage_busy', retryAfterSeconds: 1 });
  });

  test('of a unit that went on after an error is not made, nor are those beside it lost', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    const careless = server.deps.db.transact(async (tx) => {
      const row = { id: 'twice', name: 'twice', created_at: 1 };
      await tx.insertInto('tenants').values(row).execute();
      await tx
        .insertInto('tenants')
        .values(row)
        .execute()
        .catch(() => undefined);
    });
    const outcomes = await Promise.allSettled([insertTenant(server, 'a'), careless, insertTenant(server, 'b')]);
    expect(outcomes, inspect(outcomes)).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected' },
      { status: 'fulfilled' },
    ]);
    expect(await countTenants(url, 'twice')).toBe(0);
    expect(await countTenants(url, 'a')).toBe(1);
    expect(await countTenants(url, 'b')).toBe(1);
  });
});
