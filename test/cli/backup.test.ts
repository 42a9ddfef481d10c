import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { API_KEY, admin, UUID, user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
let file: string;
beforeEach(async () => {
  home = await openHome();
  file = join(home.folder, 'pangolin.tgz');
});
afterEach(() => home.remove());

const run = (argv: string[], options?: CliOptions) => home.run(admin, argv, options);

/** An installation with a token and a key. */
async function found(): Promise<void> {
  expect(await home.run(user, ['get-token', '--name', 'notebook'])).toMatchObject({ code: 0 });
  expect((await run(['create-service-user', '--name', 'etl'])).stdout).toMatch(API_KEY);
}

describe('backup', () => {
  test('in a pipe prints what it made, field by field, and says where the master key is', async () => {
    await found();
    const { stdout, stderr, code } = await run(['backup', file]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^file\t${file}\nsize_bytes\t\\d+\ncreated_at\t[\\dTZ:-]+\ninstallation_id\t${UUID.source}\ntokens\t1\n`,
      ),
    );
    expect(stdout).toMatch(/\nfiles\t0\nhas_master_key\tfalse\n$/);
    expect(stderr).toContain(`Without the master key it cannot be restored: keep a copy of ${home.dataDir}/master.key`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test('on a terminal aligns the same', async () => {
    await found();
    const { stdout, code } = await run(['backup', file], { terminal: true });
    expect({ stdout, code }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^file {12,}\S+\n/) });
  });

  test('with --json tells all of its manifest', async () => {
    await found();
    const { stdout, stderr, code } = await run(['backup', file, '--json', '--include-master-key']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      format: 'pangolin-backup',
      format_version: 1,
      has_master_key: true,
      data_dir: home.dataDir,
      counts: { tokens: 1, service_users: 1, api_keys: 1 },
      files: { count: 0, vanished: [], skipped: [] },
    });
  });

  test('says loudly what a backup with the master key is', async () => {
    await found();
    const { stderr } = await run(['backup', file, '--include-master-key']);
    expect(stderr).toContain('whoever has this file can issue every credential');
  });

  test('replaces a file only when told to, and never writes to a pipe', async () => {
    await found();
    await run(['backup', file]);
    const first = await readFile(file);
    expect(await run(['backup', file])).toEqual({
      stdout: '',
      stderr: `Error: There is a file ${file} already.\nGive another name, or --force to replace it.\n`,
      code: 1,
    });
    expect(await readFile(file)).toEqual(first);
    expect(await run(['backup', file, '--force'])).toMatchObject({ code: 0 });
    expect(await run(['backup', '-'])).toMatchObject({ stdout: '', code: 2 });
    expect(await run(['backup'])).toMatchObject({ stdout: '', code: 2 });
  });

  test('makes no data directory, and is not for servers elsewhere', async () => {
    expect(await run(['backup', file])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no data at'),
    });
    await expect(stat(home.dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await run(['backup', file, '--url', 'https://x.example'])).toMatchObject({ code: 2 });
    const env = { PANGOLIN_DATABASE_URL: 'postgres://db/x' };
    expect(await run(['backup', file], { env })).toMatchObject({ code: 2, stderr: expect.stringContaining('pg_dump') });
  });
});

describe('restore', () => {
  test('in a pipe does what it is told, and says what ended', async () => {
    await found();
    await run(['backup', file]);
    const { stdout, stderr, code } = await run(['restore', file]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
    expect(stderr).toContain('Every token, API key and password will have ended.');
    expect(stderr).toContain(`Restored ${home.dataDir} (0 files put back).`);
    const { stdout: listed } = await home.run(user, ['list-tokens', '--json']);
    expect(JSON.parse(listed)).toEqual([]);
  });

  test('on a terminal asks first, and changes nothing when the answer is no', async () => {
    await found();
    await run(['backup', file]);
    const refused = await run(['restore', file], { terminal: true, answers: ['n'] });
    expect(refused).toMatchObject({ code: 0, stderr: expect.stringContaining('Nothing was changed.') });
    const { stdout } = await home.run(user, ['list-tokens', '--json']);
    expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ is_valid: true })]);
    const agreed = await run(['restore', file], { terminal: true, answers: ['y'] });
    expect(agreed.stderr).toContain(`Replace what is in ${home.dataDir} by the backup of`);
    expect(agreed.stderr).toContain('Restored');
  });

  test('with --keep-credentials lists what stays, by id, owner, name, last use and expiry', async () => {
    await found();
    await run(['backup', file]);
    const { stderr, code } = await run(['restore', file, '--keep-credentials']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/2 credentials will be accepted afterwards:\nTYPE +ID +OWNER +NAME +LAST USED +EXPIRES\n/);
    expect(stderr).toMatch(/\ntoken +[0-9a-f-]{36} +ada +notebook +never +\d{4}-\d\d-\d\d \d\d:\d\d\n/);
    expect(stderr).toMatch(/\napi_key +[0-9A-Za-z]{12} +etl +- +never +-\n/);
    const json = await run(['restore', file, '--keep-credentials', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      restored: true,
      revocations_known: true,
      surviving_credentials: [
        { type: 'token', owner: 'ada', name: 'notebook' },
        { type: 'api_key', owner: 'etl' },
      ],
    });
  });

  test('into a new directory needs the master key, and says that revocations cannot be known', async () => {
    await found();
    await run(['backup', file]);
    const dataDir = join(home.folder, 'restored');
    const argv = ['restore', file, '--keep-credentials', '--data-dir', dataDir];
    expect(await run(argv)).toMatchObject({ code: 1, stderr: expect.stringContaining('--master-key-file FILE') });
    await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
    const { stderr, code } = await run([...argv, '--master-key-file', join(home.dataDir, 'master.key')]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('CANNOT BE KNOWN') });
    const env = { PANGOLIN_DATA_DIR: dataDir };
    expect(JSON.parse((await home.run(user, ['list-tokens', '--json'], { env })).stdout)).toHaveLength(1);
  });

  test('with the master key in a variable stores none', async () => {
    await found();
    await run(['backup', file]);
    const dataDir = join(home.folder, 'restored');
    const env = { PANGOLIN_MASTER_KEY_FILE: join(home.dataDir, 'master.key') };
    expect(await run(['restore', file, '--data-dir', dataDir], { env })).toMatchObject({ code: 0 });
    await expect(stat(join(dataDir, 'master.key'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('refuses what is no backup, and a file that is not there', async () => {
    expect(await run(['restore', file])).toMatchObject({ stdout: '', code: 2 });
    const { stderr, code } = await run(['restore', new URL(import.meta.url).pathname]);
    expect({ stderr, code }).toMatchObject({ code: 1, stderr: expect.stringMatching(/^Error: It (?:is|holds)/) });
  });
});

describe('migrate-data', () => {
  const columns = /^installation\t1\t[0-9a-f]{64}\ntenants\t1\t[0-9a-f]{64}\n/;

  test('copies the data directory, prints rows and hashes by table, and says how to go on', async () => {
    await found();
    const to = `sqlite:${join(home.folder, 'copy.db')}`;
    const { stdout, stderr, code } = await run(['migrate-data', '--to', to]);
    expect({ stdout, code }).toEqual({ stdout: expect.stringMatching(columns), code: 0 });
    expect(stderr).toContain('tokens: 1 of 1\n');
    expect(stderr).toContain('with the same master key');
    const terminal = await run(['migrate-data', '--to', to], { terminal: true });
    expect(terminal.stdout).toMatch(/^TABLE +ROWS +SHA-256\n/);
    const json = await run(['migrate-data', '--from', home.dataDir, '--to', to, '--json']);
    expect(JSON.parse(json.stdout).tables).toContainEqual({ table: 'tokens', rows: 1, sha256: expect.any(String) });
  });

  test('needs a target, and warns of a password that others can read', async () => {
    await found();
    expect(await run(['migrate-data'])).toMatchObject({
      stdout: '',
      code: 2,
      stderr: expect.stringContaining('PANGOLIN_DATABASE_URL'),
    });
    const { stderr, code } = await run(['migrate-data', '--to', 'postgres://pangolin:secret@127.0.0.1:1/x']);
    expect(code).toBe(1);
    expect(stderr).toContain('Warning: everybody on this machine can read the password in --to');
    expect(stderr).not.toContain('secret');
  });
});
