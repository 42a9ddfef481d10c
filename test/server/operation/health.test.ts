import { join } from 'node:path';
import { publicApi } from '@pangolin/shared/contract';
import { PangolinError } from '@pangolin/shared/errors';
import { DatabaseSync } from '@photostructure/sqlite';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
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
    expect(await ask(server)).toEqual(refused('database_unavailable'));
    expect((await server.nobody.ask(publicApi.health)).status).toBe(200);
  });

  test('names a database that a newer release has changed', async () => {
    const server = await openTestServer();
    await server.deps.db.transact((tx) =>
      sql`insert into kysely_migration (name, timestamp) values ('9999-future', '2030-01-01')`.execute(tx),
    );
    expect(await ask(server)).toEqual(refused('database_too_new'));
  });

  test('answers within about a second where another process holds the database', async () => {
    const server = await openTestServer();
    const other = new DatabaseSync(join(server.dataDir, 'pangolin.db'));
    onTestFinished(() => other.close());
    other.exec('begin immediate');
    expect(await ask(server)).toEqual(refused('database_slow'));
    other.exec('rollback');
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
