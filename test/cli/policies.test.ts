import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { admin, UNKNOWN_ID, UUID, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
  await home.run(admin, ['create-user', 'ada', '--quiet']);
  await home.run(admin, ['create-service-user', '--name', 'siem export', '--quiet']);
});
afterEach(() => home.remove());

const list = async (...argv: string[]) => {
  const { stdout } = await home.run(admin, ['list-policies', '--json', ...argv]);
  return JSON.parse(stdout) as { id: string; privilege: string; grantee: { kind: string; id: string; name: string } }[];
};

describe('list-policies', () => {
  test('shows roles first: tab-separated in a pipe, in a table on a terminal, as an array with --json', async () => {
    await home.run(admin, ['grant', 'VIEW_AUDIT', '--user', 'ada']);
    const piped = await home.run(admin, ['list-policies']);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    const lines = piped.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(8);
    expect(lines[0]?.split('\t').slice(0, 4)).toEqual([
      'GENERATE_PERSONAL_ACCESS_TOKENS',
      'role',
      'tenant-admin',
      'tenant-admin',
    ]);
    expect(lines[7]).toMatch(new RegExp(`^VIEW_AUDIT\tuser\tada\t${UUID.source}\t[^\t]+\tada\t${UUID.source}$`));
    const table = await home.run(admin, ['list-policies'], { terminal: true });
    expect(table.stdout).toMatch(/^PRIVILEGE +GRANTED TO +NAME +CREATED +BY +ID\n/);
    expect(table.stdout).toMatch(/\nVIEW_AUDIT +user +ada +/);
    expect((await list()).map(({ grantee }) => grantee.name)).toEqual([
      ...Array(6).fill('tenant-admin'),
      'tenant-user',
      'ada',
    ]);
  });

  test('filters, and says so where nothing is granted', async () => {
    expect(await list('--privilege', 'manage-users')).toHaveLength(1);
    expect(await list('--role', 'TenantUser')).toMatchObject([{ privilege: 'GENERATE_PERSONAL_ACCESS_TOKENS' }]);
    const none = await home.run(admin, ['list-policies', '--service-user', 'siem export']);
    expect({ stdout: none.stdout, code: none.code }).toEqual({ stdout: '', code: 0 });
    expect(none.stderr).toContain('pangolin-admin grant');
    const unknown = await home.run(admin, ['list-policies', '--user', 'nobody', '--json']);
    expect({ stdout: unknown.stdout, code: unknown.code }).toEqual({ stdout: '', code: 1 });
    expect(JSON.parse(unknown.stderr)).toMatchObject({ error: { code: 'not_found' } });
  });
});

describe('grant', () => {
  test.each([
    [['VIEW_AUDIT', '--user', 'ada'], { kind: 'user', name: 'ada' }],
    [['view-audit', '--service-user', 'siem export'], { kind: 'service_user', name: 'siem export' }],
    [['View Audit', '--role', 'tenant_user'], { kind: 'role', name: 'tenant-user' }],
  ])('%j grants what is asked, and again changes nothing', async (argv, grantee) => {
    const json = await home.run(admin, ['grant', ...argv, '--json']);
    expect({ stderr: json.stderr, code: json.code }).toEqual({ stderr: '', code: 0 });
    const granted = JSON.parse(json.stdout);
    expect(granted).toMatchObject({ privilege: 'VIEW_AUDIT', grantee });
    const again = await home.run(admin, ['grant', ...argv]);
    expect({ stderr: again.stderr, code: again.code }).toEqual({ stderr: '', code: 0 });
    expect(again.stdout).toContain(`id\t${granted.id}\nprivilege\tVIEW_AUDIT\ngrantee_kind\t${grantee.kind}\n`);
    const shown = await home.run(admin, ['grant', ...argv], { terminal: true });
    expect(shown.stdout).toMatch(new RegExp(`^grantee_name +${grantee.name}$`, 'm'));
    expect(await list('--privilege', 'VIEW_AUDIT')).toHaveLength(2);
  });

  test('names a user or service user by id too', async () => {
    const { stdout } = await home.run(admin, ['list-users', '--json']);
    const [{ id }] = JSON.parse(stdout);
    await home.run(admin, ['grant', 'VIEW_AUDIT', '--user', id]);
    expect(await list('--user', 'ada')).toMatchObject([{ grantee: { id } }]);
  });

  test.each([
    [[], 'privilege'],
    [['VIEW_AUDIT'], '--role, --user or --service-user'],
    [['VIEW_AUDIT', '--user', 'ada', '--role', 'tenant-user'], 'one of --role, --user and --service-user'],
    [['FLY', '--user', 'ada'], 'MANAGE_USERS'],
    [['VIEW_AUDIT', '--role', 'emperor'], 'tenant-admin'],
    [['VIEW_AUDIT', '--role', 'root'], 'The role root holds every privilege'],
  ])('refuses %j with exit 2', async (argv, named) => {
    const { stdout, stderr, code } = await home.run(admin, ['grant', ...argv]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
    expect(stderr).toContain(named);
  });
});

describe('revoke-grant', () => {
  test('takes back what was granted, by the same words or by id', async () => {
    await home.run(admin, ['grant', 'VIEW_AUDIT', '--user', 'ada']);
    const revoked = await home.run(admin, ['revoke-grant', 'view-audit', '--user', 'ada']);
    expect(revoked).toEqual({ stdout: '', stderr: 'Revoked VIEW_AUDIT from the user ada.\n', code: 0 });
    expect(await list('--user', 'ada')).toEqual([]);
    const [ofUsers] = await list('--role', 'tenant-user');
    const json = await home.run(admin, ['revoke-grant', '--id', ofUsers?.id ?? '', '--json'], { terminal: true });
    expect({ stderr: json.stderr, code: json.code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(json.stdout)).toEqual({ id: ofUsers?.id, revoked: true });
  });

  test('of what is not granted fails, and says where to look', async () => {
    const { stdout, stderr, code } = await home.run(admin, ['revoke-grant', 'MANAGE_USERS', '--user', 'ada']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('MANAGE_USERS is not granted to the user ada.');
    expect(stderr).toContain('pangolin-admin list-policies --privilege MANAGE_USERS');
    expect((await home.run(admin, ['revoke-grant', '--id', UNKNOWN_ID])).code).toBe(1);
  });

  test.each([
    [[]],
    [['MANAGE_USERS']],
    [['--user', 'ada']],
    [['MANAGE_USERS', '--user', 'ada', '--id', UNKNOWN_ID]],
    [['--role', 'tenant-user', '--id', UNKNOWN_ID]],
    [['--id', 'first']],
  ])('refuses %j with exit 2', async (argv) => {
    const { stdout, stderr, code } = await home.run(admin, ['revoke-grant', ...argv]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

test('whoami shows what one may do', async () => {
  const { stdout } = await home.run(user, ['whoami']);
  expect(stdout).toContain('\nprivileges\tGENERATE_PERSONAL_ACCESS_TOKENS MANAGE_ACCESS_TOKENS MANAGE_CATALOGS ');
});
