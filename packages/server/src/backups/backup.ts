import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, open, realpath, rename, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { syncDirectory } from '../iceberg/warehouse/local-directories.ts';
import { openDataDirectory } from '../installation/data-directory.ts';
import { openMasterKey } from '../installation/master-key.ts';
import { formatMasterKeys } from '../installation/master-key-text.ts';
import { type Operator, recordOperation } from '../operator.ts';
import { openDatabase } from '../store/database.ts';
import type { InstallationTable, Schema } from '../store/schema.ts';
import { checkSqlite, snapshotSqlite } from '../store/snapshot.ts';
import { openSqlite } from '../store/sqlite.ts';
import { formatTime, wholeSecond } from '../times.ts';
import { VERSION } from '../version.ts';
import { DATABASE, FORMAT_VERSION, MANIFEST, MASTER_KEY, type Manifest, unusable } from './manifest.ts';
import { countRows, findInstallation, isCurrent, listCatalogsElsewhere, readMigrations } from './store.ts';
import { type PackedFiles, packWarehouses } from './warehouse-files.ts';
import { openWorkingFolder, removeWorkingFolder } from './working-folder.ts';
import { writeArchive } from './write-archive.ts';

export interface BackupOptions {
  dataDir: string;
  /** Where the backup goes; `.tgz` and `.tar.gz` are compressed. */
  file: string;
  /** Replace a file that is there. */
  force: boolean;
  includeMasterKey: boolean;
  /** What PANGOLIN_MASTER_KEY and PANGOLIN_MASTER_KEY_FILE hold. */
  masterKey?: string | undefined;
  masterKeyFile?: string | undefined;
}

export interface Backup {
  file: string;
  sizeBytes: number;
  manifest: Manifest;
  files: PackedFiles;
  /** Catalogs whose files are not in it. */
  elsewhere: { name: string; location: string }[];
  /** False where the database is of an older release, which a backup does not change. */
  isAudited: boolean;
}

/**
 * Writes the database and the warehouses of a data directory, which others may be using, to one file. The file is whole or
 * not there, and recorded in the audit log before it is there.
 * Throws `no_server`, `already_exists`, `invalid_argument`, `storage_…`.
 */
