import type { Executor } from '../store/schema.ts';

/** Since when the active key signs; null where none does. */
export async function findActiveKeyTime(db: Executor): Promise<number | null> {
  const row = await db
    .selectFrom('signing_keys')
    .select(['activated_at', 'created_at'])
    .where('state', '=', 'active')
    .executeTakeFirst();
  return row ? Number(row.activated_at ?? row.created_at) : null;
}
