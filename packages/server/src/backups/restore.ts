import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PangolinError } from '@pangolin/shared/errors';
import { openDataDirectory } from '../installation/data-directory.ts';
import { openMasterKey } from '../installation/master-key.ts';
import { createMasterKeyFile, readOwnMasterKeys } from '../installation/master-key-file.ts';
import { readMasterKeys } from '../installation/master-key-text.ts';
import type { Operator } from '../operator.ts';
import { openDatabase } from '../store/database.ts';
import { migrate } from '../store/migrate.ts';
import type { Schema } from '../store/schema.ts';
import { checkSqlite } from '../store/snapshot.ts';
import { openSqlite } from '../store/sqlite.ts';
import { chooseMasterKey, type FoundKeys, readKeyFile } from './choose-master-key.ts';
import { type Manifest, unusable } from './manifest.ts';
import { type ArchiveContents, verifyArchive } from './read-archive.ts';
import { type Replaced, replaceRows, tryRules } from './replace-rows.ts';
import { openRestoreTarget, type RestoreTarget } from './restore-target.ts';
import { findInstallation, hasCode, hasTablesBelow, listSealedKeys } from './store.ts';
import { listSurvivors, type SurvivingCredential } from './surviving-credentials.ts';
import { type UnpackedFiles, unpackWarehouses } from './warehouse-files.ts';
import { nearestFolder, openWorkingFolder, removeWorkingFolder } from './working-folder.ts';

export interface RestoreOptions {
  dataDir: string;
  file: string;
  keepCredentials: boolean;
  /** A file with the master key for a directory that has none; null: the backup's own. */
  keyFile: string | null;
  /** What PANGOLIN_MASTER_KEY and PANGOLIN_MASTER_KEY_FILE hold; they go before everything else. */
  masterKey?: string | undefined;
  masterKeyFile?: string | undefined;
}

/** What a restore would do; nothing has been changed yet. */
export interface RestorePlan {
  manifest: Manifest;
  /** Whether a live installation is replaced; without one, nobody knows what was revoked since the backup. */
  replaces: boolean;
  /** What is good afterwards. */
  survivors: SurvivingCredential[];
  /** Where the master key comes from that is stored with the data; null: the directory has it already. */
  masterKeyFrom: string | null;
  /** Where the tables' files were, when that is not where they are put back. */
  movedFrom: string | null;
}

export interface Restored extends Replaced {
  files: UnpackedFiles;
}

/** A backup that was checked and can be restored. */
export interface Restore {
  plan: RestorePlan;
  /** Restores: all of it, or nothing, wherever it is killed. Files of tables are put back before the database. */
  apply(): Promise<Restored>;
  close(): Promise<void>;
}

/**
 * Checks a backup and everything it needs to be restored into a data directory that may be in use, and changes nothing.
 * Throws `backup_unusable`, `conflict` for another installation's directory, `master_key_missing`, `database_too_new`.
 */
