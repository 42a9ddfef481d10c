import { createUser, HOUR_MS, type TestServer } from '../harness.ts';

/** Stores so many tokens of new users, each in turn: many expire at the same moment. */
export async function insertTokens(server: TestServer, names: readonly string[], count: number): Promise<void> {
  const users = await Promise.all(names.map((name) => createUser(server, name)));
  const created_at = server.clock.nowMs;
  for (let from = 0; from < count; from += 500) {
    const rows = Array.from({ length: Math.min(500, count - from) }, (_, i) => {
      const id = `01900000-0000-7000-8000-${String(from + i).padStart(12, '0')}`;
      const owner = users[(from + i) % users.length];
      if (!owner) throw new Error('nobody to own tokens');
      return {
        id,
        tenant_id: owner.tenant_id,
        kind: 'personal' as const,
        owner_kind: 'user' as const,
        owner_id: owner.id,
        actor_id: owner.id,
        root_kind: 'token' as const,
        root_id: id,
        epoch: 1,
        role: 'tenant-user' as const,
        scopes: '[]',
        name: null,
        created_at,
        expires_at: created_at + (1 + (((from + i) * 7919) % 997)) * HOUR_MS,
      };
    });
    await server.deps.db.transact((tx) => tx.insertInto('tokens').values(rows).execute());
  }
}
