import { mkdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importSettings } from '../../../packages/shared/src/config/import-settings.ts';
import { withLock } from '../../../packages/shared/src/config/lock.ts';
import { configFolder, dataFolder } from '../../../packages/shared/src/config/paths.ts';
import {
  readSettings,
  removeProfile,
  settingsFile,
  useProfile,
  writeProfile,
} from '../../../packages/shared/src/config/profiles.ts';
import { openLoginStore } from '../../../packages/shared/src/credentials/store.ts';
import { createSurroundings } from '../surroundings.ts';

const A = { url: 'https://a.example' };

describe('folders', () => {
  const at = (platform: NodeJS.Platform, homeDir: string, env: Record<string, string> = {}) => {
    const surroundings = { platform, homeDir, env };
    return [configFolder(surroundings), dataFolder(surroundings)];
  };

  test('are those of the platform', () => {
    expect(at('linux', '/home/ada')).toEqual(['/home/ada/.config/pangolin', '/home/ada/.local/share/pangolin']);
    expect(at('darwin', '/Users/ada')).toEqual([
      '/Users/ada/Library/Preferences/pangolin',
      '/Users/ada/Library/Application Support/pangolin',
    ]);
    expect(at('win32', 'C:\\Users\\ada')).toEqual([
      'C:\\Users\\ada\\AppData\\Roaming\\pangolin\\Config',
      'C:\\Users\\ada\\AppData\\Local\\pangolin\\Data',
    ]);
  });

  test('follow XDG variables when they are absolute, and Pangolin variables first', () => {
    const xdg = { XDG_CONFIG_HOME: '/c', XDG_DATA_HOME: 'relative' };
    expect(at('linux', '/home/ada', xdg)).toEqual(['/c/pangolin', '/home/ada/.local/share/pangolin']);
    expect(at('linux', '/home/ada', { ...xdg, PANGOLIN_CONFIG_DIR: '/p', PANGOLIN_DATA_DIR: '/d' })).toEqual([
      '/p',
      '/d',
    ]);
  });
});

describe('profiles', () => {
  test('no settings file is no profiles, and reading creates nothing', async () => {
    const surroundings = await createSurroundings();
    expect(await readSettings(surroundings)).toEqual({ current: null, profiles: new Map() });
    await expect(stat(configFolder(surroundings))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('are kept with their dots, in a file only their owner can read, and the first becomes the current one', async () => {
    const surroundings = await createSurroundings();
    await writeProfile(surroundings, 'prod.eu', { ...A, username: 'ada' });
    await writeProfile(surroundings, 'prod', { url: 'https://b.example' });
    const settings = await readSettings(surroundings);
    expect(settings.current).toBe('prod.eu');
    expect([...settings.profiles]).toEqual([
      ['prod.eu', { ...A, username: 'ada' }],
      ['prod', { url: 'https://b.example' }],
    ]);
    expect((await stat(settingsFile(surroundings))).mode & 0o777).toBe(0o600);
    expect((await stat(configFolder(surroundings))).mode & 0o777).toBe(0o700);
  });

  test('can be chosen and removed; an unknown one is not found, naming those there are', async () => {
    const surroundings = await createSurroundings();
    await writeProfile(surroundings, 'a', A);
    await writeProfile(surroundings, 'b', A);
    await useProfile(surroundings, 'b');
    expect((await readSettings(surroundings)).current).toBe('b');
    await removeProfile(surroundings, 'b');
    expect((await readSettings(surroundings)).current).toBeNull();
    await expect(useProfile(surroundings, 'constructor')).rejects.toMatchObject({
      code: 'not_found',
      hint: 'There are: a',
    });
    await expect(writeProfile(surroundings, '__proto__', A)).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test.each(['{ not json', '[]', '{"profiles":{"a":{"url":7}}}'])(
    'a damaged settings file (%s) is an error that names it and is not overwritten',
    async (text) => {
      const surroundings = await createSurroundings();
      const file = settingsFile(surroundings);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      const refused = { code: 'settings_unreadable', message: expect.stringContaining(file) };
      await expect(readSettings(surroundings)).rejects.toMatchObject(refused);
      await expect(writeProfile(surroundings, 'a', A)).rejects.toMatchObject(refused);
      expect(await readFile(file, 'utf8')).toBe(text);
    },
  );

  test('written by many at once, none is lost', async () => {
    const surroundings = await createSurroundings();
    const names = Array.from({ length: 12 }, (_one, number) => `p${number}`);
    await Promise.all(names.map((name) => writeProfile(surroundings, name, A)));
    expect([...(await readSettings(surroundings)).profiles.keys()].sort()).toEqual(names.sort());
  });
});

describe('the lock', () => {
  test('of a process that died is taken over when it is old, and only then', async () => {
    const { homeDir } = await createSurroundings();
    const lock = join(homeDir, '.lock');
    await writeFile(lock, '');
    const before = new Date(Date.now() - 11_000);
    await utimes(lock, before, before);
    expect(await withLock(homeDir, async () => 'done')).toBe('done');
    await expect(stat(lock)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('in a folder that cannot be written is settings_unreadable, naming the folder', async () => {
    const { homeDir } = await createSurroundings();
    const file = join(homeDir, 'file');
    await writeFile(file, '');
    await expect(withLock(join(file, 'inside'), async () => 'done')).rejects.toMatchObject({
      code: 'settings_unreadable',
      message: expect.stringContaining(file),
    });
  });
});

describe('importing a key=value file', () => {
  test('makes a profile of its server, and keeps its token apart from the settings', async () => {
    const surroundings = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'file' });
    const file = join(surroundings.homeDir, '.featurestore.config');
    await writeFile(file, '# features\n[default]\nurl = "https://features.example"\ntoken=abc.def.ghi\nother=1\n');
    expect(await importSettings(surroundings, file)).toMatchObject({
      name: 'features.example',
      profile: { url: 'https://features.example' },
      stored: { kind: 'file' },
    });
    expect(await readFile(settingsFile(surroundings), 'utf8')).not.toContain('abc.def.ghi');
    const kept = await openLoginStore(surroundings).read('features.example', 'https://features.example');
    expect(kept?.login.token).toBe('abc.def.ghi');
    await expect(importSettings(surroundings, file, 'features.example')).rejects.toMatchObject({ code: 'conflict' });
  });

  test('without a server is refused', async () => {
    const surroundings = await createSurroundings();
    const file = join(surroundings.homeDir, 'x');
    await writeFile(file, 'token=abc\n');
    await expect(importSettings(surroundings, file)).rejects.toMatchObject({ code: 'invalid_argument' });
  });
});
