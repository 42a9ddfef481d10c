import type { Executor } from '../store/schema.ts';

export interface LastUse {
  id: string;
  isApiKey: boolean;
  serviceUserId: string | null;
  atMs: number;
  address: string | null;
  client: string | null;
}

/** Writes a batch, forward only: an older use never replaces a newer one that another process wrote. */
export async function writeLastUses(db: Executor, uses: readonly LastUse[]): Promise<void> {
  for (const use of uses) {
    const row = { last_used_at: use.atMs, last_used_ip: use.address, last_used_client: use.client };
    await db
      .updateTable(use.isApiKey ? 'api_keys' : 'tokens')
      .set(row)
      .where('id', '=', use.id)
      .where(({ eb, or }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', use.atMs)]))
      .execute();
    if (use.serviceUserId === null) continue;
    await db
      .updateTable('service_users')
      .set(row)
      .where('id', '=', use.serviceUserId)
      .where(({ eb, or }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', use.atMs)]))
      .execute();
  }
}
