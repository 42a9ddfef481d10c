import { randomBytes } from 'node:crypto';
import { type Backup, type BackupOptions, createBackup } from './backups/backup.ts';
import { openRestore, type Restore, type RestoreOptions } from './backups/restore.ts';
import { type MigratedData, type MigrationOptions, migrateData } from './data-migration/migrate-data.ts';
import { createUuidV7 } from './ids.ts';
import type { Operator } from './operator.ts';

/** Who asks for an operation, and when, unless that is now. */
export interface OperatorOptions {
  /** The operating system's account, as which the owner is shown. */
  ownerName: string;
  /** As in `pangolin-admin/1.0.0`. */
  client: string;
  now?: () => number;
}

const operatorOf = ({ ownerName, client, now = Date.now }: OperatorOptions): Operator => ({
  ownerName,
  client,
  now,
  newId: () => createUuidV7(now(), randomBytes(10)),
});

/** The composition root of what is done to a whole data directory: see backups/backup.ts. */
export const backUp = (options: OperatorOptions & BackupOptions): Promise<Backup> =>
  createBackup(operatorOf(options), options);

/** See backups/restore.ts. */
export const prepareRestore = (options: OperatorOptions & RestoreOptions): Promise<Restore> =>
  openRestore(operatorOf(options), options);

/** See data-migration/migrate-data.ts. */
export const moveData = (options: OperatorOptions & MigrationOptions): Promise<MigratedData> =>
  migrateData(operatorOf(options), options);
