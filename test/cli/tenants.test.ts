import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { admin, JWT, UNKNOWN_ID, UUID, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const create = async (name: string, ...argv: string[]) => {
  const { stdout } = await home.run(admin, ['create-tenant', name, '--json', ...argv]);
  return JSON.parse(stdout) as { id: string; name: string };
};
const json = async (argv: string[], env: Record<string, string> = {}) => {
  const { stdout, stderr, code } = await home.run(admin, [...argv, '--json'], { env });
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  return JSON.parse(stdout);
};

describe('create-tenant', () => {
  test('says in a pipe, on a terminal and with --json what there is now', async () => {
    const piped = await home.run(admin, ['create-tenant', 'acme', '--description', 'Rockets']);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    const fields = new RegExp(
      `^id\\t${UUID.source}\\nname\\tacme\\ndescription\\tRockets\\ncreated_at\\t\\S+Z\\ndefault_catalog\\tdefault\\n$`,
    );
    expect(piped.stdout).toMatch(fields);
    const shown = await home.run(admin, ['create-tenant', 'Wile E.'], { terminal: true });
    expect(shown.stdout).toMatch(/^default_catalog +default$/m);
    expect(shown.stderr).toContain("pangolin-admin create-user USERNAME --role tenant-admin --tenant 'Wile E.'");
    expect(await create('other')).toMatchObject({ name: 'other', description: null, default_catalog: 'default' });
  });

  test('is a conflict for a name that is taken', async () => {
    await create('acme');
    const { stdout, stderr, code } = await home.run(admin, ['create-tenant', 'acme', '--json']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'conflict', exit_code: 1 } });
  });
});

