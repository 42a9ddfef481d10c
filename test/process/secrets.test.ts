import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { JWT_LINE, readId } from './credentials.ts';
import { bearer, request } from './request.ts';
import { type Server, startServer } from './start-server.ts';

let box: Box;
beforeAll(async () => {
  box = await openBox();
});
afterAll(() => box.remove());

const listAll = async (): Promise<Array<{ id: string; is_valid: boolean; description: string }>> =>
  JSON.parse((await box.user(['list-tokens', '--all', '--json'])).stdout);

describe('a secret that cannot be written', () => {
  test('to a closed pipe is a failure, and the token is revoked again', async () => {
    const { stderr, code } = await box.user(['get-token', '-d', 'closed pipe'], { stdout: 'closed' });
    expect(code).toBe(1);
    expect(stderr).toContain('revoked again');
    expect((await listAll()).filter(({ description }) => description === 'closed pipe')).toMatchObject([
      { is_valid: false },
    ]);
  });

  if (existsSync('/dev/full'))
    test('to a full disk is a failure, and the token is revoked again', async () => {
      const full = await open('/dev/full', 'w');
      const { stderr, code } = await box.user(['get-token', '-d', 'full disk'], { stdout: full.fd });
      await full.close();
      expect(code).toBe(1);
      expect(stderr).toContain('revoked again');
      expect((await listAll()).filter(({ description }) => description === 'full disk')).toMatchObject([
        { is_valid: false },
      ]);
    });

  test('is, for a new service user, the end of that service user', async () => {
    const { stderr, code } = await box.admin(['create-service-user', '--name', 'unseen'], { stdout: 'closed' });
    expect({ code, said: stderr.includes('deleted again') }).toEqual({ code: 1, said: true });
    expect((await box.admin(['get-service-user', '--name', 'unseen'])).code).toBe(1);
  });

  test('is no matter for a list whose reader has seen enough', async () => {
    expect((await box.user(['get-token'])).code).toBe(0);
    expect(await box.user(['list-tokens'], { stdout: 'closed' })).toMatchObject({ stderr: '', code: 0 });
  });
});

describe('in continuous integration', () => {
  test('a token is masked on stderr before it is printed, and stdout is still the token alone', async () => {
    const { stdout, stderr, code } = await box.user(['get-token'], { env: { GITHUB_ACTIONS: 'true' } });
    expect(stdout).toMatch(JWT_LINE);
    expect({ stderr, code }).toEqual({ stderr: `::add-mask::${stdout}`, code: 0 });
  });

  test('embedded data is announced on stderr', async () => {
    const { stdout, stderr, code } = await box.user(['get-token'], { env: { CI: 'true' } });
    expect(code).toBe(0);
    expect(stdout).toMatch(JWT_LINE);
    expect(stderr).toContain(box.dataDir);
  });
});

describe('secrets', () => {
  let server: Server;
  const secrets: string[] = [];
  const password = 'a password that is nowhere else';

  beforeAll(async () => {
    server = await startServer(box);
    const { stdout: key, stderr } = await box.admin(['create-service-user', '--name', 'etl']);
    const rotated = await box.admin(['rotate-service-user-key', '--id', readId(stderr)]);
    const minted = await box.user(['get-token', '--role', 'tenant-admin']);
    await box.admin(['create-user', 'ada', '--password-stdin'], { stdin: password });
    const loggedIn = await box.user(['login', '--url', server.url, '--username', 'ada', '--password-stdin'], {
      env: { PANGOLIN_CREDENTIAL_STORE: 'none' },
      stdin: password,
    });
    expect([rotated.code, minted.code, loggedIn.code]).toEqual([0, 0, 0]);
    const exchanged = await request(`${server.origin}/v1/default/v1/oauth/tokens`, {
      form: { grant_type: 'client_credentials', client_secret: rotated.stdout.trim() },
    });
    secrets.push(...[key, rotated.stdout, minted.stdout].map((text) => text.trim()), password);
    secrets.push(JSON.parse(exchanged.text).access_token);
    // Good and bad requests both leave something in a log.
    for (const secret of secrets) {
      await request(`${server.origin}/api/v1/users/me`, { headers: bearer(secret) });
      await request(`${server.origin}/api/v1/users/me`, { headers: { 'x-api-key': secret } });
      await request(`${server.origin}/api/v1/users/me`, { headers: bearer(`${secret}x`) });
      await request(`${server.origin}/oauth2/token`, { form: { grant_type: 'nonsense', client_secret: secret } });
    }
  });

  /** Each secret, and the part of it that is secret, under a name that says nothing. */
  const findIn = (text: string) =>
    secrets.flatMap((secret, index) => {
      const core = secret.split(/[._]/).at(-1) ?? secret;
      return text.includes(secret) || text.includes(core) ? [`secret ${index}`] : [];
    });

  const filesIn = (folder: string): string[] =>
    !existsSync(folder)
      ? []
      : readdirSync(folder, { recursive: true, encoding: 'utf8' })
          .map((name) => join(folder, name))
          .filter((path) => statSync(path).isFile());

  test('are in no file of the home: not in the database, its journal or the settings', () => {
    const files = filesIn(box.home);
    expect(files.some((path) => path.endsWith('pangolin.db'))).toBe(true);
    expect(files.some((path) => path.startsWith(box.configDir))).toBe(true);
    expect(files.filter((path) => findIn(readFileSync(path, 'latin1')).length > 0)).toEqual([]);
  });

  test('are in no file of the home after the server ended either', async () => {
    const { code, stderr } = await server.stop();
    expect({ code, found: findIn(stderr) }).toEqual({ code: 0, found: [] });
    expect(filesIn(box.home).filter((path) => findIn(readFileSync(path, 'latin1')).length > 0)).toEqual([]);
  });

  if (existsSync('/proc/self/cmdline'))
    test('are not in the list of processes while a command runs', async () => {
      const [token = ''] = secrets.slice(-1);
      const again = await startServer(box);
      const running = box.start('pangolin-user', ['list-tokens', '--all'], {
        env: { PANGOLIN_URL: again.url, PANGOLIN_TOKEN_COMMAND: `cat '${box.home}/token'; sleep 0.3` },
      });
      const lines: string[] = [];
      const watching = setInterval(() => lines.push(...commandLinesBelow(running.pid)), 20);
      await running.ended;
      clearInterval(watching);
      await again.stop();
      expect(lines.join(' ')).toContain('list-tokens');
      expect(lines.join(' ')).not.toContain(token);
      expect(findIn(lines.join(' '))).toEqual([]);
    });
});

/** The command lines of a process and its descendants. */
function commandLinesBelow(root: number): string[] {
  const lines: string[] = [];
  const below = new Set([root]);
  const pids = readdirSync('/proc').map(Number).filter(Boolean);
  for (const pid of pids.sort((a, b) => a - b)) {
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1]);
      if (!below.has(pid) && !below.has(parent)) continue;
      below.add(pid);
      lines.push(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It ended in between.
    }
  }
  return lines;
}
