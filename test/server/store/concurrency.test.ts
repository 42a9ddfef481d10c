import { setTimeout as sleep } from 'node:timers/promises';
import { serviceUsersApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain } from '../audit-chain.ts';
import { mint, openTestServer, standingOf } from '../harness.ts';

describe('several processes on one data directory', () => {
  test('lose nothing when all of them write at once', async () => {
    const first = await openTestServer();
    const servers = [first, await openTestServer({ beside: first }), await openTestServer({ beside: first })];
    const before = (await readAuditChain(first)).length;
    const minted = await Promise.all(
      Array.from({ length: 150 }, (_, i) =>
        mint(servers[i % 3] ?? first, (servers[i % 3] ?? first).owner, { name: `t${i}` }),
      ),
    );
    const revoked = minted.filter((_, i) => i % 2 === 0);
    await Promise.all(
      revoked.map(({ id }, i) => (servers[(i + 1) % 3] ?? first).owner.call(tokensApi.revoke, { params: { jti: id } })),
    );
    for (const server of servers) {
      const standings = await Promise.all(minted.map(({ token }) => standingOf(server.bearer(token))));
      expect(standings).toEqual(minted.map((_, i) => (i % 2 === 0 ? 'token_revoked' : 'ok')));
    }
    expect(await readAuditChain(first)).toHaveLength(before + 150 + 75);
  });

  test('each see at once what the others wrote', async () => {
    const first = await openTestServer();
    const second = await openTestServer({ beside: first });
    for (let i = 0; i < 20; i += 1) {
      const { token } = await mint(first, first.owner);
      expect(await standingOf(second.bearer(token))).toBe('ok');
    }
  });
});

describe('a unit of work', () => {
  test('that fails leaves nothing, and spoils nothing that shares its commit', async () => {
    const { deps } = await openTestServer();
    const insert = (name: string, fail: boolean) =>
      deps.db.transact(async (tx) => {
        await tx.insertInto('tenants').values({ id: deps.newId(), name, created_at: 1 }).execute();
        if (fail) throw new Error('changed my mind');
      });
    const outcomes = await Promise.allSettled([
      insert('a', false),
      insert('b', true),
      insert('c', false),
      insert('a', false),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
    const names = await deps.db.read.selectFrom('tenants').select('name').orderBy('name').execute();
    expect(names.map(({ name }) => name)).toEqual(['a', 'c', 'default']);
  });

  test('that takes too long is given up, and writes nothing any more', async () => {
    const { deps } = await openTestServer();
    let late: Promise<unknown> = Promise.resolve();
    const slow = deps.db.transact(async (tx) => {
      const row = { id: deps.newId(), name: 'late', created_at: 1 };
      late = sleep(5_500).then(() => tx.insertInto('tenants').values(row).execute());
      await late;
    });
    await expect(slow).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    await deps.db.transact((tx) =>
      tx.insertInto('tenants').values({ id: deps.newId(), name: 'next', created_at: 1 }).execute(),
    );
    await expect(late).rejects.toThrow();
    const names = await deps.db.read.selectFrom('tenants').select('name').orderBy('name').execute();
    expect(names.map(({ name }) => name)).toEqual(['default', 'next']);
  });

  test('whose time was taken by those before it is refused, instead of keeping those behind it waiting', async () => {
    const { deps } = await openTestServer();
    const slow = (name: string) =>
      deps.db.transact(async (tx) => {
        await tx.insertInto('tenants').values({ id: deps.newId(), name, created_at: 1 }).execute();
        await sleep(1_500);
      });
    const outcomes = await Promise.allSettled(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map(slow));
    const made = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(made.length).toBeGreaterThan(0);
    expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'storage_busy', retryAfterSeconds: 1 } });
    const rows = await deps.db.read.selectFrom('tenants').select('name').where('name', '<>', 'default').execute();
    expect(rows).toHaveLength(made.length);
  });

  test('is not forgotten when it begins in the moment in which the last one is answered', async () => {
    const { deps } = await openTestServer();
    const write = () => deps.db.transact((tx) => tx.selectFrom('tenants').select('id').execute());
    for (let turns = 0; turns < 20; turns += 1) {
      await write();
      for (let i = 0; i < turns; i += 1) await null;
      expect(await write()).toHaveLength(1);
    }
  });

  test('is durable before it is answered: what was shown is there for whoever opens the files next', async () => {
    const server = await openTestServer();
    const key = await server.owner.call(serviceUsersApi.create, { body: { name: 'etl' } });
    const beside = await openTestServer({ beside: server });
    expect(await standingOf(beside.apiKey(key.api_key))).toBe('ok');
  });
});
