import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from '../process/box.ts';
import { JWT_LINE } from '../process/credentials.ts';
import { isAccepted } from '../process/request.ts';
import { type Server, startServer } from '../process/start-server.ts';

const PASSWORD = 'correct horse battery';

/** How a process finds the session bus, and through it the keyring. */
const bus = { DBUS_SESSION_BUS_ADDRESS: process.env.DBUS_SESSION_BUS_ADDRESS ?? '' };

let operator: Box;
let server: Server;
let box: Box;

beforeAll(async () => {
  [operator, box] = await Promise.all([openBox(), openBox()]);
  await operator.admin(['create-user', 'ada', '--password-stdin'], { stdin: PASSWORD });
  await operator.admin(['create-user', 'grace', '--password-stdin'], { stdin: PASSWORD });
  server = await startServer(operator);
});
afterAll(() => Promise.all([operator.remove(), box.remove()]));

const user = (argv: string[], env: Record<string, string> = {}, stdin = '') =>
  box.user(argv, { env: { ...bus, ...env }, stdin });

const logIn = (name: string, profile: string, env: Record<string, string> = {}) =>
  user(['login', '--url', server.url, '--username', name, '--password-stdin', '-p', profile], env, PASSWORD);

const whoami = async (profile: string) => JSON.parse((await user(['whoami', '--json', '-p', profile])).stdout);

/** Every file of the home that holds a token of ours. */
const filesWithTokens = () =>
  readdirSync(box.home, { recursive: true, encoding: 'utf8' })
    .map((name) => join(box.home, name))
    .filter((path) => statSync(path).isFile() && /eyJ[\w-]+\.[\w-]+\./.test(readFileSync(path, 'latin1')));

describe('with a keyring', () => {
  test('login keeps the session there and in no file, and has nothing to announce', async () => {
    const { stderr, code } = await logIn('ada', 'work');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(existsSync(box.configDir)).toBe(true);
    expect(filesWithTokens()).toEqual([]);
    expect(existsSync(join(box.configDir, 'credentials.json'))).toBe(false);
  });

  test('another process finds the session there, and says so', async () => {
    expect(await whoami('work')).toMatchObject({ username: 'ada', source: 'keyring', profile: 'work' });
    const { stdout, code } = await user(['get-token', '-p', 'work']);
    expect(code).toBe(0);
    expect(stdout).toMatch(JWT_LINE);
    expect(await isAccepted(server.origin, stdout.trim())).toBe(true);
  });

  test('profiles at one server do not take each other’s place', async () => {
    expect((await logIn('grace', 'play')).code).toBe(0);
    expect([(await whoami('work')).username, (await whoami('play')).username]).toEqual(['ada', 'grace']);
  });

  test('logout removes the session of its profile alone', async () => {
    expect((await user(['logout', '-p', 'play'])).code).toBe(0);
    expect(await user(['whoami', '-p', 'play'])).toMatchObject({ stdout: '', code: 3 });
    expect((await whoami('work')).username).toBe('ada');
  });

  test('PANGOLIN_CREDENTIAL_STORE=file keeps the session in a private file all the same', async () => {
    const env = { PANGOLIN_CREDENTIAL_STORE: 'file' };
    const { stderr, code } = await logIn('grace', 'filed', env);
    const file = join(box.configDir, 'credentials.json');
    expect({ code, announced: stderr.includes(file) }).toEqual({ code: 0, announced: true });
    expect(filesWithTokens()).toEqual([file]);
    expect(await whoami('filed')).toMatchObject({ username: 'grace', source: 'credentials file' });
    expect((await user(['logout', '-p', 'filed'])).code).toBe(0);
    expect(filesWithTokens()).toEqual([]);
  });

  test('PANGOLIN_CREDENTIAL_STORE=none keeps the session nowhere', async () => {
    const env = { PANGOLIN_CREDENTIAL_STORE: 'none' };
    const { stderr, code } = await logIn('grace', 'nowhere', env);
    expect({ code, said: stderr.includes('not kept') }).toEqual({ code: 0, said: true });
    expect(filesWithTokens()).toEqual([]);
    expect(await user(['whoami', '-p', 'nowhere'])).toMatchObject({ stdout: '', code: 3 });
  });

  test('PANGOLIN_CREDENTIAL_STORE=keyring fails where there is none, instead of using a file', async () => {
    const { stdout, stderr, code } = await logIn('grace', 'strict', {
      PANGOLIN_CREDENTIAL_STORE: 'keyring',
      DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
    });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('PANGOLIN_CREDENTIAL_STORE=file');
    expect(filesWithTokens()).toEqual([]);
  });
});

describe('with a keyring that hangs', () => {
  const pid = Number(process.env.KEYRING_DAEMON_PID);
  beforeAll(() => void process.kill(pid, 'SIGSTOP'));
  afterAll(() => void process.kill(pid, 'SIGCONT'));

  test('a command gives up after three seconds, says what to do, and ends', async () => {
    const started = performance.now();
    const { stdout, stderr, code } = await user(['whoami', '-p', 'work'], { PANGOLIN_CREDENTIAL_STORE: 'keyring' });
    const tookMs = performance.now() - started;
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('PANGOLIN_CREDENTIAL_STORE=file');
    expect(tookMs).toBeGreaterThan(2_900);
    expect(tookMs).toBeLessThan(15_000);
  });

  test('a login is kept in a file instead, and the command ends', async () => {
    const started = performance.now();
    const { stderr, code } = await logIn('grace', 'hung');
    expect({ code, announced: stderr.includes('credentials.json') }).toEqual({ code: 0, announced: true });
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});
