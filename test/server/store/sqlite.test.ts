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
