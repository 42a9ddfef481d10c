import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { requirePrivateDirectory } from '../installation/data-directory.ts';
import { masterKeyPath, readOwnMasterKeys } from '../installation/master-key-file.ts';
import type { InstallationTable, Schema } from '../store/schema.ts';
import { openSqlite } from '../store/sqlite.ts';
import { readStorageError } from '../store/storage-errors.ts';
import type { FoundKeys } from './choose-master-key.ts';
import { findInstallation, listSealedKeys } from './store.ts';

/** The data directory that a backup is restored into, as it is before. */
export interface RestoreTarget {
  dataDir: string;
  databasePath: string;
  /** Null where nothing has been founded yet. */
  installation: InstallationTable | null;
  /** The directory's own. */
  masterKey: FoundKeys | null;
  sealedKeys: { kid: string; private_key: string }[];
}

/**
 * Looks at a data directory, which need not exist, and changes nothing of what it holds.
 * Throws `data_directory_refused`, `storage_…`, and `conflict` when it holds another installation than `installationId`.
 */
export async function openRestoreTarget(dataDir: string, installationId: string): Promise<RestoreTarget> {
  const databasePath = join(dataDir, 'pangolin.db');
  requirePrivateDirectory(dataDir);
  const target: RestoreTarget = { dataDir, databasePath, installation: null, masterKey: null, sealedKeys: [] };
  const keys = readOwnMasterKeys(dataDir);
  if (keys) target.masterKey = { keys, source: masterKeyPath(dataDir), isToStore: false };
  if (!existsSync(databasePath)) return target;
  const found = await lookInto(databasePath).catch((error) => {
    throw explainDamage(readStorageError(error), dataDir);
  });
  if (!found) return target;
  if (found.installation.id !== installationId) throw anotherInstallation(dataDir);
  return { ...target, ...found };
}

async function lookInto(databasePath: string) {
  // What a process that was killed has left half-made is taken back by whoever opens it next, if they may write.
  const readOnly = !existsSync(`${databasePath}-journal`);
  const { kysely } = await openSqlite<Schema>(databasePath, { readOnly });
  try {
    const installation = await findInstallation(kysely);
    return installation && { installation, sealedKeys: await listSealedKeys(kysely) };
  } finally {
    await kysely.destroy();
  }
}

const anotherInstallation = (dataDir: string) =>
  new PangolinError('conflict', `${dataDir} holds another installation than the backup. Nothing was changed.`, {
    hint: 'Restore into a new directory (--data-dir), or move what is there out of the way first.',
  });

function explainDamage(error: unknown, dataDir: string): unknown {
  if (!(error instanceof PangolinError) || error.code !== 'storage_damaged') return error;
  return new PangolinError('storage_damaged', `The database in ${dataDir} is damaged. Nothing was changed.`, {
    cause: error,
    hint: `Stop the servers that use it, move it out of the way (mv '${join(dataDir, 'pangolin.db')}'* ELSEWHERE) and restore again.`,
  });
}
