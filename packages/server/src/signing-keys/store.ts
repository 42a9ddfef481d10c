import type { Insertable } from 'kysely';
import type { Executor, SigningKeysTable } from '../store/schema.ts';

export const insertSigningKey = (db: Executor, row: Insertable<SigningKeysTable>) =>
  db.insertInto('signing_keys').values(row).execute();

/** Every key that may still verify something; a handful. */
export const listSigningKeys = (db: Executor) =>
  db
    .selectFrom('signing_keys')
    .select(['kid', 'state', 'public_key', 'private_key'])
    .orderBy('created_at', 'desc')
    .execute();
