import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { JWT, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
const listAll = async () => JSON.parse((await home.run(user, ['list-tokens', '--all', '--json'])).stdout);

describe('get-token', () => {
  test('prints in a pipe the token, a newline and nothing else, from an empty folder', async () => {
    const { stdout, stderr, code } = await home.run(user, ['get-token']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout.endsWith('\n')).toBe(true);
    expect(stdout.slice(0, -1)).toMatch(JWT);
  });

  test('shows the box on a terminal, and says where the embedded data is', async () => {
    const { stdout, stderr, code } = await home.run(user, ['get-token'], { terminal: true });
    const rule = '━'.repeat(66);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.replace(/^(Token|Expires): .*/, '$1:'))).toEqual([
      '✅ Token generated successfully!',
      rule,
      'Token:',
      'Expires:',
      rule,
      '',
      '⚠️  Save this token securely. It will not be shown again.',
      '💡 Use this token with PyIceberg:',
      "   catalog = load_catalog('default', uri='http://localhost:8080/v1/default', token='<TOKEN>')",
      '',
    ]);
    expect(stderr).toContain(home.dataDir);
  });

  test('answers the whole object with --json, and nothing on stderr', async () => {
    const argv = ['get-token', '--json', '--name', 'nightly', '-d', 'two words', '--scope', 'catalog:read'];
    const { stdout, stderr, code } = await home.run(user, argv, { terminal: true });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'nightly',
      description: 'two words',
      scopes: ['catalog:read'],
      role: 'tenant-user',
      expiry_source: 'policy_default',
    });
  });

  test.each(['0', '-1', '1.5', 'NaN', '', '10y', '0d', '1e3'])(
    'refuses the lifetime %j, naming what is accepted',
    async (lifetime) => {
      const { stdout, stderr, code } = await home.run(user, ['get-token', `--expires-in=${lifetime}`]);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain('90d, 12h, 15m');
    },
  );

  test.each([
    ['90', 90 * 86_400],
    ['2d', 2 * 86_400],
    ['12h', 12 * 3600],
    ['15m', 15 * 60],
  ])('mints for %s what was asked', async (lifetime, seconds) => {
    const { stdout, code } = await home.run(user, ['get-token', '--expires-in', lifetime]);
    const { exp, iat } = payloadOf(stdout);
    expect({ code, seconds: exp - iat }).toEqual({ code: 0, seconds });
  });

  test('is refused by policy with exit 6 when it would live too long', async () => {
    const { stdout, stderr, code } = await home.run(user, ['get-token', '--expires-in', '9999']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 6 });
    expect(stderr).toContain('365');
  });

  test('refuses a role nobody has with exit 2', async () => {
    const { stdout, stderr, code } = await home.run(user, ['get-token', '--role', 'emperor']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('--role');
    expect(stderr).toContain('tenant-user, tenant-admin, root');
    expect(await readdir(home.folder)).toEqual([]);
  });

  test.each(['TenantAdmin', 'tenant_admin', 'tenant-admin', 'TENANT ADMIN'])('reads the role %j', async (role) => {
    const { stdout, code } = await home.run(user, ['get-token', '--role', role]);
    expect({ code, role: payloadOf(stdout).role }).toEqual({ code: 0, role: 'tenant-admin' });
  });

  test.each([
    'catalog',
    'catalog:read',
    'catalog:write:default',
    'catalog:read:default.sales',
    'catalog:read:default.sales.eu',
    'catalog:write:my%2Ecat.a%2Eb.gr%C3%B6%C3%9Fe%20x',
  ])('narrows the token to %s', async (scope) => {
    const { stdout, stderr, code } = await home.run(user, ['get-token', '--scope', scope]);
    const granted = scope === 'catalog' ? 'catalog:read catalog:write' : scope;
    expect({ stderr, code, scope: payloadOf(stdout).scope }).toEqual({ stderr: '', code: 0, scope: granted });
  });

  test.each(['catalogs:read', 'catalog:drop', 'catalog:read:', 'catalog:read:default.größe', 'catalog:read:a b'])(
    'refuses the scope %j, naming what is accepted',
    async (scope) => {
      const { stdout, stderr, code } = await home.run(user, ['get-token', '--scope', scope]);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain('catalog:read:default.sales');
    },
  );

  test('describes the place where it is minted', async () => {
    await home.run(user, ['get-token']);
    const env = { GITHUB_ACTIONS: 'true', GITHUB_REPOSITORY: 'o/r', GITHUB_WORKFLOW: 'CI', GITHUB_RUN_ID: '7' };
    await home.run(user, ['get-token'], { env });
    const descriptions = (await listAll()).map((token: { description: string }) => token.description);
    expect(descriptions.sort()).toEqual(['GitHub Actions o/r CI 7', 'ada@analytics-1']);
  });

  test.each([[[]], [['--quiet']], [['--json']]])('masks the token under GitHub Actions with %j', async (flags) => {
    const { stdout, stderr, code } = await home.run(user, ['get-token', ...flags], { env: { GITHUB_ACTIONS: 'true' } });
    const token = flags[0] === '--json' ? JSON.parse(stdout).token : stdout.trim();
    expect({ stderr, code }).toEqual({ stderr: `::add-mask::${token}\n`, code: 0 });
  });

  test('says where the embedded data is wherever CI is set, unless --quiet', async () => {
    const loud = await home.run(user, ['get-token'], { env: { CI: 'true' } });
    expect({ code: loud.code, named: loud.stderr.includes(home.dataDir) }).toEqual({ code: 0, named: true });
    const quiet = await home.run(user, ['get-token', '--quiet'], { env: { CI: 'true' } });
    expect({ code: quiet.code, stderr: quiet.stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each(['ENOSPC', 'EPIPE'])('revokes a token that could not be written (%s)', async (errno) => {
    const stdoutError = Object.assign(new Error('write failed'), { code: errno });
    const { stdout, stderr, code } = await home.run(user, ['get-token'], { stdoutError });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('revoked again');
    expect(await listAll()).toMatchObject([{ is_valid: false, revoked_at: expect.any(String) }]);
  });

  test('refuses a variable that is set but empty, and creates nothing', async () => {
    const { stdout, stderr, code } = await home.run(user, ['get-token'], { env: { PANGOLIN_URL: '' } });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('PANGOLIN_URL');
  });

  test('takes global options before and after its name', async () => {
    for (const argv of [
      ['--json', 'get-token'],
      ['get-token', '--json'],
    ]) {
      const { stdout, code } = await home.run(user, argv);
      expect({ code, token: JSON.parse(stdout).token }).toEqual({ code: 0, token: expect.stringMatching(JWT) });
    }
  });

  test('ends with 130 on SIGINT and 143 on SIGTERM, and shows no token', async () => {
    for (const [signal, expected] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const { stdout, code } = await home.run(user, ['get-token'], { onStart: (send) => send(signal) });
      expect({ stdout, code }).toEqual({ stdout: '', code: expected });
    }
  });

  test('leaves no valid token behind that was not shown, whenever it is interrupted', async () => {
    await home.run(user, ['get-token']);
    const shown = new Set<string>();
    for (let delayMs = 0; delayMs < 40; delayMs += 2) {
      const onStart = (send: (signal: 'SIGTERM') => void) => void setTimeout(() => send('SIGTERM'), delayMs);
      const { stdout } = await home.run(user, ['get-token', '-d', 'interrupted'], { onStart });
      if (stdout !== '') shown.add(payloadOf(stdout).jti);
    }
    const valid = (await listAll()).filter(
      (token: { is_valid: boolean; description: string }) => token.is_valid && token.description === 'interrupted',
    );
    expect(new Set(valid.map((token: { id: string }) => token.id))).toEqual(shown);
  });
});
