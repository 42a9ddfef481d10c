import { open, readFile, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isCode, withLock } from '../config/lock.ts';
import { PangolinError } from '../errors.ts';
import type { SecretStore } from './secret-store.ts';

/**
 * Keeps secrets in `credentials.json` of a folder, readable by its owner alone (0600). A file that others can read, or
 * that is damaged, is refused with `settings_unreadable`: neither is ever taken for "logged out".
 */
export function createFileStore(folder: string, platform: NodeJS.Platform): SecretStore {
  const file = join(folder, 'credentials.json');

  async function change(action: (secrets: Map<string, string>) => boolean): Promise<boolean> {
    return withLock(folder, async () => {
      const secrets = await readSecrets(file, platform);
      if (!action(secrets)) return false;
      await writeSecrets(folder, file, secrets);
      return true;
    });
  }

  return {
    kind: 'file',
    location: file,
    read: async (account) => (await readSecrets(file, platform)).get(account) ?? null,
    accounts: async () => [...(await readSecrets(file, platform)).keys()],
    async write(account, secret) {
      await change((secrets) => {
        secrets.set(account, secret);
        return true;
      });
    },
    async delete(account) {
      // Looked at first, so that a log-out creates no folder.
      if ((await this.read(account)) === null) return false;
      return change((secrets) => secrets.delete(account));
    },
  };
}

async function readSecrets(file: string, platform: NodeJS.Platform): Promise<Map<string, string>> {
  let text: string;
  try {
    const { mode } = await stat(file);
    if (platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new PangolinError(
        'settings_unreadable',
        `The credentials file ${file} can be read by others (mode ${(mode & 0o777).toString(8)})`,
        { hint: `Close it with: chmod 600 '${file}'; if others may have read it, log out and in again` },
      );
    }
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof PangolinError) throw cause;
    if (isCode(cause, 'ENOENT') || isCode(cause, 'ENOTDIR')) return new Map();
    throw damaged(file, cause);
  }
  let logins: unknown;
  try {
    logins = JSON.parse(text)?.logins;
  } catch {
    // A parser's message quotes the text, which holds secrets: no cause.
    throw damaged(file, undefined);
  }
  if (logins === null || typeof logins !== 'object' || Array.isArray(logins)) throw damaged(file, undefined);
  const entries = Object.entries(logins);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string'))
    throw damaged(file, undefined);
  return new Map(entries);
}

async function writeSecrets(folder: string, file: string, secrets: Map<string, string>): Promise<void> {
  const temporary = join(folder, `.credentials.${crypto.randomUUID()}`);
  try {
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify({ version: 1, logins: Object.fromEntries(secrets) }, null, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw new PangolinError('settings_unreadable', `The credentials file ${file} cannot be written`, {
      cause,
      hint: 'Check the space and the permissions there, or choose another folder with PANGOLIN_CONFIG_DIR',
    });
  }
}

const damaged = (file: string, cause: unknown) =>
  new PangolinError('settings_unreadable', `The credentials file ${file} cannot be read`, {
    cause,
    hint: 'Move it away and log in again',
  });
