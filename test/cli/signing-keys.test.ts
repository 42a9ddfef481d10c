import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { admin, UUID, user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';
import { startServe } from './start-serve.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
  await home.run(user, ['get-token', '--expires-in', '30']);
});
afterEach(() => home.remove());

const run = (command: string, options?: CliOptions, ...argv: string[]) => home.run(admin, [command, ...argv], options);
const TIME = /\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z/.source;
const KEY = Buffer.alloc(32, 0xfb).toString('base64');

describe('list-signing-keys', () => {
  test('shows the keys, newest first, in a table, in lines and as JSON', async () => {
    await run('rotate-signing-key');
    const table = await run('list-signing-keys', { terminal: true });
    expect(table.code).toBe(0);
    const [heading = '', ...rows] = table.stdout.trimEnd().split('\n');
    expect(heading.split(/ {2,}/)).toEqual([
      'KID',
      'STATE',
      'CREATED',
      'ACTIVATED',
      'RETIRED',
      'VERIFIES UNTIL',
      'AUDIT',
    ]);
    expect(rows.map((row) => row.split(/ {2,}/)[1]).sort()).toEqual(['active', 'next', 'retired']);
    const piped = await run('list-signing-keys');
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    const lines = piped.stdout.trimEnd().split('\n');
    expect(lines.find((line) => line.includes('\tretired\t'))).toMatch(
      new RegExp(`^${UUID.source}\\tretired\\tES256(?:\\t${TIME}){4}\\tfalse$`),
    );
    const json = await run('list-signing-keys', {}, '--json');
    expect(JSON.parse(json.stdout)).toHaveLength(3);
    expect(json.stdout).not.toContain('private');
  });

  test('takes no arguments', async () => {
    const { stdout, code } = await run('list-signing-keys', {}, 'all');
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
  });
});

describe('rotate-signing-key', () => {
  test('tells what becomes of the tokens that there are', async () => {
    const before = (await run('list-signing-keys')).stdout.split('\n');
    const [active = ''] = before.find((line) => line.includes('\tactive\t'))?.split('\t') ?? [];
    const { stdout, stderr, code } = await run('rotate-signing-key');
    expect(code).toBe(0);
    expect(stderr).toContain(`Nothing is invalidated: tokens signed by ${active} verify until 20`);
    expect(stdout).toMatch(new RegExp(`^active\\t${UUID.source}\\nnext\\t${UUID.source}\\nretired\\t${active}\\n`));
    expect(stdout).toMatch(new RegExp(`verify_until\\t${TIME}\\n$`));
  });

  test('warns where copies of the published keys may not have the new one yet, and is quiet when told so', async () => {
    const first = await run('rotate-signing-key', { terminal: true });
    expect(first.stderr).toContain('was published less than 5 minutes ago');
    expect(first.stdout).toMatch(/^active {2,}/);
    const json = await run('rotate-signing-key', {}, '--json', '--quiet');
    expect({ stderr: json.stderr, code: json.code }).toEqual({ stderr: '', code: 0 });
    expect(Object.keys(JSON.parse(json.stdout))).toEqual(['retired', 'active', 'next']);
  });

  test('says so when a token without expiry keeps the retired key for ever', async () => {
    await run('update-settings', {}, '--allow-non-expiring-tokens', 'true');
    const endless = await home.run(user, ['get-token', '--expires-in', 'never']);
    expect(endless.code, endless.stderr).toBe(0);
    const { stdout, stderr } = await run('rotate-signing-key');
    expect(stderr).toContain('verify without end');
    expect(stdout).toMatch(/verify_until\t\n$/);
    expect((await run('list-signing-keys', { terminal: true })).stdout).toMatch(/ retired .* no end /);
  });

  test('refuses an option it does not know', async () => {
    const { stdout, code } = await run('rotate-signing-key', {}, '--force');
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
  });
});

describe('rotate-master-key', () => {
  const readKey = () => readFile(join(home.dataDir, 'master.key'), 'utf8');

  test('replaces the key in the data directory and tells what that means', async () => {
    const before = await readKey();
    const shown = await run('rotate-master-key', { terminal: true });
    expect(shown.code).toBe(0);
    expect(shown.stderr).toContain('the old one is gone');
    expect(shown.stderr).toContain('Nothing is invalidated');
    expect(shown.stdout).toMatch(/^source {2,}data-directory\nreplaced {2,}true\nresealed {2,}2\n$/);
    expect(await readKey()).not.toBe(before);
    const piped = await run('rotate-master-key');
    expect(piped.stdout).toBe('source\tdata-directory\nreplaced\ttrue\nresealed\t2\n');
    const json = await run('rotate-master-key', {}, '--json');
    expect(JSON.parse(json.stdout)).toEqual({ source: 'data-directory', replaced: true, resealed: 2 });
    for (const { stdout, stderr } of [shown, piped, json])
      expect(stdout + stderr).not.toContain((await readKey()).trim());
  });

  test('goes on beside a running server, which signs with the key that was sealed anew', async () => {
    const server = await startServe(home);
    for (let i = 0; i < 2; i += 1) {
      expect((await run('rotate-master-key')).code).toBe(0);
      expect((await run('rotate-signing-key')).code).toBe(0);
      const token = (await home.run(user, ['get-token', '--role', 'root'])).stdout.trim();
      const answer = await fetch(`${server.url}/api/v1/tokens`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: '{}',
      });
      expect(answer.status).toBe(200);
    }
    await server.stop();
  });

  test('with the key in a variable says how to go about it, and then seals with the first of two', async () => {
    const own = (await readKey()).trim();
    const one = await run('rotate-master-key', { env: { PANGOLIN_MASTER_KEY: own } });
    expect({ stdout: one.stdout, code: one.code }).toEqual({ stdout: '', code: 1 });
    expect(one.stderr).toContain('openssl rand -base64 32');
    const two = await run('rotate-master-key', { env: { PANGOLIN_MASTER_KEY: `${KEY},${own}` } });
    expect(two.stdout).toBe('source\tPANGOLIN_MASTER_KEY\nreplaced\tfalse\nresealed\t2\n');
    expect(two.stderr).toContain('Take the other one out');
    expect((await run('list-signing-keys', { env: { PANGOLIN_MASTER_KEY: KEY } })).code).toBe(0);
    const without = await run('list-signing-keys');
    expect({ stdout: without.stdout, code: without.code }).toEqual({ stdout: '', code: 1 });
    expect(without.stderr).toContain('does not open this database');
  });

  test.each(['PANGOLIN_MASTER_KEY', 'PANGOLIN_MASTER_KEY_FILE'])(
    'refuses %s when it is set but empty',
    async (name) => {
      const { stdout, stderr, code } = await run('rotate-master-key', { env: { [name]: '' } });
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain(`${name} is set but empty`);
    },
  );
});

test('serve and the embedded commands take the master key from the environment', async () => {
  const fresh = await openHome();
  const env = { PANGOLIN_MASTER_KEY: KEY };
  const { stdout: token } = await fresh.run(user, ['get-token'], { env });
  expect((await readdir(fresh.dataDir)).filter((name) => name.includes('master'))).toEqual([]);
  const bare = await fresh.run(admin, ['serve', '--port', '0']);
  expect({ stdout: bare.stdout, code: bare.code }).toEqual({ stdout: '', code: 1 });
  expect(bare.stderr).toContain('master.key is missing');
  const server = await startServe(fresh, { env });
  const answer = await fetch(`${server.url}/api/v1/users/me`, { headers: { authorization: `Bearer ${token.trim()}` } });
  expect(answer.status).toBe(200);
  await server.stop();
  await fresh.remove();
});
