import type { Insertable } from 'kysely';
import type { Executor, GrantsTable } from '../store/schema.ts';

export const insertGrants = (db: Executor, rows: readonly Insertable<GrantsTable>[]) =>
  db.insertInto('grants').values(rows).execute();
