import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { configFolder as configFolderOf } from '../../packages/shared/src/config/paths.ts';
import { user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const configFolder = () => configFolderOf({ env: {}, platform: process.platform, homeDir: home.folder });
const config = (argv: string[], options?: CliOptions) => home.run(user, ['config', ...argv], options);

describe('config', () => {
  test('sets, shows, lists and chooses profiles', async () => {
    const set = await config(['set', 'url', 'https://one.example.com', '--profile', 'one']);
    expect(set).toEqual({ stdout: '', stderr: 'Set url of profile one.\n', code: 0 });
    await config(['set', 'url', 'https://two.example.com', '--profile', 'prod.eu']);
    await config(['set', 'username', 'ada', '--profile', 'prod.eu']);
    await config(['set', 'insecure_http', 'true', '--profile', 'prod.eu']);
    expect(await config(['get', 'username', '--profile', 'prod.eu'])).toEqual({ stdout: 'ada\n', stderr: '', code: 0 });
    expect(await config(['list'])).toEqual({
      stdout: 'one\ttrue\thttps://one.example.com\t\t\nprod.eu\tfalse\thttps://two.example.com\tada\t\n',
      stderr: '',
      code: 0,
    });
    const use = await config(['use', 'prod.eu', '--json']);
    expect(use).toEqual({ stdout: '{"current":"prod.eu"}\n', stderr: '', code: 0 });
    expect((await config(['get', 'url'])).stdout).toBe('https://two.example.com\n');
    const table = await config(['list'], { terminal: true });
    expect(table.stdout).toMatch(/^NAME +CURRENT +URL +USERNAME +TENANT\n/);
    expect(JSON.parse((await config(['list', '--json'])).stdout)).toMatchObject([
      { name: 'one', current: false },
      { name: 'prod.eu', current: true, insecure_http: true },
    ]);
    expect(JSON.parse((await config(['get', 'url', '--json'])).stdout)).toEqual({
      profile: 'prod.eu',
      url: 'https://two.example.com',
    });
  });

  test('says what to type when there is no profile', async () => {
    const { stdout, stderr, code } = await config(['list']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(stderr).toContain('pangolin-user login --url URL');
  });

  test('imports a settings file', async () => {
    const file = join(home.folder, 'featurestore.config');
    await writeFile(file, 'url=https://features.example.com\n');
    const { stdout, stderr, code } = await config(['import', file, '--profile', 'features', '--json']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toEqual({ name: 'features', url: 'https://features.example.com' });
    const missing = await config(['import', join(home.folder, 'none')]);
    expect({ stdout: missing.stdout, code: missing.code }).toEqual({ stdout: '', code: 2 });
  });

  test('imports a token whose claims nobody could have meant, without believing them', async () => {
    const file = join(home.folder, 'hostile.config');
    const claims = (more: object) => `e30.${Buffer.from(JSON.stringify(more)).toString('base64url')}.x`;
    for (const [name, exp] of [1e300, -1e300, 8.64e15].entries()) {
      const token = claims({ exp, username: 'ada\u001b[2J\n::x' });
      await writeFile(file, `url=https://features.example.com\ntoken=${token}\n`);
      const argv = ['import', file, '--profile', `p${name}`, '--json'];
      const { stdout, stderr, code } = await config(argv);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(JSON.parse(stdout)).toEqual({ name: `p${name}`, url: 'https://features.example.com' });
    }
    const kept = await readFile(join(configFolder(), 'credentials.json'), 'utf8');
    expect(Object.keys(JSON.parse(kept).logins)).toHaveLength(3);
  });

  test('an import that cannot be finished leaves neither profile nor token behind', async () => {
    const file = join(home.folder, 'x.config');
    await writeFile(file, 'url=https://features.example.com\ntoken=a.b.c\n');
    const misnamed = await config(['import', file, '--profile', 'no/name']);
    expect({ stdout: misnamed.stdout, code: misnamed.code }).toEqual({ stdout: '', code: 2 });
    expect(await readdir(home.folder)).toEqual(['x.config']);
    await mkdir(configFolder(), { recursive: true });
    await writeFile(join(configFolder(), 'credentials.json'), '{', { mode: 0o600 });
    const unkept = await config(['import', file]);
    expect({ stdout: unkept.stdout, code: unkept.code }).toEqual({ stdout: '', code: 1 });
    expect(await readdir(configFolder())).toEqual(['credentials.json']);
  });

  test('shows a setting on one harmless line', async () => {
    await config(['set', 'url', 'https://one.example.com']);
    await config(['set', 'username', 'a\u001b[2J\nb']);
    expect((await config(['get', 'username'])).stdout).toBe('a\\u{1b}[2J\\nb\n');
  });

  test.each([
    [['get', 'url'], 1],
    [['set', 'username', 'ada'], 1],
    [['use', 'nowhere'], 1],
    [['set', 'url', 'ftp://x'], 2],
    [['set', 'url', ''], 2],
    [['set', 'tenant_id', 'mine'], 2],
    [['set', 'insecure_http', 'yes'], 2],
    [['set', 'colour', 'red'], 2],
    [['get'], 2],
    [['frobnicate'], 2],
    [[], 2],
  ])('refuses %j with exit %i', async (argv, expected) => {
    const { stdout, stderr, code } = await config(argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: expected });
    expect(stderr).toMatch(/^Error: /);
  });
});
