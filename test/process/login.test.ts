import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { JWT_LINE, readClaims } from './credentials.ts';
import { isAccepted } from './request.ts';
import { type Server, startServer } from './start-server.ts';

const PASSWORD = 'correct horse battery';

let operator: Box;
let server: Server;
/** The same person at two machines. */
let desk: Box;
let laptop: Box;

beforeAll(async () => {
  [operator, desk, laptop] = await Promise.all([openBox(), openBox(), openBox()]);
  const created = await operator.admin(['create-user', 'ada', '--email', 'ada@example.com', '--password-stdin'], {
    stdin: `${PASSWORD}\n`,
  });
  expect(created.code).toBe(0);
  await operator.admin(['create-user', 'grace', '--password-stdin'], { stdin: PASSWORD });
  server = await startServer(operator);
});
afterAll(() => Promise.all([operator, desk, laptop].map((box) => box.remove())));

/** A profile that nobody named is named after its server. */
const profileAtServer = () => new URL(server.url).host.replace(':', '-');

const logIn = (box: Box, name = 'ada', argv: string[] = []) =>
  box.user(['login', '--url', server.url, '--username', name, '--password-stdin', ...argv], { stdin: PASSWORD });

describe('an ordinary user at a running server', () => {
  test('logs in with the password on standard input, and is told that the login is kept in a private file', async () => {
    const { stdout, stderr, code } = await logIn(desk);
    const file = join(desk.configDir, 'credentials.json');
    expect(code).toBe(0);
    expect(stdout).toContain('ada');
    expect(stderr).toContain(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(desk.configDir)).mode & 0o077).toBe(0);
  });

  test('mints for oneself without naming the server again', async () => {
    const { stdout, stderr, code } = await desk.user(['get-token']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(JWT_LINE);
    expect(await isAccepted(server.origin, stdout.trim())).toBe(true);
    const listed = JSON.parse((await desk.user(['list-tokens', '--json'])).stdout);
    expect(listed.map(({ id }: { id: string }) => id)).toContain(readClaims(stdout).jti);
  });

  test('is told who one is and where that comes from', async () => {
    const { stdout, code } = await desk.user(['whoami', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      username: 'ada',
      role: 'tenant-user',
      source: 'credentials file',
      profile: profileAtServer(),
      server: server.url,
    });
  });

  test('may not do what administrators do: exit 4', async () => {
    const { stdout, stderr, code } = await desk.admin(['list-users']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 4 });
    expect(stderr).toMatch(/^Error: /);
  });

  test('has on another machine a login of its own', async () => {
    expect((await logIn(laptop)).code).toBe(0);
    expect((await laptop.user(['logout'])).code).toBe(0);
    expect((await laptop.user(['whoami'])).code).toBe(3);
    expect((await desk.user(['whoami'])).code).toBe(0);
  });

  test('keeps a second profile at the same server beside the first', async () => {
    expect((await logIn(desk, 'grace', ['--profile', 'prod.eu'])).code).toBe(0);
    const nameOf = async (profile: string) =>
      JSON.parse((await desk.user(['whoami', '--json', '-p', profile])).stdout).username;
    expect([await nameOf(profileAtServer()), await nameOf('prod.eu')]).toEqual(['ada', 'grace']);
    expect((await desk.user(['logout', '-p', 'prod.eu'])).code).toBe(0);
    expect(await nameOf(profileAtServer())).toBe('ada');
  });

  test('after logging out is not logged in: exit 3, and the session is gone from the file and the server', async () => {
    const file = join(desk.configDir, 'credentials.json');
    const { logins } = JSON.parse(await readFile(file, 'utf8'));
    const { token } = JSON.parse(Object.values<string>(logins)[0] ?? '{}');
    expect(await isAccepted(server.origin, token)).toBe(true);
    expect((await desk.user(['logout', '-p', profileAtServer()])).code).toBe(0);
    expect(await readFile(file, 'utf8')).not.toContain(token);
    expect(await isAccepted(server.origin, token)).toBe(false);
    expect(await desk.user(['get-token', '-p', profileAtServer()])).toMatchObject({ stdout: '', code: 3 });
  });

  test('is refused with a wrong password: exit 3, and nothing is kept', async () => {
    const argv = ['login', '--url', server.url, '--username', 'ada', '--password-stdin'];
    const { stdout, stderr, code } = await laptop.user(argv, { stdin: 'incorrect horse battery' });
    expect({ stdout, code }).toEqual({ stdout: '', code: 3 });
    expect(stderr).not.toContain('incorrect horse battery');
  });
});
