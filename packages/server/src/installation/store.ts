import type { Insertable } from 'kysely';
import type { Executor, InstallationTable, UsersTable } from '../store/schema.ts';

export const findInstallation = (db: Executor) => db.selectFrom('installation').selectAll().executeTakeFirst();

export const insertInstallation = (db: Executor, row: Insertable<InstallationTable>) =>
  db.insertInto('installation').values(row).execute();

export const insertOwner = (db: Executor, row: Insertable<UsersTable>) => db.insertInto('users').values(row).execute();

/** Cheapest question that only a working database answers. */
export const pingDatabase = (db: Executor) => db.selectFrom('installation').select('one').executeTakeFirstOrThrow();
