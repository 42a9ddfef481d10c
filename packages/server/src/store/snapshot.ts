import { closeSync, openSync } from 'node:fs';
import { PangolinError } from '@pangolin/shared/errors';
import { openSqlite, retryWhileBusy, type SqliteConnection } from './sqlite.ts';

/** A string as SQL has it, for the few statements that take no parameters. */
export const quoteSql = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * Writes a consistent copy of a SQLite database that others may be using to `into`, a new file of mode 0600. Nobody waits
 * for it. Throws `storage_…`.
 */
export async function snapshotSqlite(path: string, into: string): Promise<void> {
  const { raw, kysely } = await openSqlite(path, { readOnly: true });
  try {
    closeSync(openSync(into, 'wx', 0o600));
    await retryWhileBusy(() => raw.exec(`vacuum into ${quoteSql(into)}`));
  } finally {
    await kysely.destroy();
  }
}

/** Reads all of a database, and throws `storage_damaged` when something in it is not as it must be. */
export function checkSqlite({ raw }: Pick<SqliteConnection<unknown>, 'raw'>): void {
  const problems = raw.prepare('pragma integrity_check(1)').all() as { integrity_check: string }[];
  const found = problems[0]?.integrity_check;
  if (found !== 'ok') throw damaged(String(found));
  const [orphan] = raw.prepare('pragma foreign_key_check').all() as { table: string; parent: string }[];
  if (orphan) throw damaged(`a row of ${orphan.table} refers to a row of ${orphan.parent} that does not exist`);
}

const damaged = (problem: string) =>
  new PangolinError('storage_damaged', `The database is damaged: ${problem}.`, {
    hint: 'Restore the data directory from an earlier backup: pangolin-admin restore FILE',
  });
