import { beforeEach, describe, expect, test } from 'vitest';
import type { Executor } from '../../../packages/server/src/store/schema.ts';
import { openTestServer, type TestServer } from '../harness.ts';
import { QUERIES } from './request-queries.ts';

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

/** Runs queries in a transaction that is rolled back, and answers how SQLite would find their rows. */
async function planOf(run: (db: Executor) => unknown): Promise<string[]> {
  const details: string[] = [];
  const undone = new Error('rolled back');
  const explaining = server.deps.db.transact(async (tx) => {
    const nodes: Parameters<ReturnType<typeof tx.getExecutor>['compileQuery']>[] = [];
    const recording = tx.withPlugin({
      transformQuery({ node, queryId }) {
        nodes.push([node, queryId]);
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    await run(recording);
    for (const node of nodes) {
      const compiled = tx.getExecutor().compileQuery(...node);
      const explained = { ...compiled, sql: `explain query plan ${compiled.sql}` };
      const { rows } = await tx.executeQuery(explained);
      details.push(...(rows as { detail: string }[]).map(({ detail }) => detail));
    }
    throw undone;
  });
  await explaining.catch((error) => {
    if (error !== undone) throw error;
  });
  expect(details.length).toBeGreaterThan(0);
  return details;
}

describe('every query that runs for a request', () => {
  test.each(Object.entries(QUERIES))('finds its rows by an index: %s', async (_, run) => {
    const plan = await planOf(run);
    const scans = plan.filter(
      (detail) => /^SCAN /.test(detail) && !/^SCAN (?:family|used|CONSTANT ROW)\b/.test(detail),
    );
    expect(scans).toEqual([]);
    expect(plan.filter((detail) => /AUTOMATIC/.test(detail))).toEqual([]);
  });

  test('of a page comes in order from the index, without sorting', async () => {
    for (const list of [
      'tokens of an owner',
      'the end of a stretch of access tokens by their end',
      'the end of a stretch of minted tokens by their end',
      'access tokens of a tenant by their end',
      'access tokens of an owner',
      'the end of a stretch of an owner’s access tokens by their end',
      'access tokens by who minted them',
      'service users with a text in them',
      'personal tokens of a tenant',
      'personal tokens of an owner',
      'the end of a stretch of personal tokens',
      'the end of a stretch of an owner’s tokens',
      'tokens that other limits would refuse',
      'tokens that nobody used',
      'service users that nobody used',
      'users by name',
      'service users by name',
      'catalogs by name',
      'tenants by name',
      'namespaces by name',
      'tables by name',
      'audit events',
      'audit events by user',
      'audit events of some time',
      'signing keys',
      'grants by grantee',
      'grants to somebody',
      'grants of a privilege',
      'audit events by result',
      'audit events upwards',
      'checkpoints of a chain',
      'chains that grew',
    ]) {
      const plan = await planOf(QUERIES[list] ?? (() => undefined));
      expect({ list, sorts: plan.filter((detail) => /TEMP B-TREE/.test(detail)) }).toEqual({ list, sorts: [] });
    }
  });

  test('of authentication finds what is granted by the key of the grants', async () => {
    for (const read of ['a token’s state', 'an API key’s state']) {
      const plan = (await planOf(QUERIES[read] ?? (() => undefined))).filter((detail) => /\bg\b/.test(detail));
      expect(plan).toHaveLength(2);
      for (const step of plan)
        expect(step).toMatch(/^SEARCH g USING .*INDEX sqlite_autoindex_grants_\d \(tenant_id=\? AND grantee_id=\?\)$/);
    }
  });

  test('for a tenant’s personal tokens looks at nothing that programs obtained for an hour', async () => {
    for (const list of [
      'personal tokens of a tenant',
      'how many personal tokens there are',
      'the end of a stretch of personal tokens',
    ]) {
      const [first] = await planOf(QUERIES[list] ?? (() => undefined));
      expect(first).toMatch(/^SEARCH (?:t|tokens) USING (?:COVERING )?INDEX tokens_personal \(tenant_id=\? AND id/);
    }
  });

  test('for an owner’s tokens looks at nobody else’s', async () => {
    for (const list of [
      'tokens of an owner',
      'how many tokens an owner has',
      'how many valid tokens an owner has',
      'access tokens of an owner',
      'the end of a stretch of an owner’s access tokens by their end',
      'personal tokens of an owner',
      'the end of a stretch of an owner’s tokens',
    ]) {
      const [first] = await planOf(QUERIES[list] ?? (() => undefined));
      expect(first).toMatch(
        /^SEARCH (?:t|tokens) USING (?:COVERING )?INDEX tokens_by_(?:owner|owner_and_end) \(owner_id=\?/,
      );
    }
  });

  test('for what somebody obtained for others looks at nothing they obtained for themselves', async () => {
    const plan = await planOf(QUERIES['what others obtained with a principal’s tokens'] ?? (() => undefined));
    expect(plan).toContain('SEARCH tokens USING INDEX tokens_for_others_by_minter (actor_id=?)');
  });

  test('for what a whole role obtained for others looks at nothing that anybody obtained for themselves', async () => {
    const plan = await planOf(QUERIES['what everybody of a role obtained for others'] ?? (() => undefined));
    expect(plan).toContain('SEARCH tokens USING INDEX tokens_for_others (tenant_id=?)');
  });

  test('that does scan a table is noticed', async () => {
    const plan = await planOf((db) => db.selectFrom('tokens').selectAll().where('name', '=', 'x').execute());
    expect(plan).toEqual(['SCAN tokens']);
  });
});