export async function openRestore(operator: Operator, options: RestoreOptions): Promise<Restore> {
  const dataDir = resolve(options.dataDir);
  const file = await open(options.file, 'r').catch((cause) => {
    throw new PangolinError('invalid_argument', `The file ${options.file} cannot be read.`, { cause });
  });
  const folder = await openWorkingFolder(await nearestFolder(dataDir), 'restore').catch(async (error) => {
    await file.close();
    throw error;
  });
  const close = async () => {
    await file.close();
    await removeWorkingFolder(folder);
  };
  try {
    const copy = join(folder, 'pangolin.db');
    const contents = await unpackDatabase(file, copy);
    const backup = await prepareCopy(copy, contents.manifest);
    const target = await openRestoreTarget(dataDir, contents.manifest.installation_id);
    const key = await findKey(options, contents, target, backup);
    if (target.installation) await bringUpToDate(target);
    const survivors = await tryOut(operator, options, target, copy);
    const oldPlace = contents.manifest.data_dir;
    const moved = backup.hasTables && oldPlace !== (await realpath(dataDir).catch(() => dataDir));
    const plan: RestorePlan = {
      manifest: contents.manifest,
      replaces: target.installation !== null,
      survivors,
      masterKeyFrom: key.isToStore ? key.source : null,
      movedFrom: moved ? oldPlace : null,
    };
    return {
      plan,
      async apply() {
        await prepareTarget(target, key);
        const files = await unpackWarehouses(file, dataDir, contents.files);
        const installation = backup.installation;
        const replaced = await replaceRows(operator, {
          target: target.databasePath,
          copy,
          installation,
          keepCredentials: options.keepCredentials,
          manifest: contents.manifest,
        });
        return { ...replaced, files };
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const unpackDatabase = (file: FileHandle, copy: string): Promise<ArchiveContents> =>
  verifyArchive(file, ({ content }) => pipeline(content, createWriteStream(copy, { flags: 'wx', mode: 0o600 })));

/** Checks the backup's database and brings the copy of it up to this release's schema. */
async function prepareCopy(copy: string, manifest: Manifest) {
  const connection = await openSqlite<Schema>(copy, { readOnly: false }).catch((cause) => {
    throw unusable('Its database is none that can be opened.', cause);
  });
  const db = connection.kysely;
  try {
    checkSqlite(connection);
    if (await hasCode(db)) throw unusable('Its database holds triggers or views, which ours has none of.');
    await migrate(db as never);
    const installation = await findInstallation(db);
    if (installation?.id !== manifest.installation_id)
      throw unusable('Its database is not of the installation it names.');
    const sealedKeys = await listSealedKeys(db);
    return { installation, sealedKeys, hasTables: await hasTablesBelow(db, `file://${manifest.data_dir}/`) };
  } catch (error) {
    if (error instanceof PangolinError && error.code === 'storage_damaged') throw unusable(error.message, error);
    throw error;
  } finally {
    await db.destroy();
  }
}

/** The live signing keys stay, so that their master key does too. */
async function findKey(
  options: RestoreOptions,
  { masterKey: packed }: ArchiveContents,
  target: RestoreTarget,
  backup: { sealedKeys: RestoreTarget['sealedKeys'] },
): Promise<FoundKeys> {
  return chooseMasterKey(
    await listKeys(options, packed, target),
    target.installation ? target.sealedKeys : backup.sealedKeys,
  );
}

async function listKeys(options: RestoreOptions, packed: string | null, target: RestoreTarget): Promise<FoundKeys[]> {
  const named = openMasterKey({ ...options, isShared: false });
  if (named.source !== 'data-directory') {
    return [{ keys: named.use((keys) => keys.map((key) => Buffer.from(key))), source: named.name, isToStore: false }];
  }
  if (target.masterKey) return [target.masterKey];
  const found: FoundKeys[] = [];
  const { keyFile } = options;
  if (keyFile !== null) found.push({ keys: await readKeyFile(keyFile), source: keyFile, isToStore: true });
  const keys = packed === null ? undefined : readMasterKeys(packed);
  if (keys) found.push({ keys, source: 'the backup', isToStore: true });
  return found;
}

async function tryOut(
  operator: Operator,
  { keepCredentials }: RestoreOptions,
  target: RestoreTarget,
  copy: string,
): Promise<SurvivingCredential[]> {
  if (!keepCredentials) return [];
  const live = target.installation ? target.databasePath : null;
  return tryRules(copy, live, operator.now(), (db) => listSurvivors(db, operator.now));
}

/** From here on something is changed, but nothing of what was there. */
async function prepareTarget(target: RestoreTarget, { keys, isToStore }: FoundKeys): Promise<void> {
  await mkdir(target.dataDir, { recursive: true, mode: 0o700 });
  if (isToStore) {
    createMasterKeyFile(target.dataDir, keys);
    const stored = readOwnMasterKeys(target.dataDir);
    if (!keys[0] || !stored?.[0]?.equals(keys[0])) {
      throw new PangolinError('conflict', `Somebody else has just put another master key into ${target.dataDir}.`);
    }
  }
  openDataDirectory(target.dataDir, true);
  await bringUpToDate(target);
}

/** Gives a database this release's schema, as every command does that opens it. */
const bringUpToDate = async ({ databasePath }: RestoreTarget): Promise<void> =>
  (await openDatabase({ file: databasePath })).close();
