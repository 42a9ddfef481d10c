import type { Insertable } from 'kysely';
import type { Executor, InstallationTable, UsersTable } from '../store/schema.ts';

export const findInstallation = (db: Executor) => db.selectFrom('installation').selectAll().executeTakeFirst();

export const insertInstallation = (db: Executor, row: Insertable<InstallationTable>) =>
  db.insertInto('installation').values(row).execute();

export const insertOwner = (db: Executor, row: Insertable<UsersTable>) => db.insertInto('users').values(row).execute();

/** A write that changes nothing, which only a database that can be written takes. */
export const probeWriting = (db: Executor) => db.deleteFrom('installation').where('one', '=', 0).execute();
