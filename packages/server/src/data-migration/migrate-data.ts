import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { type Operator, recordOperation } from '../operator.ts';
import { type BulkConnection, openBulkConnection } from '../store/bulk-connection.ts';
import type { Executor, InstallationTable } from '../store/schema.ts';
import { readStorageError } from '../store/storage-errors.ts';
import { type CopiedTable, copyTables, type OnProgress } from './copy-tables.ts';
import { findInstallation, hasEvent, listHeads } from './store.ts';

export interface MigrationOptions {
  /** A data directory, or `sqlite:` and the path of a database file. */
  from: string;
  /** A `postgres://` URL, or `sqlite:` and the path of a database file. */
  to: string;
  /** Replace a target that has moved on since it was copied before. */
  overwrite: boolean;
  onProgress: OnProgress;
}

export interface MigratedData {
  installationId: string;
  /** Without passwords. */
  from: string;
  to: string;
  tables: CopiedTable[];
}

/**
 * Copies an installation into another database. Meanwhile nothing is written to the source, and a target that servers use
 * takes no changes either; it has all of it, or what it had. May be repeated.
 * Throws `invalid_argument`, `no_server`, and `conflict` when the target holds something that the source does not have.
 */
export async function migrateData(operator: Operator, options: MigrationOptions): Promise<MigratedData> {
  const file = findSource(options.from);
  const source = await openBulkConnection({ file });
  try {
    const target = await openBulkConnection(readTarget(options.to, file));
    try {
      return await copy(operator, source, target, options);
    } catch (error) {
      throw readStorageError(error);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

async function copy(
  operator: Operator,
  source: BulkConnection,
  target: BulkConnection,
  { overwrite, onProgress }: MigrationOptions,
): Promise<MigratedData> {
  await source.begin();
  await target.begin();
  const installation = await findInstallation(source.db);
  if (!installation) throw new PangolinError('no_server', `There is no installation in ${source.place} to copy.`);
  await refuseMovedOn(source.db, target.db, installation, overwrite);
  await recordOperation(source.db, operator, installation, {
    action: 'installation.migrated',
    details: { to: target.place },
  });
  const tables = await copyTables(source.db, target.db, onProgress);
  // What the source says of it is true, or was about to be: the other way round the target would have moved on by it.
  await source.commit();
  await target.commit();
  return { installationId: installation.id, from: source.place, to: target.place, tables };
}

function findSource(from: string): string {
  const path = resolve(from.replace(/^sqlite:(?:\/\/(?=\/))?/, ''));
  const stats = statSync(path, { throwIfNoEntry: false });
  const file = stats?.isDirectory() ? join(path, 'pangolin.db') : path;
  if (existsSync(file)) return file;
  throw new PangolinError('no_server', `There is no database at ${file}.`, {
    hint: 'Name the data directory of the server: --from DIR',
  });
}

function readTarget(to: string, source: string): { file: string } | { url: string } {
  if (/^postgres(?:ql)?:/.test(to)) return { url: to };
  if (!to.startsWith('sqlite:')) {
    throw new PangolinError('invalid_argument', '--to takes a postgres:// URL, or sqlite: and the path of a file.', {
      hint: 'For example: --to postgres://pangolin@db.example.com/pangolin',
    });
  }
  const file = resolve(to.replace(/^sqlite:(?:\/\/(?=\/))?/, ''));
  if (file !== source) return { file };
  throw new PangolinError('invalid_argument', '--from and --to are the same database.');
}

/** A target that was copied before is a part of the source's history; anything else would be lost. */
async function refuseMovedOn(
  source: Executor,
  target: Executor,
  installation: InstallationTable,
  overwrite: boolean,
): Promise<void> {
  const there = await findInstallation(target);
  if (!there) return;
  if (there.id !== installation.id) {
    throw new PangolinError('conflict', 'The target holds another installation. Nothing was changed.', {
      hint: 'Give an empty database.',
    });
  }
  if (overwrite) return;
  for (const head of await listHeads(target)) {
    if (await hasEvent(source, head)) continue;
    throw new PangolinError(
      'conflict',
      'The target has been changed since it was copied, and would lose that. Nothing was changed.',
      { hint: 'Go on with the target; or give --overwrite to replace what it holds.' },
    );
  }
}
