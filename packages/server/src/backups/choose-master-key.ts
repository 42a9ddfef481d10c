import { readFile } from 'node:fs/promises';
import { PangolinError } from '@pangolin/shared/errors';
import { readMasterKeys } from '../installation/master-key-text.ts';
import { unseal } from '../signing-keys/sealing.ts';

/** Master keys, of which the first seals and any opens, and where they were found. */
export interface FoundKeys {
  keys: readonly Buffer[];
  source: string;
  /** Whether they must be put into the data directory, to be found there by servers. */
  isToStore: boolean;
}

/** Reads the file that `--master-key-file` names. Throws `invalid_argument`. */
export async function readKeyFile(path: string): Promise<readonly Buffer[]> {
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new PangolinError('invalid_argument', `The master key file ${path} cannot be read.`, { cause });
  });
  const keys = readMasterKeys(text);
  if (keys) return keys;
  throw new PangolinError('invalid_argument', `The file ${path} does not hold a master key.`, {
    hint: 'Give the master.key of the data directory that the backup is of.',
  });
}

/** The first that opens all signing keys. Throws `master_key_missing` when none does. */
export function chooseMasterKey(
  found: readonly FoundKeys[],
  sealed: readonly { kid: string; private_key: string }[],
): FoundKeys {
  const right = found.find(({ keys }) => sealed.every((one) => unseal(keys, one.kid, one.private_key) !== undefined));
  if (right) return right;
  const problem =
    found.length === 0
      ? 'There is no master key to open the signing keys with'
      : `The signing keys are not opened by the master key of ${found.map(({ source }) => source).join(' or ')}`;
  throw new PangolinError('master_key_missing', `${problem}. Nothing was changed.`, {
    hint: 'Give the master key that belongs to them: --master-key-file FILE, or PANGOLIN_MASTER_KEY_FILE',
  });
}
