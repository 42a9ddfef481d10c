import type { CompiledQuery } from 'kysely';
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
  // Compiled once for the batch; a parameter is found by its place.
  const compiled = {
    tokens: compileUpdate(db, 'tokens'),
    api_keys: compileUpdate(db, 'api_keys'),
    service_users: compileUpdate(db, 'service_users'),
  };
  for (const { id, isApiKey, serviceUserId, atMs, address, client } of uses) {
    const write = (query: CompiledQuery, rowId: string) =>
      db.executeQuery({ ...query, parameters: [atMs, address, client, rowId, atMs] });
    await write(isApiKey ? compiled.api_keys : compiled.tokens, id);
    if (serviceUserId !== null) await write(compiled.service_users, serviceUserId);
  }
}

const compileUpdate = (db: Executor, table: 'tokens' | 'api_keys' | 'service_users'): CompiledQuery =>
  db
    .updateTable(table)
    .set({ last_used_at: 0, last_used_ip: '', last_used_client: '' })
    .where('id', '=', '')
    .where(({ eb, or }) => or([eb('last_used_at', 'is', null), eb('last_used_at', '<', 0)]))
    .compile();
