import { publicApi } from '@pangolin/shared/contract';
import { PangolinError } from '@pangolin/shared/errors';
import { describe, expect, test } from 'vitest';
import { openTestServer, type TestServer } from '../harness.ts';

const ask = async ({ nobody }: TestServer) => {
  const { status, headers, json } = await nobody.ask(publicApi.ready);
  const { reason, code } = json as { reason?: string; code?: string };
  return { status, reason, code, retryAfter: headers.get('retry-after') };
};
const refused = (reason: string) => ({ status: 503, reason, code: 'unavailable', retryAfter: '1' });

describe('readiness', () => {
  test('is 200 while the database can be read and written, and touches nothing for anybody', async () => {
    const server = await openTestServer();
    for (let i = 0; i < 3; i += 1) expect((await ask(server)).status).toBe(200);
    expect((await server.nobody.ask(publicApi.health)).status).toBe(200);
  });

  test('is over before the server stops, while it still answers', async () => {
    const server = await openTestServer();
    server.deps.serving.stopping = true;
    expect(await ask(server)).toEqual(refused('shutting_down'));
    expect((await server.nobody.ask(publicApi.health)).status).toBe(200);
  });

  test('names a database that is gone, and liveness stays', async () => {
    const server = await openTestServer();
    await server.close();
    const answer = await ask(server);
    expect(answer).toEqual(refused(answer.reason ?? ''));
    expect(['database_unavailable', 'database_slow']).toContain(answer.reason);
    expect((await server.nobody.ask(publicApi.health)).status).toBe(200);
  });

  test('names a database that a newer release has changed', async () => {
    const server = await openTestServer();
    const migration = { name: '9999-future', timestamp: '2030-01-01' };
    await server.deps.db.transact((tx) =>
      tx
        .insertInto('kysely_migration' as 'tenants')
        .values(migration as never)
        .execute(),
    );
    expect(await ask(server)).toEqual(refused('database_too_new'));
  });

  test('answers within about a second where the database does not, and is 200 again when it does', async () => {
    const server = await openTestServer();
    const { db } = server.deps;
    server.deps.db = { ...db, transact: () => new Promise(() => {}) };
    expect(await ask(server)).toEqual(refused('database_slow'));
    server.deps.db = db;
    await expect.poll(async () => (await ask(server)).status).toBe(200);
  });

  test.each([
    ['storage_read_only', 'database_read_only'],
    ['storage_full', 'database_full'],
    ['storage_busy', 'database_busy'],
  ] as const)('tells %s in a word', async (code, reason) => {
    const server = await openTestServer();
    server.deps.db = { ...server.deps.db, transact: () => Promise.reject(new PangolinError(code, 'as it was found')) };
    expect(await ask(server)).toEqual(refused(reason));
  });

  test('asks the database once for all who ask together', async () => {
    const server = await openTestServer();
    const { transact } = server.deps.db;
    let transactions = 0;
    server.deps.db = {
      ...server.deps.db,
      transact: (...asked: Parameters<typeof transact>) => {
        transactions += 1;
        return transact(...asked);
      },
    } as typeof server.deps.db;
    await Promise.all(Array.from({ length: 50 }, () => ask(server)));
    expect(transactions).toBe(1);
  });
});
