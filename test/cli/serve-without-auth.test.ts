import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StopSignal } from '@pangolin/shared/cli';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { admin, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';
import { startServe } from './start-serve.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const CREATE = JSON.stringify({
  query:
    '{ createAccessToken(input: { type: PERSONAL, actorUrn: "urn:li:corpuser:datahub", duration: ONE_HOUR, name: "my personal token" } ) { accessToken metadata { tokenId } } }',
});

/** What the documentation has people send: no credential, and the word `mutation` left out. */
async function mintAsDataHub(url: string): Promise<{ token: string; id: string }> {
  const headers = { 'X-DataHub-Actor': 'urn:li:corpuser:datahub', 'Content-Type': 'application/json' };
  const answer = await fetch(`${url}/api/graphql`, { method: 'POST', headers, body: CREATE });
  expect(answer.status).toBe(200);
  const { data } = (await answer.json()) as {
    data: { createAccessToken: { accessToken: string; metadata: { tokenId: string } } };
  };
  return { token: data.createAccessToken.accessToken, id: data.createAccessToken.metadata.tokenId };
}

/** A port that is free now. */
const findPort = () =>
  new Promise<number>((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** Runs `serve` until it answers, and answers what it wrote. */
async function serveBriefly(argv: string[], terminal: boolean) {
  const port = await findPort();
  let send: (signal: StopSignal) => void = () => {};
  const ended = home.run(admin, ['serve', '--port', String(port), '--log-level', 'error', ...argv], {
    terminal,
    onStart: (signal) => {
      send = signal;
    },
  });
  const isUp = () =>
    fetch(`http://localhost:${port}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isUp())) await sleep(20);
  send('SIGTERM');
  return { ...(await ended), port };
}

test.each([
  [['--host', '0.0.0.0'], '--host 0.0.0.0'],
  [['--host', '0.0.0.0', '--insecure-http'], '--host 0.0.0.0'],
  [['--public-url', 'https://pangolin.example.com'], '--public-url https://pangolin.example.com'],
  [['--trusted-proxy', '10.0.0.0/8'], '--trusted-proxy'],
])('serve --no-auth is refused together with %j', async (argv, setting) => {
  const { stdout, stderr, code } = await home.run(admin, ['serve', '--no-auth', '--quiet', ...argv]);
  expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
  expect(stderr).toBe(
    `Error: A server without authentication answers this machine alone, and ${setting} is for others to reach it by.\n` +
      'Leave that out, its variable too, or leave --no-auth out.\n',
  );
});

test.each([
  ['PANGOLIN_HOST', '0.0.0.0'],
  ['PANGOLIN_PUBLIC_URL', 'https://pangolin.example.com'],
  ['PANGOLIN_TRUSTED_PROXIES', '10.0.0.0/8'],
])('serve --no-auth is refused where %s opens the server to others', async (name, value) => {
  const { stderr, code } = await home.run(admin, ['serve', '--no-auth', '--quiet'], { env: { [name]: value } });
  expect(code).toBe(2);
  expect(stderr).toContain('without authentication answers this machine alone');
});

test('no variable turns authentication off', async () => {
  const env = { PANGOLIN_NO_AUTH: 'true', PANGOLIN_AUTH: 'false' };
  const server = await startServe(home, { env });
  expect(JSON.parse(server.line)).toMatchObject({ auth_enabled: true });
  expect((await fetch(`${server.url}/api/v1/users/me`)).status).toBe(401);
  await server.stop();
});

test('serve --no-auth says on a terminal what that means, and what to try', async () => {
  const { stdout, stderr, code, port } = await serveBriefly(['--no-auth'], true);
  expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
  expect(stderr).toContain('Warning: this server runs WITHOUT AUTHENTICATION.');
  expect(stderr).toContain('Tokens made here are refused by servers with authentication.');
  expect(stderr).toContain(`curl http://localhost:${port}/api/graphql -H 'X-DataHub-Actor: urn:li:corpuser:datahub'`);
  expect(stderr).not.toContain('TOKEN=');
});

test('serve --no-auth warns in a pipe, too, and serve by itself never', async () => {
  const without = await serveBriefly(['--no-auth'], false);
  expect(without.stderr).toContain('Warning: this server runs WITHOUT AUTHENTICATION.');
  expect(without.stderr).not.toContain('curl');
  expect((await serveBriefly([], false)).stderr).not.toContain('WITHOUT');
  const ordinary = await serveBriefly([], true);
  expect(ordinary.stderr).toContain('TOKEN=$(pangolin-user get-token)');
  expect(ordinary.stderr).not.toContain('WITHOUT');
});

test('serve --no-auth --json says so in its answer; --quiet leaves the warning in the log', async () => {
  const server = await startServe(home, { argv: ['--no-auth'] });
  expect(JSON.parse(server.line)).toEqual({
    url: server.url,
    addresses: expect.any(Array),
    data_dir: home.dataDir,
    auth_enabled: false,
  });
  const { stderr, code } = await server.stop();
  expect(code).toBe(0);
  const lines = stderr.trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    auth_enabled: false,
    msg: expect.stringContaining('runs without authentication'),
  });
});

test('a token made without authentication is refused with it, and listed as revoked with the reason', async () => {
  const lenient = await startServe(home, { argv: ['--no-auth'] });
  const { token, id } = await mintAsDataHub(lenient.url);
  await lenient.stop();
  const strict = await startServe(home);
  const { stdout, stderr, code } = await home.run(user, ['whoami'], {
    env: { PANGOLIN_URL: strict.url, PANGOLIN_TOKEN: token },
  });
  await strict.stop();
  expect({ stdout, code }).toEqual({ stdout: '', code: 3 });
  expect(stderr).toContain('The token was made by a server without authentication: nobody had shown who they were.');
  expect(stderr).toContain('pangolin-user get-token');
  const listed = await home.run(user, ['list-tokens', '--all', '--json']);
  expect(JSON.parse(listed.stdout)).toMatchObject([
    { id, is_valid: false, revoked_reason: 'it was made by a server without authentication' },
  ]);
});
