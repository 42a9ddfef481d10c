import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { admin, UNKNOWN_ID, user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const mint = async (...argv: string[]) => JSON.parse((await home.run(user, ['get-token', '--json', ...argv])).stdout);
const list = async (options?: CliOptions, ...argv: string[]) => home.run(user, ['list-tokens', ...argv], options);

describe('list-tokens', () => {
  test('prints tab-separated lines in a pipe, with tabs and newlines escaped', async () => {
    const { id } = await mint('-d', 'one\ttwo\nthree');
    const { stdout, stderr, code } = await list();
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const [line, rest] = stdout.split('\n');
    expect(rest).toBe('');
    expect(line?.split('\t').slice(0, 5)).toEqual([id, 'valid', 'personal', '', 'one\\ttwo\\nthree']);
  });

  test('prints a table on a terminal', async () => {
    const { id } = await mint('-d', 'PyIceberg automation');
    const { stdout, code } = await list({ terminal: true });
    const [heading, row] = stdout.split('\n');
    expect(code).toBe(0);
    expect(heading).toMatch(/^ID +STATUS +KIND +DESCRIPTION +EXPIRES +LAST USED +FROM$/);
    expect(row).toMatch(new RegExp(`^${id} +valid +personal +PyIceberg automation `));
  });

  test('answers an array with --json, and never the token', async () => {
    const { id, token } = await mint();
    const { stdout, stderr, code } = await list({}, '--json');
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject([{ id, is_valid: true }]);
    expect(stdout).not.toContain(token);
  });

  test('says what to type when there are none', async () => {
    const { id } = await mint();
    await home.run(user, ['revoke-token', '--id', id]);
    const piped = await list();
    expect({ stdout: piped.stdout, code: piped.code }).toEqual({ stdout: '', code: 0 });
    expect(piped.stderr).toContain('pangolin-user get-token');
    expect((await list({}, '--json')).stdout).toBe('[]\n');
    expect((await list({}, '--revoked')).stdout).toContain(`${id}\trevoked`);
    expect((await list({}, '--expired')).stdout).toBe('');
  });

  test('does not create data', async () => {
    const { stdout, stderr, code } = await list();
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(`no data at ${home.dataDir}`);
  });

  test('refuses --all together with --revoked', async () => {
    const { stdout, stderr, code } = await list({}, '--all', '--revoked');
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('--revoked');
  });
});

describe('get-token-info', () => {
  test('prints field and value lines in a pipe', async () => {
    const { id } = await mint('--name', 'nightly', '--scope', 'catalog:read', 'tokens:read');
    const { stdout, stderr, code } = await home.run(user, ['get-token-info', id]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const lines = stdout.split('\n');
    expect(lines).toEqual(expect.arrayContaining([`id\t${id}`, 'status\tvalid', 'name\tnightly', 'last_used_at\t']));
    expect(lines).toContain('scopes\tcatalog:read tokens:read');
  });

  test('aligns the fields on a terminal, and answers the object with --json', async () => {
    const { id } = await mint();
    const shown = await home.run(user, ['get-token-info', id], { terminal: true });
    expect(shown.code).toBe(0);
    expect(shown.stdout).toMatch(new RegExp(`^id {2,}${id}\n`));
    const { stdout, stderr, code } = await home.run(user, ['get-token-info', id, '--json']);
    expect({ id: JSON.parse(stdout).id, stderr, code }).toEqual({ id, stderr: '', code: 0 });
  });

  test('is exit 1 for an unknown token and exit 2 for what is no id', async () => {
    await mint();
    const unknown = await home.run(user, ['get-token-info', UNKNOWN_ID]);
    expect({ stdout: unknown.stdout, code: unknown.code }).toEqual({ stdout: '', code: 1 });
    const malformed = await home.run(user, ['get-token-info', 'nightly']);
    expect({ stdout: malformed.stdout, code: malformed.code }).toEqual({ stdout: '', code: 2 });
    expect(malformed.stderr).toContain('Give a UUID');
  });
});

describe('revoke-token', () => {
  test('revokes one by its id', async () => {
    const { id } = await mint();
    const { stdout, stderr, code } = await home.run(user, ['revoke-token', '--id', id, '--reason', 'done']);
    expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: `Revoked token ${id}.\n`, code: 0 });
    const info = JSON.parse((await home.run(user, ['get-token-info', id, '--json'])).stdout);
    expect(info).toMatchObject({ is_valid: false, revoked_reason: 'done' });
  });

  test('answers the wire object with --json', async () => {
    const { id } = await mint();
    const { stdout, stderr, code } = await home.run(user, ['revoke-token', '--id', id, '--json']);
    expect({ answer: JSON.parse(stdout), stderr, code }).toEqual({
      answer: { message: expect.any(String) },
      stderr: '',
      code: 0,
    });
  });

  test('asks on a terminal before it revokes everything, and does nothing on no', async () => {
    const { id } = await mint();
    const options = { terminal: true, answers: ['n'] };
    const { stdout, stderr, code } = await home.run(user, ['revoke-token', '--all'], options);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(stderr).toContain('Nothing was changed.');
    expect((await list()).stdout).toContain(`${id}\tvalid`);
  });

  test('revokes everything without asking in a pipe', async () => {
    await mint();
    const { stdout, code } = await home.run(user, ['revoke-token', '--all']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect((await list()).stdout).toBe('');
  });

  test('explains that embedded data has no token in use', async () => {
    await mint();
    const { stdout, stderr, code } = await home.run(user, ['revoke-token', '--self']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('list-tokens');
  });

  test.each([[[]], [['--self', '--all']], [['--id', 'x']]])('refuses %j', async (argv) => {
    const { stdout, stderr, code } = await home.run(user, ['revoke-token', ...argv]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

describe("an administrator's token commands", () => {
  test('list and revoke the tokens of anybody in the tenant', async () => {
    const { id, token } = await mint();
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    const listed = await home.run(admin, ['list-user-tokens', '--user-id', sub]);
    expect({ stderr: listed.stderr, code: listed.code }).toEqual({ stderr: '', code: 0 });
    expect(listed.stdout).toContain(`${id}\tvalid`);
    const table = await home.run(admin, ['list-user-tokens', '--user-id', sub], { terminal: true });
    expect(table.stdout).toMatch(/^ID +STATUS/);

    const revoked = await home.run(admin, ['revoke-token-by-id', '--id', id, '--json']);
    expect({ answer: JSON.parse(revoked.stdout), stderr: revoked.stderr, code: revoked.code }).toEqual({
      answer: { message: expect.any(String) },
      stderr: '',
      code: 0,
    });
    const none = await home.run(admin, ['list-user-tokens', '--user-id', sub]);
    expect({ stdout: none.stdout, code: none.code }).toEqual({ stdout: '', code: 0 });
    const all = await home.run(admin, ['list-user-tokens', '--user-id', sub, '--all', '--json']);
    expect(JSON.parse(all.stdout)).toMatchObject([{ id, is_valid: false }]);
  });

  test('delete-token revokes, and asks on a terminal first', async () => {
    const { id } = await mint();
    const declined = await home.run(admin, ['delete-token', '--token-id', id], { terminal: true, answers: ['n'] });
    expect({ stdout: declined.stdout, code: declined.code }).toEqual({ stdout: '', code: 0 });
    expect((await list()).stdout).toContain(`${id}\tvalid`);
    const { stdout, stderr, code } = await home.run(admin, ['delete-token', '--token-id', id]);
    expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: `Deleted token ${id}.\n`, code: 0 });
    expect((await list({}, '--revoked')).stdout).toContain(id);
  });

  test('revoke-user-tokens ends everything issued until now', async () => {
    const { token } = await mint();
    const { sub } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
    const { stdout, stderr, code } = await home.run(admin, ['revoke-user-tokens', '--user-id', sub, '--json']);
    expect({ answer: JSON.parse(stdout), stderr, code }).toMatchObject({ stderr: '', code: 0 });
    expect((await list()).stdout).toBe('');
  });

  test.each([
    ['list-user-tokens', '--user-id'],
    ['revoke-token-by-id', '--id'],
    ['revoke-user-tokens', '--user-id'],
    ['delete-token', '--token-id'],
  ])('%s refuses to run without %s', async (command, option) => {
    const { stdout, stderr, code } = await home.run(admin, [command]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(option);
  });
});
