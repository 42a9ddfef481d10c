import { expect, test } from 'vitest';
import { openTestServer } from '../harness.ts';

test('a commit to a SQLite file is on disk before it is answered', async () => {
  const { deps } = await openTestServer();
  const pragma = async (name: string) => {
    const compiled = deps.db.read.selectFrom('tenants').selectAll().compile();
    return deps.db.transact(async (tx) =>
      Object.values((await tx.executeQuery({ ...compiled, sql: `pragma ${name}`, parameters: [] })).rows[0] ?? {}),
    );
  };
  expect(await pragma('synchronous')).toEqual([2]);
  expect(await pragma('journal_mode')).toEqual(['wal']);
});

test('what a unit of work still says after the disk was full is not committed by itself', async () => {
  const { deps } = await openTestServer();
  const compiled = deps.db.read.selectFrom('tenants').selectAll().compile();
  const limit = (pages: string) =>
    deps.db.transact((tx) => tx.executeQuery({ ...compiled, sql: `pragma max_page_count = ${pages}`, parameters: [] }));
  const insert = (tx: Parameters<Parameters<typeof deps.db.transact>[0]>[0], name: string) =>
    tx.insertInto('tenants').values({ id: deps.newId(), name, created_at: 1 }).execute();
  await limit('1');
  const full = deps.db.transact((tx) => Promise.all([insert(tx, 'x'.repeat(100_000)), insert(tx, 'small')]));
  await expect(full).rejects.toMatchObject({ code: 'storage_full', status: 503, retryAfterSeconds: 1 });
  await limit('1000000');
  await deps.db.transact((tx) => insert(tx, 'next'));
  const names = await deps.db.read.selectFrom('tenants').select('name').orderBy('name').execute();
  expect(names.map(({ name }) => name)).toEqual(['default', 'next']);
});
