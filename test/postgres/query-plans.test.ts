import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Executor } from '../../packages/server/src/store/schema.ts';
import { QUERIES } from '../server/store/request-queries.ts';
import { createTestDatabase } from '../server/test-database.ts';
import { openReplica, type Replica } from './open-replica.ts';

/** A step of a plan, as EXPLAIN (FORMAT JSON) has it. */
interface Step {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Cond'?: string;
  Plans?: Step[];
}

const UNDONE = new Error('rolled back');

/** Runs queries in a transaction that is rolled back; answers what PostgreSQL would read whole because no index helps. */
async function readWhole({ deps }: Replica, run: (db: Executor) => unknown): Promise<string[]> {
  const whole: string[] = [];
  const explaining = deps.db.transact(async (tx) => {
    const nodes: Parameters<ReturnType<typeof tx.getExecutor>['compileQuery']>[] = [];
    const recording = tx.withPlugin({
      transformQuery({ node, queryId }) {
        nodes.push([node, queryId]);
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    await run(recording);
    // Of empty tables anything is quick: without these, an index is taken wherever there is one.
    for (const way of ['seqscan', 'hashjoin', 'mergejoin', 'material'])
      await sql.raw(`set local enable_${way} = off`).execute(tx);
    for (const node of nodes) {
      const compiled = tx.getExecutor().compileQuery(...node);
      const { rows } = await tx.executeQuery({ ...compiled, sql: `explain (format json) ${compiled.sql}` });
      const [answer] = rows as { 'QUERY PLAN': { Plan: Step }[] }[];
      for (const { Plan } of answer?.['QUERY PLAN'] ?? []) collect(Plan, whole);
    }
    expect(nodes.length).toBeGreaterThan(0);
    throw UNDONE;
  });
  await explaining.catch((error) => {
    if (error !== UNDONE) throw error;
  });
  return whole;
}

/** Some thousand tokens: of an empty table PostgreSQL assumes that a few pages hold less than what is looked for in it. */
async function insertTokens({ deps }: Replica): Promise<void> {
  const { defaultTenantId } = deps.installation;
  await deps.db.transact(async (tx) => {
    await sql`insert into tokens (id, tenant_id, kind, owner_kind, owner_id, actor_id, epoch, role, scopes, created_at,
        expires_at, root_kind, root_id)
      select 'token ' || n, ${defaultTenantId}, 'personal', 'user', 'user ' || n % 97, 'user ' || n % 89, 1, 'tenant-user',
        '[]', n, n + 1, 'token', 'token ' || n from generate_series(1, 5000) as n`.execute(tx);
  });
  await sql`analyze tokens`.execute(deps.db.read);
}

function collect(step: Step, whole: string[]): void {
  const { 'Node Type': type, 'Relation Name': table, 'Index Cond': condition, Plans: below = [] } = step;
  const isWhole = type === 'Seq Scan' || (/^Index (?:Only )?Scan/.test(type) && condition === undefined);
  if (isWhole) whole.push(`${type} of ${table}`);
  for (const one of below) collect(one, whole);
}

describe('every query that runs for a request finds its rows by an index of PostgreSQL’s too', () => {
  test('all of them', async () => {
    const server = await openReplica(await createTestDatabase());
    await insertTokens(server);
    const plans: Record<string, string[]> = {};
    for (const [name, run] of Object.entries(QUERIES)) {
      const whole = await readWhole(server, run);
      if (whole.length > 0) plans[name] = whole;
    }
    expect(plans).toEqual({});
  }, 60_000);

  test('and one that does not is noticed', async () => {
    const server = await openReplica(await createTestDatabase());
    const whole = await readWhole(server, (db) =>
      db.selectFrom('tokens').selectAll().where('name', '=', 'x').execute(),
    );
    expect(whole).toEqual(['Seq Scan of tokens']);
  });
});
