import type { Executor } from '../store/schema.ts';

/** Wrong passwords for one account from one address. */
interface LoginFailures {
  account: string;
  address: string;
  failures: number;
  last_failure_at: number;
}

type Key = Pick<LoginFailures, 'account' | 'address'>;

/** None, where the last one is older than `sinceMs`. */
export async function findLoginFailures(db: Executor, { account, address }: Key, sinceMs: number): Promise<number> {
  const row = await db
    .selectFrom('login_failures')
    .select('failures')
    .where('account', '=', account)
    .where('address', '=', address)
    .where('last_failure_at', '>', sinceMs)
    .executeTakeFirst();
  return row?.failures ?? 0;
}

/** Adds to what is counted, whoever counted it, and begins anew where the last failure is older than `sinceMs`. */
export const addLoginFailures = (db: Executor, rows: LoginFailures[], sinceMs: number): Promise<LoginFailures[]> =>
  db
    .insertInto('login_failures')
    .values(rows)
    .onConflict((on) =>
      on.columns(['account', 'address']).doUpdateSet((eb) => ({
        failures: eb
          .case()
          .when('login_failures.last_failure_at', '>', sinceMs)
          .then(eb('login_failures.failures', '+', eb.ref('excluded.failures')))
          .else(eb.ref('excluded.failures'))
          .end(),
        last_failure_at: eb.ref('excluded.last_failure_at'),
      })),
    )
    .returningAll()
    .execute();

export const deleteLoginFailures = (db: Executor, { account, address }: Key) =>
  db.deleteFrom('login_failures').where('account', '=', account).where('address', '=', address).executeTakeFirst();

/** Forgets what is older than `sinceMs`, and beyond `keep` rows the oldest. */
export async function pruneLoginFailures(db: Executor, sinceMs: number, keep: number): Promise<void> {
  await db.deleteFrom('login_failures').where('last_failure_at', '<=', sinceMs).execute();
  const first = await db
    .selectFrom('login_failures')
    .select('last_failure_at')
    .orderBy('last_failure_at', 'desc')
    .offset(keep)
    .limit(1)
    .executeTakeFirst();
  if (first) await db.deleteFrom('login_failures').where('last_failure_at', '<=', first.last_failure_at).execute();
}
