import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { API_KEY, admin, UNKNOWN_ID, UUID } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

const create = async (name = 'etl-pipeline', ...argv: string[]) =>
  JSON.parse((await home.run(admin, ['create-service-user', '--name', name, '--json', ...argv])).stdout);
const show = async (id: string) =>
  JSON.parse((await home.run(admin, ['get-service-user', '--id', id, '--json'])).stdout);

describe('create-service-user', () => {
  test('prints in a pipe the key on stdout and the id on stderr', async () => {
    const { stdout, stderr, code } = await home.run(admin, [
      'create-service-user',
      '--name',
      'etl',
      '--role',
      'TenantUser',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${API_KEY.source}\n$`));
    expect(stderr).toMatch(new RegExp(`^id: ${UUID.source}\n$`));
  });

  test('shows id and key once on a terminal', async () => {
    const { stdout, code } = await home.run(admin, ['create-service-user', '--name', 'etl'], { terminal: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(API_KEY);
    expect(stdout).toMatch(UUID);
    expect(stdout).toContain('It will not be shown again.');
    expect(stdout).toContain(' http://localhost:8080/api/v1/catalogs\n');
    const listed = await home.run(admin, ['list-service-users', '--json']);
    expect(listed.stdout).not.toMatch(API_KEY);
  });

  test('refuses a role nobody has, naming --role and what is accepted, and creates nothing', async () => {
    const argv = ['create-service-user', '--name', 'etl', '--role', 'bogus'];
    const { stdout, stderr, code } = await home.run(admin, argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('--role');
    expect(stderr).toContain('tenant-user, tenant-admin, root');
    expect(await readdir(home.folder)).toEqual([]);
  });

  test('answers the whole object with --json', async () => {
    const { stdout, stderr, code } = await home.run(admin, [
      ...['create-service-user', '--json', '--name', 'etl', '--description', 'nightly load', '--scope', 'catalog:read'],
      ...['--expires-at', '2099-01-31'],
    ]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'etl',
      description: 'nightly load',
      role: 'tenant-user',
      scopes: ['catalog:read'],
      api_key: expect.stringMatching(API_KEY),
    });
    expect(JSON.parse(stdout).expires_at).toMatch(/^2099-01-31T23:59:59/);
  });

  test('masks the key under GitHub Actions before it is printed', async () => {
    const env = { GITHUB_ACTIONS: 'true' };
    const { stdout, stderr, code } = await home.run(admin, ['create-service-user', '--name', 'etl', '--quiet'], {
      env,
    });
    expect({ stderr, code }).toEqual({ stderr: `::add-mask::${stdout}`, code: 0 });
  });

  test('is a conflict for a name that is taken, and no conflict with --if-not-exists', async () => {
    const { id } = await create('etl');
    const taken = await home.run(admin, ['create-service-user', '--name', 'etl']);
    expect({ stdout: taken.stdout, code: taken.code }).toEqual({ stdout: '', code: 1 });
    const { stdout, stderr, code } = await home.run(admin, ['create-service-user', '--name', 'etl', '--if-not-exists']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(stderr).toContain(`id: ${id}\n`);
  });

  test('deletes a service user whose key could not be written', async () => {
    const stdoutError = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const { stdout, stderr, code } = await home.run(admin, ['create-service-user', '--name', 'etl'], { stdoutError });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('deleted again');
    expect((await home.run(admin, ['list-service-users', '--json'])).stdout).toBe('[]\n');
  });

  test.each([
    [[]],
    [['--name', 'etl', '--role', 'emperor']],
    [['--name', 'etl', '--expires-in-days', '0']],
    [['--name', 'etl', '--expires-at', '2027-02-31']],
    [['--name', 'etl', '--expires-at', '2099-01-01', '--expires-in-days', '3']],
    [['--name', '']],
    [['--name', 'etl', '--scope', 'everything']],
  ])('refuses %j with exit 2', async (argv) => {
    const { stdout, stderr, code } = await home.run(admin, ['create-service-user', ...argv]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

describe('rotate-service-user-key', () => {
  test('prints in a pipe the new key on stdout and the id on stderr', async () => {
    const { id, api_key } = await create();
    const { stdout, stderr, code } = await home.run(admin, ['rotate-service-user-key', '--id', id]);
    expect({ stderr, code }).toEqual({ stderr: `id: ${id}\n`, code: 0 });
    expect(stdout).toMatch(API_KEY);
    expect(stdout.trim()).not.toBe(api_key);
    expect((await show(id)).keys).toHaveLength(1);
  });

  test('keeps the old key for the grace, by name', async () => {
    const { id } = await create();
    const argv = ['rotate-service-user-key', '--name', 'etl-pipeline', '--grace', '7d'];
    const { stdout, code } = await home.run(admin, argv, { terminal: true });
    expect(code).toBe(0);
    expect(stdout).toContain('the old one stops in 168 hours');
    expect((await show(id)).keys).toHaveLength(2);
  });

  test('says that the old key has stopped when the new one could not be written', async () => {
    const { id } = await create();
    const stdoutError = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const { stdout, stderr, code } = await home.run(admin, ['rotate-service-user-key', '--id', id, '--json'], {
      stdoutError,
    });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(JSON.parse(stderr).error).toMatchObject({
      code: 'output_failed',
      message: expect.stringContaining('old one has stopped'),
      hint: expect.stringContaining(`rotate-service-user-key --id ${id}`),
      exit_code: 1,
    });
  });

  test.each([['--grace=8d'], ['--grace=169h'], ['--grace=-1'], ['--grace=24'], ['--grace=soon']])(
    'refuses %s with exit 2',
    async (grace) => {
      const { stdout, stderr, code } = await home.run(admin, ['rotate-service-user-key', '--name', 'etl', grace]);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain('24h or 7d');
    },
  );
});

describe('service users', () => {
  test('are listed: tab-separated in a pipe, in a table on a terminal, as an array with --json', async () => {
    const { id } = await create('etl');
    const piped = await home.run(admin, ['list-service-users']);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout.split('\t').slice(0, 4)).toEqual([id, 'etl', 'tenant-user', 'true']);
    const table = await home.run(admin, ['list-service-users'], { terminal: true });
    expect(table.stdout).toMatch(/^ID +NAME +ROLE +ACTIVE +EXPIRES +LAST USED +FROM\n/);
    const json = await home.run(admin, ['list-service-users', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject([{ id, name: 'etl' }]);
  });

  test('are shown by id and by name', async () => {
    const { id } = await create('etl');
    for (const choice of [
      ['--id', id],
      ['--name', 'etl'],
    ]) {
      const { stdout, stderr, code } = await home.run(admin, ['get-service-user', ...choice]);
      expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
      expect(stdout).toContain(`id\t${id}\nname\tetl\n`);
    }
    const unknown = await home.run(admin, ['get-service-user', '--id', UNKNOWN_ID]);
    expect({ stdout: unknown.stdout, code: unknown.code }).toEqual({ stdout: '', code: 1 });
    const nameless = await home.run(admin, ['get-service-user', '--name', 'nobody']);
    expect({ stdout: nameless.stdout, code: nameless.code }).toEqual({ stdout: '', code: 1 });
    expect(nameless.stderr).toContain('list-service-users');
  });

  test('are changed by id and by name', async () => {
    const { id } = await create('etl');
    const argv = [
      'update-service-user',
      '--id',
      id,
      '--name',
      'elt',
      '--description',
      'renamed',
      '--role',
      'tenant-admin',
    ];
    const renamed = await home.run(admin, [...argv, '--json']);
    expect({ stderr: renamed.stderr, code: renamed.code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(renamed.stdout)).toMatchObject({ id, name: 'elt', description: 'renamed', role: 'tenant-admin' });
    const stopped = await home.run(admin, ['update-service-user', '--name', 'elt', '--active', 'false']);
    expect(stopped.stdout).toContain('active\tfalse\n');
    const nothing = await home.run(admin, ['update-service-user', '--name', 'elt']);
    expect({ stdout: nothing.stdout, code: nothing.code }).toEqual({ stdout: '', code: 2 });
  });

  test('are deleted, after a question on a terminal', async () => {
    const { id } = await create('etl');
    const declined = await home.run(admin, ['delete-service-user', '--name', 'etl'], {
      terminal: true,
      answers: ['n'],
    });
    expect({ stdout: declined.stdout, code: declined.code }).toEqual({ stdout: '', code: 0 });
    expect((await show(id)).name).toBe('etl');
    const { stdout, stderr, code } = await home.run(admin, ['delete-service-user', '--name', 'etl']);
    expect({ stdout, stderr, code }).toEqual({ stdout: '', stderr: 'Deleted service user etl.\n', code: 0 });
    const gone = await home.run(admin, ['get-service-user', '--id', id]);
    expect({ stdout: gone.stdout, code: gone.code }).toEqual({ stdout: '', code: 1 });
  });

  test.each(['get-service-user', 'update-service-user', 'delete-service-user', 'rotate-service-user-key'])(
    '%s refuses to guess which one is meant',
    async (command) => {
      const { stdout, stderr, code } = await home.run(admin, [command]);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain('--name');
    },
  );
});
