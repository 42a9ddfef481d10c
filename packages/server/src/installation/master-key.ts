import { PangolinError } from '@pangolin/shared/errors';
import {
  createMasterKeyFile,
  hasInterruptedReplacement,
  masterKeyPath,
  readForeignMasterKeys,
  readOwnMasterKeys,
  replaceMasterKeyFile,
} from './master-key-file.ts';
import { MASTER_KEY_FORM, MASTER_KEY_HINT, readMasterKeys } from './master-key-text.ts';
import { readFileError } from './private-files.ts';

export interface MasterKeyOptions {
  dataDir: string;
  /** What PANGOLIN_MASTER_KEY holds. */
  masterKey?: string | undefined;
  /** What PANGOLIN_MASTER_KEY_FILE names. */
  masterKeyFile?: string | undefined;
  /** Whether other servers, with data directories of their own, use the same database. */
  isShared: boolean;
}

/** Where the master key is. The first key there seals, and any of them opens. Nothing of it is kept in memory. */
export interface MasterKey {
  source: 'data-directory' | 'PANGOLIN_MASTER_KEY' | 'PANGOLIN_MASTER_KEY_FILE';
  /** What messages call it: a path, or the variable. */
  name: string;
  /** Reads the keys, lends them, and wipes them. Throws `master_key_missing`, `data_directory_refused`, `invalid_argument`. */
  use<T>(work: (keys: readonly Buffer[]) => T): T;
  /** Before there is an installation: makes the file if there is none, unless the key is kept elsewhere. */
  prepare(): void;
  /** Puts other keys in their place, atomically; null where that is for people to do. */
  replace: ((keys: readonly Buffer[]) => void) | null;
  /** Whether a replacement was killed half-way. */
  wasInterrupted(): boolean;
  /** What to say when the keys do not open the database; `opens` tries others. */
  explain(opens: (keys: readonly Buffer[]) => boolean): PangolinError;
}

/** The master key's source. Throws `invalid_argument` when there are two, or the variable holds no key. */
export function openMasterKey(options: MasterKeyOptions): MasterKey {
  const { dataDir, masterKey, masterKeyFile, isShared } = options;
  if (masterKey !== undefined && masterKeyFile !== undefined) {
    throw new PangolinError('invalid_argument', 'PANGOLIN_MASTER_KEY and PANGOLIN_MASTER_KEY_FILE are both set.', {
      hint: 'Give the master key one way: unset PANGOLIN_MASTER_KEY, or PANGOLIN_MASTER_KEY_FILE',
    });
  }
  if (masterKey !== undefined) return elsewhere('PANGOLIN_MASTER_KEY', dataDir, () => readVariable(masterKey));
  if (masterKeyFile !== undefined)
    return elsewhere('PANGOLIN_MASTER_KEY_FILE', dataDir, () => readForeignMasterKeys(masterKeyFile));
  return inDataDirectory(dataDir, isShared);
}

function readVariable(text: string): Buffer[] {
  const keys = readMasterKeys(text);
  if (keys) return keys;
  throw new PangolinError('invalid_argument', `PANGOLIN_MASTER_KEY is no master key: it takes ${MASTER_KEY_FORM}.`, {
    hint: MASTER_KEY_HINT,
  });
}

function elsewhere(source: MasterKey['source'], dataDir: string, read: () => Buffer[]): MasterKey {
  const use = lend(read);
  // Whatever is wrong with it is said before anything else happens.
  use(() => undefined);
  return {
    source,
    name: source,
    use,
    prepare() {},
    replace: null,
    wasInterrupted: () => false,
    explain(opens) {
      const path = masterKeyPath(dataDir);
      if (opensByOwnFile(dataDir, opens)) {
        return new PangolinError(
          'master_key_missing',
          `The key in ${source} does not open this database, but ${path} does.`,
          {
            hint: `unset ${source} to go on with the file. To move to the variable, let it hold two keys, the new one and then the file's, and run: pangolin-admin rotate-master-key`,
          },
        );
      }
      return new PangolinError('master_key_missing', `The key in ${source} does not open this database.`, {
        hint: 'Give the key the database was made with: every server on one database has the same. If it was replaced, give the new one and then the old one, and run: pangolin-admin rotate-master-key',
      });
    },
  };
}

function opensByOwnFile(dataDir: string, opens: (keys: readonly Buffer[]) => boolean): boolean {
  try {
    return lend(() => readOwnMasterKeys(dataDir) ?? [])(opens);
  } catch (error) {
    // A file that is damaged or refused is no way out.
    if (error instanceof PangolinError) return false;
    throw error;
  }
}

function inDataDirectory(dataDir: string, isShared: boolean): MasterKey {
  const name = masterKeyPath(dataDir);
  const share =
    "Every server on one database has the same master key: copy the first server's master.key here, or give all of them PANGOLIN_MASTER_KEY_FILE.";
  const read = () => {
    const keys = inDirectory(dataDir, () => readOwnMasterKeys(dataDir));
    if (keys) return keys;
    throw new PangolinError(
      'master_key_missing',
      `The master key ${name} is missing, and the database's signing keys cannot be opened without it.`,
      {
        hint: isShared
          ? share
          : 'Put the file back from a backup. Without it, set PANGOLIN_DATA_DIR to a new directory and issue new credentials.',
      },
    );
  };
  return {
    source: 'data-directory',
    name,
    use: lend(read),
    prepare() {
      inDirectory(dataDir, () => {
        if (!readOwnMasterKeys(dataDir)) createMasterKeyFile(dataDir);
      });
    },
    // Another server's directory has a copy of its own, which nobody would replace.
    replace: isShared ? null : (keys) => inDirectory(dataDir, () => replaceMasterKeyFile(dataDir, keys)),
    wasInterrupted: () => !isShared && hasInterruptedReplacement(dataDir),
    explain: () =>
      new PangolinError('master_key_missing', `The master key ${name} does not open this database.`, {
        hint: isShared ? share : 'Put back the master.key file that belongs to it.',
      }),
  };
}

function inDirectory<T>(dataDir: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw readFileError(error, dataDir);
  }
}

const lend =
  (read: () => Buffer[]): MasterKey['use'] =>
  (work) => {
    const keys = read();
    try {
      return work(keys);
    } finally {
      for (const key of keys) key.fill(0);
    }
  };
