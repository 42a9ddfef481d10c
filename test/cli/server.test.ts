import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { admin, JWT, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';
import { startServe } from './start-serve.ts';

const PASSWORD = 'correct horse battery';

describe('serve', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'says where it listens and stops gracefully on %s with exit 0',
    async (signal) => {
      const home = await openHome();
      const server = await startServe(home);
      expect(JSON.parse(server.line)).toEqual({
        url: expect.stringMatching(/^http:\/\/localhost:\d+$/),
        addresses: expect.any(Array),
        data_dir: home.dataDir,
        auth_enabled: true,
      });
      expect((await fetch(`${server.url}/health`)).status).toBe(200);
      expect(await server.stop(signal)).toEqual({ stdout: server.line, stderr: '', code: 0 });
      await expect(fetch(`${server.url}/health`)).rejects.toThrow();
      await home.remove();
    },
  );

  test('serves the tokens that were minted before it started', async () => {
    const home = await openHome();
    const token = (await home.run(user, ['get-token'])).stdout.trim();
    const server = await startServe(home);
    const answer = await fetch(`${server.url}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    await server.stop();
    await home.remove();
  });

  test.each([
    [['--port', '65536'], 'a port from 0 to 65535'],
    [['--port', '-1'], 'a port from 0 to 65535'],
    [['--port', 'http'], 'a port from 0 to 65535'],
    [['--host', '0.0.0.0'], '--tls-cert'],
    [['--public-url', 'pangolin'], 'a URL such as'],
    [['--data-dir', ''], 'empty'],
    [['--tls-cert', 'tls.crt'], '--tls-key (or PANGOLIN_TLS_KEY) is missing'],
    [['--tls-key', 'tls.key'], '--tls-cert (or PANGOLIN_TLS_CERT) is missing'],
    [['--tls-cert', '/nowhere/tls.crt', '--tls-key', '/nowhere/tls.key'], 'does not exist'],
    [['--trusted-proxy', '10.0.0.0/33'], '10.0.0.0/8 or 2001:db8::/32'],
    [['--trusted-proxy', 'proxy.example.com'], '10.0.0.0/8 or 2001:db8::/32'],
    [['--trusted-proxy', '10.0.0.7/8'], 'the network is 10.0.0.0/8'],
    [['--metrics-allow', ''], 'empty'],
    [['--log-level', 'chatty'], 'error, warn, info, debug'],
    [['--failure-limit', '0'], 'from 1'],
    [['--shutdown-delay', '1.5'], 'from 0 to 300'],
  ])('refuses %j with exit 2', async (argv, message) => {
    const home = await openHome();
    const { stdout, stderr, code } = await home.run(admin, ['serve', '--quiet', ...argv]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toContain(message);
    await home.remove();
  });

  test.each([
    ['PANGOLIN_PORT', 'http'],
    ['PANGOLIN_PORT', ''],
    ['PANGOLIN_HOST', '0.0.0.0'],
    ['PANGOLIN_PUBLIC_URL', 'pangolin'],
    ['PANGOLIN_TLS_CERT', 'tls.crt'],
    ['PANGOLIN_TRUSTED_PROXIES', '10.0.0.0/8, nonsense'],
    ['PANGOLIN_METRICS_ALLOW', ' '],
    ['PANGOLIN_LOG_LEVEL', 'chatty'],
    ['PANGOLIN_FAILURE_LIMIT', '-1'],
    ['PANGOLIN_SHUTDOWN_DELAY', 'soon'],
    ['PANGOLIN_INSECURE_HTTP', 'yes'],
  ])('refuses %s=%j with exit 2', async (name, value) => {
    const home = await openHome();
    const { stdout, stderr, code } = await home.run(admin, ['serve', '--quiet'], { env: { [name]: value } });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
    if (name !== 'PANGOLIN_HOST' && name !== 'PANGOLIN_TLS_CERT') expect(stderr).toContain(name);
    await home.remove();
  });

  test('takes its settings from variables, behind its flags, and leaves Kubernetes its own', async () => {
    const home = await openHome();
    const env = {
      PANGOLIN_PORT: 'tcp://10.0.0.1:8080',
      PANGOLIN_PUBLIC_URL: 'https://pangolin.example.com',
      PANGOLIN_HOST: '127.0.0.1',
      PANGOLIN_TRUSTED_PROXIES: '10.0.0.0/8,::1',
      PANGOLIN_LOG_LEVEL: 'warn',
    };
    const server = await startServe(home, { env });
    const { url, addresses } = JSON.parse(server.line);
    expect({ url, addresses }).toEqual({
      url: 'https://pangolin.example.com',
      addresses: [expect.stringMatching(/^127\.0\.0\.1:\d+$/)],
    });
    await server.stop();
    await home.remove();
  });

  test('names every variable in its help, in groups', async () => {
    const home = await openHome();
    const { stdout, code } = await home.run(admin, ['serve', '--help']);
    expect(code).toBe(0);
    for (const group of [
      'Where it listens:',
      'TLS:',
      'Data:',
      'Proxies and limits:',
      'Operation:',
      'Authentication:',
    ]) {
      expect(stdout).toContain(`\n${group}\n`);
    }
    const own = stdout.slice(stdout.indexOf('Where it listens:'), stdout.indexOf('\nOptions:'));
    // Authentication is turned off by whoever starts the server, and by nothing that lies around.
    const flags = own.match(/^ {2}--(?!no-auth)/gm);
    expect(own.match(/\[PANGOLIN_[A-Z0-9_]+\]/g)?.length).toBe(flags?.length);
    await home.remove();
  });
});

describe('against a server', () => {
  let operator: Home;
  let server: Awaited<ReturnType<typeof startServe>>;
  let home: Home;

  beforeAll(async () => {
    operator = await openHome();
    server = await startServe(operator);
    await operator.run(admin, ['create-user', 'ada', '--password-stdin'], { stdin: PASSWORD });
    await operator.run(admin, ['create-user', 'grace', '--password-stdin'], { stdin: PASSWORD });
  });
  afterAll(async () => {
    await server.stop();
    await operator.remove();
  });
  beforeEach(async () => {
    home = await openHome();
  });
  afterEach(() => home.remove());

  const login = (argv: string[] = [], stdin = PASSWORD) =>
    home.run(user, ['login', '--url', server.url, '--username', 'ada', '--password-stdin', ...argv], { stdin });
  const mint = async (name: string) => {
    const env = { PANGOLIN_URL: server.url, PANGOLIN_USERNAME: name, PANGOLIN_PASSWORD: PASSWORD };
    return (await home.run(user, ['get-token'], { env })).stdout.trim();
  };

  test('login keeps the session in a private file where there is no keyring, and says so', async () => {
    const { stdout, stderr, code } = await login();
    expect(code).toBe(0);
    expect(stdout).toContain('username\tada\n');
    expect(stdout).not.toContain(PASSWORD);
    expect(stderr).toContain(home.folder);
    const minted = await home.run(user, ['get-token']);
    expect({ stderr: minted.stderr, code: minted.code }).toEqual({ stderr: '', code: 0 });
    expect(minted.stdout.trim()).toMatch(JWT);
    const who = await home.run(user, ['whoami', '--json']);
    expect(JSON.parse(who.stdout)).toMatchObject({ username: 'ada', source: 'credentials file', server: server.url });
  });

  test('login answers profile, user and expiry with --json, never the session', async () => {
    const { stdout, stderr, code } = await login(['--json', '--profile', 'work']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ profile: 'work', server: server.url, user: { username: 'ada' } });
    expect(stdout).not.toContain('eyJ');
  });

  test('login asks for name and password on a terminal', async () => {
    const options = { terminal: true, answers: ['ada', PASSWORD] };
    const { stdout, stderr, code } = await home.run(user, ['login', '--url', server.url], options);
    expect(code).toBe(0);
    expect(stdout).toMatch(/username +ada\n/);
    expect(stdout + stderr).not.toContain(PASSWORD);
  });

  test('login works with --password and warns', async () => {
    const argv = ['login', '--url', server.url, '--username', 'ada', '--password', PASSWORD];
    const { stdout, stderr, code } = await home.run(user, argv);
    expect({ code, named: stdout.includes('ada') }).toEqual({ code: 0, named: true });
    expect(stderr).toContain('--password-stdin');
  });

  test('login never asks where nobody can answer, and names the flag', async () => {
    for (const [argv, options, flag] of [
      [['login', '--url', server.url], {}, '--username'],
      [['login', '--url', server.url, '--username', 'ada'], {}, '--password-stdin'],
      [['login', '--url', server.url, '--no-input'], { terminal: true }, '--username'],
    ] as const) {
      const { stdout, stderr, code } = await home.run(user, [...argv], options);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain(flag);
    }
  });

  test('a wrong password is exit 3', async () => {
    const { stdout, stderr, code } = await login([], 'wrong password');
    expect({ stdout, code }).toEqual({ stdout: '', code: 3 });
    expect(stderr).toMatch(/^Error: /);
  });

  test('login without a server is refused', async () => {
    const { stdout, stderr, code } = await home.run(user, ['login', '--username', 'ada', '--password-stdin'], {
      stdin: PASSWORD,
    });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('--url');
  });

  test('logout ends the session, and a second one is exit 3', async () => {
    await login(['--profile', 'work']);
    const { stdout, stderr, code } = await home.run(user, ['logout']);
    expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: 'Logged out of work.\n', code: 0 });
    const again = await home.run(user, ['logout', '--json']);
    expect({ stdout: again.stdout, code: again.code }).toEqual({ stdout: '', code: 3 });
    expect(JSON.parse(again.stderr)).toMatchObject({ error: { code: 'not_logged_in', exit_code: 3 } });
    const minted = await home.run(user, ['get-token']);
    expect({ stdout: minted.stdout, code: minted.code }).toEqual({ stdout: '', code: 3 });
  });

  test('logout --all ends every session', async () => {
    await login(['--profile', 'one']);
    await login(['--profile', 'two']);
    const { stdout, stderr, code } = await home.run(user, ['logout', '--all', '--json']);
    expect({ answer: JSON.parse(stdout), stderr, code }).toEqual({
      answer: { logged_out: ['one', 'two'] },
      stderr: '',
      code: 0,
    });
  });

  test('--self revokes the token in use, which is exit 3 from then on', async () => {
    const token = await mint('ada');
    const argv = ['--url', server.url, '--token-stdin'];
    const who = await home.run(user, ['whoami', '--json', ...argv], { stdin: token });
    expect(JSON.parse(who.stdout)).toMatchObject({ username: 'ada', source: '--token-stdin' });
    const revoked = await home.run(user, ['revoke-token', '--self', ...argv], { stdin: `${token}\n` });
    expect(revoked).toEqual({ stdout: '', stderr: 'Revoked the token in use.\n', code: 0 });
    const after = await home.run(user, ['whoami', '--json', ...argv], { stdin: token });
    expect({ stdout: after.stdout, code: after.code }).toEqual({ stdout: '', code: 3 });
    expect(JSON.parse(after.stderr)).toMatchObject({ error: { code: 'token_revoked', exit_code: 3 } });
  });

  test('a token says on stderr that it ends with the one it was minted with', async () => {
    const env = { PANGOLIN_URL: server.url, PANGOLIN_TOKEN: await mint('ada') };
    const short = (await home.run(user, ['get-token', '--expires-in', '1h'], { env })).stdout.trim();
    const { stdout, stderr, code } = await home.run(user, ['get-token'], { env: { ...env, PANGOLIN_TOKEN: short } });
    expect({ token: stdout.trim(), code }).toEqual({ token: expect.stringMatching(JWT), code: 0 });
    expect(stderr).toContain('expires with the credential');
  });

  test("an ordinary user is exit 4 where only administrators may, and does not see others' tokens", async () => {
    const env = { PANGOLIN_URL: server.url, PANGOLIN_TOKEN: await mint('ada') };
    const { stdout, stderr, code } = await home.run(admin, ['create-service-user', '--name', 'mine'], { env });
    expect({ stdout, code }).toEqual({ stdout: '', code: 4 });
    expect(stderr).toMatch(/^Error: /);
    const jti = JSON.parse(Buffer.from((await mint('grace')).split('.')[1] ?? '', 'base64url').toString()).jti;
    const foreign = await home.run(user, ['get-token-info', jti], { env });
    expect({ stdout: foreign.stdout, code: foreign.code }).toEqual({ stdout: '', code: 1 });
  });

  test('the box on a terminal names the server that was used', async () => {
    const env = { PANGOLIN_URL: server.url, PANGOLIN_TOKEN: await mint('ada') };
    const { stdout, code } = await home.run(user, ['get-token'], { env, terminal: true });
    expect({ code, named: stdout.includes(`uri='${server.url}/v1/default'`) }).toEqual({ code: 0, named: true });
  });

  test('a server that is not there is exit 5', async () => {
    const env = { PANGOLIN_URL: 'http://127.0.0.1:9', PANGOLIN_TOKEN: await mint('ada') };
    const { stdout, stderr, code } = await home.run(user, ['whoami', '--json'], { env });
    expect({ stdout, code }).toEqual({ stdout: '', code: 5 });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'network_unreachable', exit_code: 5 } });
  });
});
