import { setTimeout as sleep } from 'node:timers/promises';
import { tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createTestDatabase } from '../server/test-database.ts';
import { withClient } from '../server/test-postgres.ts';
import { openReplica } from './open-replica.ts';
import { countTenants, insertTenant } from './tenant-rows.ts';

describe('a connection that failed', () => {
  test('while it waited for its turn is as good as any other', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    const made = withClient(url, async (client) => {
      await client.query('begin; select one from changes for update');
      const waiting = insertTenant(server, 'patient');
      await sleep(4_500);
      await client.query('commit');
      return waiting;
    });
    await made;
    expect(await countTenants(url, 'patient')).toBe(1);
  });

  test('in the middle of a commit says why, and has the next one made', async () => {
    const url = await createTestDatabase();
    const server = await openReplica(url);
    await withClient(url, (client) =>
      client.query(`
        create function fail() returns trigger language plpgsql
          as $$ begin raise exception using errcode = '53100'; end $$;
        create trigger failing before update on changes execute function fail()`),
    );
    const { id } = await server.owner.call(tokensApi.create, { body: {} });
    const revoke = () => server.owner.refused(tokensApi.revoke, { params: { jti: id } });
    const full = { status: 503, code: 'storage_full' };
    expect([await revoke(), await revoke(), await revoke()]).toMatchObject([full, full, full]);
    await withClient(url, (client) => client.query('drop trigger failing on changes'));
    await server.owner.call(tokensApi.revoke, { params: { jti: id } });
  });
});

describe('a server that hangs in a transaction', () => {
  test('loses its turn, and the others get theirs in time', async () => {
    const url = await createTestDatabase();
    const [hanging, other] = [await openReplica(url), await openReplica(url)];
    let isTaken = () => {};
    const taken = new Promise<void>((resolve) => {
      isTaken = resolve;
    });
    let runs = 0;
    const hung = insertTenant(hanging, 'hung', async () => {
      runs += 1;
      isTaken();
      if (runs === 1) await sleep(2_800);
    });
    await taken;
    await insertTenant(other, 'other');
    expect(await countTenants(url, 'other')).toBe(1);
    await hung;
    expect(runs).toBe(2);
    expect(await countTenants(url, 'hung')).toBe(1);
  });
});

describe('a database that cannot do what it is asked', () => {
  const REASONS = [
    ['53100', { code: 'storage_full', message: 'The disk of the database server is full.' }],
    ['25006', { code: 'storage_read_only', message: 'The database takes no changes now.' }],
    ['57014', { code: 'storage_busy', message: 'The database took too long.' }],
    ['XX000', { code: 'unavailable', message: 'The database server failed.' }],
    ['58030', { code: 'storage_damaged', message: 'The database server cannot read or write its files.' }],
  ] as const;

  test.each(REASONS)('says why: %s', async (state, refusal) => {
    const server = await openReplica(await createTestDatabase());
    const { sql } = await import('kysely');
    const failing = server.deps.db.transact((tx) =>
      sql.raw(`do $$ begin raise exception using errcode = '${state}'; end $$`).execute(tx),
    );
    await expect(failing).rejects.toMatchObject({ ...refusal, status: 503, retryAfterSeconds: 1 });
  });

  test('refuses U+0000, which its text cannot hold, as the caller’s mistake', async () => {
    const server = await openReplica(await createTestDatabase());
    await expect(insertTenant(server, 'a\u0000b')).rejects.toMatchObject({ code: 'invalid_request', status: 400 });
  });
});

test('a commit is on disk before it is answered, though the server’s configuration says otherwise', async () => {
  const url = await createTestDatabase();
  await withClient(url, (client) =>
    client.query(`alter role current_user in database ${new URL(url).pathname.slice(1)} set synchronous_commit = off`),
  );
  const server = await openReplica(url);
  const { sql } = await import('kysely');
  const { rows } = await server.deps.db.transact((tx) => sql`show synchronous_commit`.execute(tx));
  expect(rows).toEqual([{ synchronous_commit: 'on' }]);
});