describe('tenants', () => {
  test('are listed: tab-separated in a pipe, in a table on a terminal, as an array with --json', async () => {
    const { id } = await create('acme', '--description', 'Rockets');
    const piped = await home.run(admin, ['list-tenants']);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout).toMatch(
      new RegExp(`^${id}\\tacme\\t\\S+Z\\tRockets\\n${UUID.source}\\tdefault\\t\\S+Z\\t\\n$`),
    );
    const table = await home.run(admin, ['list-tenants'], { terminal: true });
    expect(table.stdout).toMatch(/^ID +NAME +CREATED +DESCRIPTION\n/);
    expect(await json(['list-tenants'])).toMatchObject([{ id, name: 'acme' }, { name: 'default' }]);
  });

  test('are changed by name and by id', async () => {
    const { id } = await create('acme');
    const described = await home.run(admin, ['update-tenant', 'acme', '--description', 'Rockets']);
    expect({ stderr: described.stderr, code: described.code }).toEqual({ stderr: '', code: 0 });
    expect(described.stdout).toContain('description\tRockets\n');
    expect(await json(['update-tenant', '--id', id, '--name', 'b'])).toMatchObject({ id, name: 'b' });
    expect(await json(['update-tenant', '--name', 'b', '--new-name', 'c'])).toMatchObject({ id, name: 'c' });
    expect(await json(['update-tenant', 'c', '--new-name', 'd'])).toMatchObject({ id, name: 'd' });
    const shown = await home.run(admin, ['update-tenant', id, '--description', 'More'], { terminal: true });
    expect(shown.stdout).toMatch(/^name +d\ndescription +More$/m);
  });

  test('are deleted, after a question on a terminal', async () => {
    const { id } = await create('acme');
    const declined = await home.run(admin, ['delete-tenant', 'acme'], { terminal: true, answers: ['n'] });
    expect({ stdout: declined.stdout, code: declined.code }).toEqual({ stdout: '', code: 0 });
    expect(declined.stderr).toContain('Nothing was changed.');
    expect(await json(['delete-tenant', 'acme'])).toEqual({ id, deleted: true });
    const again = await home.run(admin, ['delete-tenant', '--name', 'acme']);
    expect({ stdout: again.stdout, code: again.code }).toEqual({ stdout: '', code: 1 });
    expect(again.stderr).toContain('list-tenants');
    const asked = await create('acme');
    const yes = await home.run(admin, ['delete-tenant', '--id', asked.id, '--yes'], { terminal: true });
    expect({ stdout: yes.stdout, stderr: yes.stderr.split('\n').at(-2), code: yes.code }).toEqual({
      stdout: '',
      stderr: `Deleted tenant ${asked.id}.`,
      code: 0,
    });
    const last = await home.run(admin, ['delete-tenant', 'default']);
    expect({ stdout: last.stdout, code: last.code }).toEqual({ stdout: '', code: 1 });
    expect(last.stderr).toContain('"default" is the default tenant');
  });

  test('keep their audit log when they are deleted, under their id', async () => {
    const { id } = await create('acme');
    await home.run(admin, ['create-service-user', '--name', 'bot', '--tenant', 'acme']);
    await home.run(admin, ['delete-tenant', 'acme']);
    expect(await json(['list-audit-events', '--tenant', id])).toMatchObject([{ action: 'service_user.created' }]);
  });

  test.each([
    ['create-tenant'],
    ['create-tenant', ''],
    ['create-tenant', UNKNOWN_ID],
    ['list-tenants', 'acme'],
    ['update-tenant', 'acme'],
    ['update-tenant', '--name', 'acme'],
    ['update-tenant', 'acme', '--id', UNKNOWN_ID, '--description', 'x'],
    ['update-tenant', '--description', 'x'],
    ['delete-tenant'],
    ['delete-tenant', 'acme', '--name', 'acme'],
    ['delete-tenant', '--id', 'acme'],
  ])('are not guessed: %s %s', async (...argv) => {
    await home.run(user, ['get-token']);
    const { stdout, stderr, code } = await home.run(admin, argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

describe('--tenant', () => {
  test('acts in a tenant by its name or id, given before or after the command or by the environment', async () => {
    const { id } = await create('acme');
    await json(['create-service-user', '--name', 'bot', '--tenant', 'acme']);
    await json(['create-service-user', '--name', 'bot']);
    for (const named of [
      ['--tenant', 'acme'],
      ['--tenant', id],
      ['--tenant-id', id],
    ]) {
      for (const argv of [
        ['list-service-users', ...named],
        [...named, 'list-service-users'],
      ])
        expect(await json(argv)).toMatchObject([{ name: 'bot', tenant_id: id }]);
    }
    const variables: Record<string, string>[] = [
      { PANGOLIN_TENANT: 'acme' },
      { PANGOLIN_TENANT: id },
      { PANGOLIN_TENANT_ID: id },
    ];
    for (const env of variables) {
      expect(await json(['list-service-users'], env)).toMatchObject([{ tenant_id: id }]);
      expect(await json(['list-service-users', '--tenant', 'default'], env)).not.toMatchObject([{ tenant_id: id }]);
    }
    const minted = await home.run(user, ['get-token', '--tenant', 'acme', '--json']);
    expect(JSON.parse(minted.stdout)).toMatchObject({ token: expect.stringMatching(JWT), tenant_id: id });
  });

  test('that no tenant is called is not found, and a tenant named twice is refused', async () => {
    const { id } = await create('acme');
    const unknown = await home.run(admin, ['list-users', '--tenant', 'nope']);
    expect({ stdout: unknown.stdout, code: unknown.code }).toEqual({ stdout: '', code: 1 });
    expect(unknown.stderr).toContain('There is no tenant named "nope"');
    const twice: [string[], Record<string, string>][] = [
      [['list-users', '--tenant', 'acme', '--tenant-id', id], {}],
      [['list-users'], { PANGOLIN_TENANT: 'acme', PANGOLIN_TENANT_ID: id }],
      [['list-users', '--tenant', ''], {}],
      [['list-users', '--tenant-id', 'acme'], {}],
      [['list-users'], { PANGOLIN_TENANT: '' }],
    ];
    for (const [argv, env] of twice) {
      const { stdout, stderr, code } = await home.run(admin, argv, { env });
      expect({ argv, stdout, code }).toEqual({ argv, stdout: '', code: 2 });
      expect(stderr).toMatch(/^Error: /);
    }
  });
});
