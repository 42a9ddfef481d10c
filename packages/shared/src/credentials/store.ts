import type { Surroundings } from '../client/connect-types.ts';
import { configFolder } from '../config/paths.ts';
import { PangolinError } from '../errors.ts';
import { createFileStore } from './file-store.ts';
import { openKeyring } from './keyring.ts';
import type { SecretStore } from './secret-store.ts';

/** A session as it is kept: bound to the origin it was made at. */
export interface StoredLogin {
  origin: string;
  token: string;
  expires_at: string | null;
  username: string | null;
  tenant_id: string | null;
}

/** Logins of profiles. Throws `keyring_failed`, `settings_unreadable`. */
export interface LoginStore {
  /** The login of a profile at an origin, and which store holds it. */
  read(profile: string, origin: string): Promise<{ login: StoredLogin; kind: 'keyring' | 'file' } | null>;
  /** Every login there is, whatever the settings now say of its profile. */
  list(): Promise<Array<{ profile: string; origin: string }>>;
  /** Answers where it was written, so that a file can be announced. */
  write(profile: string, login: StoredLogin): Promise<Pick<SecretStore, 'kind' | 'location'>>;
  delete(profile: string, origin: string): Promise<boolean>;
}

type StoreSurroundings = Pick<Surroundings, 'env' | 'platform' | 'homeDir'>;

const accountOf = (profile: string, origin: string) => `${profile} ${origin}`;

/**
 * Chooses where logins rest: `PANGOLIN_CREDENTIAL_STORE=keyring|file|none`, else the keyring, else a 0600 file.
 * Throws `invalid_argument` for another word, `keyring_failed` where a keyring is demanded and there is none.
 */
export function openLoginStore(surroundings: StoreSurroundings): LoginStore {
  const choice = readChoice(surroundings.env.PANGOLIN_CREDENTIAL_STORE);
  const file =
    choice === 'auto' || choice === 'file' ? createFileStore(configFolder(surroundings), surroundings.platform) : null;
  let opened: Promise<SecretStore | null> | undefined;

  function keyring(): Promise<SecretStore | null> {
    if (choice === 'file' || choice === 'none') return Promise.resolve(null);
    opened ??= openKeyring(surroundings);
    return opened;
  }

  async function demandKeyring(): Promise<SecretStore | null> {
    const store = await keyring();
    if (store !== null || choice !== 'keyring') return store;
    throw new PangolinError('keyring_failed', 'There is no keyring here that keeps a secret', {
      hint: 'Keep logins in a file instead: PANGOLIN_CREDENTIAL_STORE=file',
    });
  }

  return {
    async read(profile, origin) {
      const account = accountOf(profile, origin);
      // The file first: it answers at once, and only one of the two ever holds a login.
      for (const store of [file, () => demandKeyring()]) {
        const open = typeof store === 'function' ? await store() : store;
        const secret = open && (await open.read(account));
        if (!open || !secret) continue;
        const login = parseLogin(secret, open.location);
        if (login.origin === origin) return { login, kind: open.kind === 'file' ? 'file' : 'keyring' };
      }
      return null;
    },

    async list() {
      const ring = await demandKeyring();
      const accounts = new Set([...((await file?.accounts()) ?? []), ...((await ring?.accounts()) ?? [])]);
      return [...accounts].flatMap((account) => {
        const [profile, origin] = account.split(' ');
        return profile && origin ? [{ profile, origin }] : [];
      });
    },

    async write(profile, login) {
      const account = accountOf(profile, login.origin);
      const secret = JSON.stringify(login);
      const ring = await demandKeyring();
      if (ring !== null) {
        await ring.write(account, secret);
        await file?.delete(account);
        return ring;
      }
      if (file === null) return { kind: 'none', location: 'nowhere' };
      await file.write(account, secret);
      return file;
    },

    async delete(profile, origin) {
      const account = accountOf(profile, origin);
      const inFile = (await file?.delete(account)) ?? false;
      const inKeyring = (await (await keyring())?.delete(account)) ?? false;
      return inFile || inKeyring;
    },
  };
}

function readChoice(value: string | undefined): 'auto' | 'keyring' | 'file' | 'none' {
  if (value === undefined) return 'auto';
  if (value === 'keyring' || value === 'file' || value === 'none') return value;
  throw new PangolinError('invalid_argument', 'PANGOLIN_CREDENTIAL_STORE must be keyring, file or none');
}

function parseLogin(secret: string, location: string): StoredLogin {
  try {
    const login: unknown = JSON.parse(secret);
    if (isStoredLogin(login)) return login;
  } catch {
    // Falls through: what could not be parsed holds a secret, so its error is not kept.
  }
  throw new PangolinError('settings_unreadable', `A login kept in ${location} is damaged`, {
    hint: 'Log in again: pangolin-user login',
  });
}

const isStoredLogin = (value: unknown): value is StoredLogin =>
  value !== null &&
  typeof value === 'object' &&
  'origin' in value &&
  typeof value.origin === 'string' &&
  'token' in value &&
  typeof value.token === 'string';
