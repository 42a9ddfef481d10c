import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configFolder } from '../../../packages/shared/src/config/paths.ts';
import { createFileStore } from '../../../packages/shared/src/credentials/file-store.ts';
import { createKeyringStore, openKeyring } from '../../../packages/shared/src/credentials/keyring.ts';
import type { Keytar } from '../../../packages/shared/src/credentials/keytar-process.ts';
import { openLoginStore, type StoredLogin } from '../../../packages/shared/src/credentials/store.ts';
import { createSurroundings } from '../surroundings.ts';

const loginAt = (origin: string, token: string): StoredLogin => ({
  origin,
  token,
  expires_at: null,
  username: 'ada',
  tenant_id: null,
});

describe('the credentials file', () => {
  test('is readable by its owner alone, and keeps nothing else beside it', async () => {
    const { homeDir } = await createSurroundings();
    const store = createFileStore(homeDir, 'linux');
    await store.write('a', 'secret');
    expect(await store.read('a')).toBe('secret');
    expect((await stat(store.location)).mode & 0o777).toBe(0o600);
    expect(await readdir(homeDir)).toEqual(['credentials.json']);
    expect(await store.delete('a')).toBe(true);
    expect(await store.delete('a')).toBe(false);
    expect(await readFile(store.location, 'utf8')).not.toContain('secret');
  });

  test('that others can read is refused, saying how to close it', async () => {
    const { homeDir } = await createSurroundings();
    const store = createFileStore(homeDir, 'linux');
    await store.write('a', 'secret');
    await chmod(store.location, 0o644);
    await expect(store.read('a')).rejects.toMatchObject({
      code: 'settings_unreadable',
      hint: expect.stringContaining('chmod 600'),
    });
  });

  test.each(['{"logins": {"a": 1}}', '{"secret', '[]', 'null'])(
    'that is damaged (%s) is an error, never "logged out"',
    async (text) => {
      const { homeDir } = await createSurroundings();
      await writeFile(join(homeDir, 'credentials.json'), text, { mode: 0o600 });
      const error = await createFileStore(homeDir, 'linux')
        .read('a')
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'settings_unreadable', message: expect.stringContaining(homeDir) });
      expect(error).not.toHaveProperty('cause');
    },
  );

  test('written by many at once loses nothing', async () => {
    const { homeDir } = await createSurroundings();
    const accounts = Array.from({ length: 12 }, (_one, number) => `a${number}`);
    await Promise.all(accounts.map((account) => createFileStore(homeDir, 'linux').write(account, account)));
    const store = createFileStore(homeDir, 'linux');
    expect(await Promise.all(accounts.map((account) => store.read(account)))).toEqual(accounts);
  });
});

describe('logins', () => {
  test('of two profiles on one host do not overwrite each other, and each is bound to its origin', async () => {
    const surroundings = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'file' });
    const store = openLoginStore(surroundings);
    await store.write('ada', loginAt('https://a.example', 'token-of-ada'));
    await store.write('bob', loginAt('https://a.example', 'token-of-bob'));
    expect((await store.read('ada', 'https://a.example'))?.login.token).toBe('token-of-ada');
    expect((await store.read('bob', 'https://a.example'))?.login.token).toBe('token-of-bob');
    expect(await store.read('ada', 'https://evil.example')).toBeNull();
  });

  test('go into the file where there is no keyring, and it says so', async () => {
    const surroundings = await createSurroundings();
    const stored = await openLoginStore(surroundings).write('a', loginAt('https://a.example', 't'));
    expect(stored).toMatchObject({ kind: 'file', location: join(configFolder(surroundings), 'credentials.json') });
  });

  test('PANGOLIN_CREDENTIAL_STORE decides by hand', async () => {
    const none = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'none' });
    expect(await openLoginStore(none).write('a', loginAt('https://a.example', 't'))).toMatchObject({ kind: 'none' });
    await expect(stat(configFolder(none))).rejects.toMatchObject({ code: 'ENOENT' });
    const keyring = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'keyring' });
    await expect(openLoginStore(keyring).read('a', 'https://a.example')).rejects.toMatchObject({
      code: 'keyring_failed',
    });
    const other = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'vault' });
    expect(() => openLoginStore(other)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('the keyring', () => {
  const memory = (change: Partial<Keytar> = {}): Keytar => {
    const kept = new Map<string, string>();
    return {
      getPassword: async (_service, account) => kept.get(account) ?? null,
      setPassword: async (_service, account, password) => void kept.set(account, password),
      deletePassword: async (_service, account) => kept.delete(account),
      findCredentials: async () => [...kept.keys()].map((account) => ({ account })),
      ...change,
    };
  };

  test('is not there on Linux without a session bus', async () => {
    expect(await openKeyring({ env: {}, platform: 'linux' })).toBeNull();
  });

  test('keeps, reads and forgets', async () => {
    const store = createKeyringStore(memory());
    await store.write('a', 'secret');
    expect(await store.read('a')).toBe('secret');
    expect(await store.accounts()).toEqual(['a']);
    expect(await store.delete('a')).toBe(true);
    expect(await store.read('a')).toBeNull();
    expect(await store.accounts()).toEqual([]);
  });

  test('that does not answer is keyring_failed after its limit', async () => {
    const store = createKeyringStore(memory({ getPassword: () => new Promise(() => undefined) }), 30);
    await expect(store.read('a')).rejects.toMatchObject({ code: 'keyring_failed' });
  });

  test('that forgets what it was given is found out', async () => {
    const store = createKeyringStore(memory({ setPassword: async () => undefined }));
    await expect(store.write('a', 'secret')).rejects.toMatchObject({ code: 'keyring_failed' });
  });

  test('that fails with a secret in its message does not pass it on', async () => {
    const store = createKeyringStore(
      memory({ setPassword: async (_s, _a, password) => Promise.reject(new Error(`cannot keep ${password}`)) }),
    );
    const error = await store.write('a', 'secret').catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'keyring_failed' });
    expect(JSON.stringify(error) + String(error)).not.toContain('secret');
    expect(error).not.toHaveProperty('cause');
  });
});
