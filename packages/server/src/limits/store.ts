import type { Executor } from '../store/schema.ts';

/** Failures of one address within one minute. */
export interface CredentialFailures {
  address: string;
  minute: number;
  failures: number;
}

export async function findCredentialFailures(db: Executor, address: string, minute: number): Promise<number> {
  const row = await db
    .selectFrom('credential_failures')
    .select('failures')
    .where('address', '=', address)
    .where('minute', '=', minute)
    .executeTakeFirst();
  return row?.failures ?? 0;
}

/** Adds to what is counted, whoever counted it; answers the sums. */
export const addCredentialFailures = (db: Executor, rows: CredentialFailures[]): Promise<CredentialFailures[]> =>
  db
    .insertInto('credential_failures')
    .values(rows)
    .onConflict((on) =>
      on.columns(['address', 'minute']).doUpdateSet((eb) => ({
        failures: eb('credential_failures.failures', '+', eb.ref('excluded.failures')),
      })),
    )
    .returning(['address', 'minute', 'failures'])
    .execute();

/** Forgets the minutes before one. */
export const deleteCredentialFailuresBefore = (db: Executor, minute: number) =>
  db.deleteFrom('credential_failures').where('minute', '<', minute).executeTakeFirst();
