import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Surroundings } from '../client/connect-types.ts';
import { PangolinError } from '../errors.ts';
import { type Keytar, startKeytar } from './keytar-process.ts';
import type { SecretStore } from './secret-store.ts';

const SERVICE = 'pangolin';
const LIMIT_MS = 3_000;

/**
 * The operating system's keyring, or null where there is none that keeps a secret. On Linux that is the Secret Service
 * alone: without it the native module would quietly use the kernel's keyring, which forgets.
 */
export async function openKeyring({
  env,
  platform,
}: Pick<Surroundings, 'env' | 'platform'>): Promise<SecretStore | null> {
  if (platform === 'linux' && !hasSessionBus(env)) return null;
  const keytar = startKeytar({ env });
  if (keytar === null) return null;
  if (platform === 'linux') {
    // findCredentials asks the Secret Service only, so an answer proves that there is one.
    const found = await withinLimit(keytar.findCredentials(SERVICE)).catch(() => null);
    if (found === null) {
      keytar.stop?.();
      return null;
    }
  }
  return createKeyringStore(keytar);
}

const hasSessionBus = (env: Surroundings['env']) =>
  Boolean(env.DBUS_SESSION_BUS_ADDRESS) ||
  (Boolean(env.XDG_RUNTIME_DIR) && existsSync(join(env.XDG_RUNTIME_DIR ?? '', 'bus')));

/** A SecretStore over keytar's functions; each call throws `keyring_failed` after 3 s, or when the keyring refuses. */
export function createKeyringStore(keytar: Keytar, limitMs = LIMIT_MS): SecretStore {
  const ask = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await withinLimit(answer, limitMs);
    } catch {
      keytar.stop?.();
      // The keyring's own message may repeat what it was given, so it is not even kept as a cause.
      throw new PangolinError('keyring_failed', 'The keyring did not answer, or refused', {
        hint: 'Unlock it and try again, or keep logins in a file: PANGOLIN_CREDENTIAL_STORE=file',
      });
    }
  };
  return {
    kind: 'keyring',
    location: 'the keyring',
    read: (account) => ask(keytar.getPassword(SERVICE, account)),
    async write(account, secret) {
      await ask(keytar.setPassword(SERVICE, account, secret));
      if ((await ask(keytar.getPassword(SERVICE, account))) === secret) return;
      throw new PangolinError('keyring_failed', 'The keyring did not keep what it was given', {
        hint: 'Keep logins in a file: PANGOLIN_CREDENTIAL_STORE=file',
      });
    },
    accounts: async () => (await ask(keytar.findCredentials(SERVICE))).map(({ account }) => account),
    delete: (account) => ask(keytar.deletePassword(SERVICE, account)),
  };
}

async function withinLimit<T>(answer: Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), limitMs);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}