export async function createBackup(operator: Operator, options: BackupOptions): Promise<Backup> {
  const file = resolve(options.file);
  await refuseTarget(file, options);
  const directory = openDataDirectory(options.dataDir, false);
  const folder = await openWorkingFolder(dirname(file), 'backup');
  try {
    const snapshot = join(folder, DATABASE);
    const earlierKeys = options.includeMasterKey ? readKeys(options) : [];
    await snapshotSqlite(directory.databasePath, snapshot);
    const { manifest, elsewhere, installation, hasCurrentSchema } = await describe(snapshot, operator, options);
    const archive = join(folder, basename(file));
    const mtime = new Date(manifest.created_at);
    const compress = /\.(?:tgz|tar\.gz)$/i.test(file);
    let files: PackedFiles | undefined;
    await writeArchive(archive, { compress, mtime }, async (writer) => {
      await writer.addBytes(MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`));
      await writer.addFile(DATABASE, snapshot);
      if (options.includeMasterKey) {
        // The master key may be rotated at any moment: one of these opens what was sealed when the snapshot was taken.
        const keys = [...readKeys(options), ...earlierKeys];
        const distinct = keys.filter((key, index) => keys.findIndex((one) => one.equals(key)) === index);
        await writer.addBytes(MASTER_KEY, Buffer.from(formatMasterKeys(distinct)));
      }
      files = await packWarehouses(writer, directory.path);
    });
    const { size } = await stat(archive);
    if (hasCurrentSchema) await audit(operator, directory.databasePath, installation, file, manifest);
    await publish(archive, file, options.force);
    return {
      file,
      sizeBytes: size,
      manifest,
      files: files ?? { count: 0, sizeBytes: 0, vanished: [], skipped: [] },
      elsewhere,
      isAudited: hasCurrentSchema,
    };
  } finally {
    await removeWorkingFolder(folder);
  }
}

const readKeys = (options: BackupOptions): Buffer[] =>
  openMasterKey({ ...options, isShared: false }).use((keys) => keys.map((key) => Buffer.from(key)));

async function refuseTarget(file: string, { dataDir, force }: BackupOptions): Promise<void> {
  const folder = await stat(dirname(file)).catch(() => null);
  if (!folder?.isDirectory()) {
    throw new PangolinError('invalid_argument', `There is no directory ${dirname(file)}.`, {
      hint: 'Make it first, or give another FILE.',
    });
  }
  const [place] = relative(await realPathOf(dataDir), await realPathOf(file)).split(sep);
  if (place === 'warehouse' || place === 'warehouses') {
    throw new PangolinError('invalid_argument', 'A backup cannot lie among the files that it holds.', {
      hint: 'Give a FILE outside of the data directory, best on another disk.',
    });
  }
  const there = await stat(file).catch(() => null);
  if (there?.isFile() && force) return;
  if (there?.isFile()) throw exists(file);
  if (there)
    throw new PangolinError('invalid_argument', `${file} is not a file.`, { hint: 'Give the name of a file.' });
}

const realPathOf = async (path: string): Promise<string> =>
  join(await realpath(dirname(resolve(path))).catch(() => dirname(resolve(path))), basename(path));

const exists = (file: string) =>
  new PangolinError('already_exists', `There is a file ${file} already.`, {
    hint: 'Give another name, or --force to replace it.',
  });

async function describe(snapshot: string, operator: Operator, options: BackupOptions) {
  const connection = await openSqlite<Schema>(snapshot, { readOnly: true });
  const db = connection.kysely;
  try {
    checkSqlite(connection);
    const installation = await findInstallation(db);
    if (!installation) throw unusable(`The database in ${options.dataDir} holds no installation yet.`);
    const dataDir = await realpath(options.dataDir);
    const manifest: Manifest = {
      format: 'pangolin-backup',
      format_version: FORMAT_VERSION,
      product_version: VERSION,
      installation_id: installation.id,
      created_at: formatTime(wholeSecond(operator.now())),
      data_dir: dataDir,
      migrations: await readMigrations(db),
      counts: await countRows(db),
      database: { size_bytes: (await stat(snapshot)).size, sha256: await hashFile(snapshot) },
      has_master_key: options.includeMasterKey,
    };
    const catalogs = await listCatalogsElsewhere(db, `file://${dataDir}`);
    return {
      manifest,
      elsewhere: catalogs.map(({ name, warehouse_location }) => ({ name, location: warehouse_location ?? '' })),
      installation,
      hasCurrentSchema: await isCurrent(db),
    };
  } finally {
    await db.destroy();
  }
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest('hex');
}

async function audit(
  operator: Operator,
  databasePath: string,
  installation: InstallationTable,
  file: string,
  manifest: Manifest,
): Promise<void> {
  const db = await openDatabase({ file: databasePath });
  try {
    await db.transact(
      (tx) =>
        recordOperation(tx, operator, installation, {
          action: 'installation.backed_up',
          details: {
            file,
            created_at: manifest.created_at,
            database_sha256: manifest.database.sha256,
            has_master_key: manifest.has_master_key,
          },
        }),
      { credentials: 'unchanged' },
    );
  } finally {
    await db.close();
  }
}

/** Gives the finished file its name, durably; without `force` link(2) refuses to replace another. */
async function publish(archive: string, file: string, force: boolean): Promise<void> {
  const written = await open(archive, 'r');
  await written.sync().finally(() => written.close());
  if (force) await rename(archive, file);
  else {
    await link(archive, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw exists(file);
      // A file system without links, on a stick for instance.
      if (await stat(file).catch(() => null)) throw exists(file);
      await rename(archive, file);
    });
  }
  await syncDirectory(dirname(file));
}
