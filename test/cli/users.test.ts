import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { admin, UNKNOWN_ID, UUID } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const create = async (username: string, ...argv: string[]) => {
  const { stdout } = await home.run(admin, ['create-user', username, '--json', ...argv]);
  return JSON.parse(stdout);
};

describe('create-user', () => {
  test('prints a generated password in a pipe, with the id on stderr', async () => {
    const { stdout, stderr, code } = await home.run(admin, ['create-user', 'ada', '--email', 'ada@example.com']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\S{8,}\n$/);
    expect(stderr).toMatch(new RegExp(`^id: ${UUID.source}\n$`));
  });

  test('shows a generated password once on a terminal', async () => {
    const { stdout, code } = await home.run(admin, ['create-user', 'ada'], { terminal: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Password {2,}\S{8,}\n/);
    expect(stdout).toContain('It will not be shown again.');
  });

  test('masks a generated password under GitHub Actions', async () => {
    const { stdout, stderr, code } = await home.run(admin, ['create-user', 'ada', '--quiet'], {
      env: { GITHUB_ACTIONS: 'true' },
    });
    const masked = stdout.trim().replaceAll('%', '%25');
    expect({ stderr, code }).toEqual({ stderr: `::add-mask::${masked}\n`, code: 0 });
  });

  test('takes a password from standard input and does not print it', async () => {
    const argv = ['create-user', 'ada', '--password-stdin', '--role', 'tenant_admin'];
    const { stdout, stderr, code } = await home.run(admin, argv, { stdin: 'correct horse battery\n' });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toContain('username\tada\n');
    expect(stdout).toContain('role\ttenant-admin\n');
    expect(stdout).not.toContain('correct');
  });

  test('deletes a user whose password could not be written', async () => {
    const stdoutError = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const { stdout, stderr, code } = await home.run(admin, ['create-user', 'ada'], { stdoutError });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('deleted again');
    expect((await home.run(admin, ['list-users', '--json'])).stdout).not.toContain('"ada"');
  });

  test('is a conflict for a username that is taken', async () => {
    await create('ada');
    const { stdout, stderr, code } = await home.run(admin, ['create-user', 'ada', '--json']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'conflict', exit_code: 1 } });
  });

  test.each([
    [[], ''],
    [['ada', '--email', 'nobody'], ''],
    [['ada', '--password-stdin'], ''],
    [['ada', '--password-stdin'], 'short'],
    [['ada', '--role', 'emperor'], ''],
  ])('refuses %j with exit 2', async (argv, stdin) => {
    const { stdout, stderr, code } = await home.run(admin, ['create-user', ...argv], { stdin });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

describe('users', () => {
  test('are listed: tab-separated in a pipe, in a table on a terminal, as an array with --json', async () => {
    const { id } = await create('ada', '--email', 'ada@example.com');
    const piped = await home.run(admin, ['list-users']);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout).toContain(`${id}\tada\tada@example.com\ttenant-user\ttrue\t`);
    const table = await home.run(admin, ['list-users'], { terminal: true });
    expect(table.stdout).toMatch(/^ID +USERNAME +EMAIL +ROLE +ACTIVE +LAST LOGIN\n/);
    const json = await home.run(admin, ['list-users', '--json']);
    expect(JSON.parse(json.stdout)).toEqual(expect.arrayContaining([expect.objectContaining({ id })]));
  });

  test('are changed by name, by id and by either option', async () => {
    const { id } = await create('ada');
    const renamed = await home.run(admin, ['update-user', 'ada', '--new-username', 'ada.l', '--role', 'TenantAdmin']);
    expect({ stderr: renamed.stderr, code: renamed.code }).toEqual({ stderr: '', code: 0 });
    expect(renamed.stdout).toContain('username\tada.l\n');
    const byId = await home.run(admin, ['update-user', id, '--email', 'a@example.com', '--json']);
    expect(JSON.parse(byId.stdout)).toMatchObject({ id, email: 'a@example.com', role: 'tenant-admin' });
    const stopped = await home.run(admin, ['update-user', '--username', 'ada.l', '--active', 'false'], {
      terminal: true,
    });
    expect(stopped.stdout).toMatch(/active +false\n/);
  });

  test('get a new password: generated and printed once, or from standard input', async () => {
    const { id, password } = await create('ada');
    const generated = await home.run(admin, ['reset-password', 'ada']);
    expect({ stderr: generated.stderr, code: generated.code }).toEqual({ stderr: `id: ${id}\n`, code: 0 });
    expect(generated.stdout.trim()).not.toBe(password);
    const given = await home.run(admin, ['reset-password', '--id', id, '--password-stdin'], { stdin: 'correct horse' });
    expect({ stdout: given.stdout, code: given.code }).toEqual({ stdout: '', code: 0 });
    const shown = await home.run(admin, ['reset-password', 'ada'], { terminal: true });
    expect(shown.stdout).toContain('Password');
    const json = await home.run(admin, ['reset-password', 'ada', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ id, username: 'ada', password: expect.any(String) });
    const stdoutError = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const lost = await home.run(admin, ['reset-password', 'ada'], { stdoutError });
    expect({ stdout: lost.stdout, code: lost.code }).toEqual({ stdout: '', code: 1 });
    expect(lost.stderr).toContain(`reset-password --id ${id}`);
  });

  test('are deleted, after a question on a terminal', async () => {
    const { id } = await create('ada');
    const declined = await home.run(admin, ['delete-user', 'ada'], { terminal: true, answers: ['n'] });
    expect({ stdout: declined.stdout, code: declined.code }).toEqual({ stdout: '', code: 0 });
    expect(declined.stderr).toContain('Nothing was changed.');
    const { stdout, stderr, code } = await home.run(admin, ['delete-user', 'ada', '--json']);
    expect({ answer: JSON.parse(stdout), stderr, code }).toEqual({
      answer: { id, deleted: true },
      stderr: '',
      code: 0,
    });
    const again = await home.run(admin, ['delete-user', 'ada']);
    expect({ stdout: again.stdout, code: again.code }).toEqual({ stdout: '', code: 1 });
    expect(again.stderr).toContain('list-users');
  });

  test.each([
    ['update-user', 'ada'],
    ['update-user', 'ada', '--id', UNKNOWN_ID, '--active', 'false'],
    ['update-user', '--active', 'false'],
    ['update-user', 'ada', '--active', 'maybe'],
    ['reset-password'],
    ['delete-user'],
    ['delete-user', 'ada', '--username', 'ada'],
  ])('are not guessed: %s %s', async (...argv) => {
    const { stdout, stderr, code } = await home.run(admin, argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});
