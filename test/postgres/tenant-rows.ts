import { withClient } from '../server/test-postgres.ts';
import type { Replica } from './open-replica.ts';

/** Has a server insert a tenant in a transaction, after which `before` still runs in it. */
export const insertTenant = (server: Replica, name: string, before: () => Promise<unknown> = async () => undefined) =>
  server.deps.db.transact(async (tx) => {
    await tx.insertInto('tenants').values({ id: server.deps.newId(), name, created_at: 1 }).execute();
    await before();
  });

/** How many tenants of that name have been committed. */
export const countTenants = async (url: string, name: string): Promise<number> =>
  withClient(url, async (client) => (await client.query('select 1 from tenants where name = $1', [name])).rows.length);
