import { sql } from 'kysely';
import type { Executor } from '../store/schema.ts';

export interface LastUse {
  id: string;
  isApiKey: boolean;
  serviceUserId: string | null;
  atMs: number;
  address: string | null;
  client: string | null;
}

/** Rows of one statement: always so many, or one, so that two statements per table are all that is ever prepared. */
const ROWS = 50;

/** Writes a batch, forward only: an older use never replaces a newer one that another process wrote. */
export async function writeLastUses(db: Executor, uses: readonly LastUse[]): Promise<void> {
  const newestOf = new Map<string, LastUse>();
  for (const use of uses) {
    if (use.serviceUserId !== null && (newestOf.get(use.serviceUserId)?.atMs ?? 0) <= use.atMs)
      newestOf.set(use.serviceUserId, use);
  }
  await write(
    db,
    'tokens',
    uses.filter((use) => !use.isApiKey).map((use) => ({ ...use, row: use.id })),
  );
  await write(
    db,
    'api_keys',
    uses.filter((use) => use.isApiKey).map((use) => ({ ...use, row: use.id })),
  );
  await write(
    db,
    'service_users',
    [...newestOf].map(([row, use]) => ({ ...use, row })),
  );
}

type Written = Pick<LastUse, 'atMs' | 'address' | 'client'> & { row: string };

async function write(db: Executor, table: 'tokens' | 'api_keys' | 'service_users', uses: Written[]): Promise<void> {
  for (let i = 0; i < uses.length; i += ROWS) {
    const some = uses.slice(i, i + ROWS);
    const [first] = some;
    // Repeating a row changes nothing.
    while (first && some.length > 1 && some.length < ROWS) some.push(first);
    const values = some.map((use) => sql`(${use.row}, cast(${use.atMs} as bigint), ${use.address}, ${use.client})`);
    await sql`with used (id, at, ip, client) as (values ${sql.join(values)})
      update ${sql.table(table)} set last_used_at = used.at, last_used_ip = used.ip, last_used_client = used.client
      from used where ${sql.ref(`${table}.id`)} = used.id
      and (${sql.ref(`${table}.last_used_at`)} is null or ${sql.ref(`${table}.last_used_at`)} < used.at)`.execute(db);
  }
}
