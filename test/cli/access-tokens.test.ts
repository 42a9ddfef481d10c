import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS, openTestServer } from '../server/harness.ts';
import { admin, JWT, UNKNOWN_ID, UUID, user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';
import { startServe } from './start-serve.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
  await home.run(admin, ['create-user', 'grace', '--quiet']);
  await home.run(admin, ['create-service-user', '--name', 'etl', '--quiet']);
});
afterEach(() => home.remove());

const create = (argv: string[], options?: CliOptions) => home.run(admin, ['create-access-token', ...argv], options);
const list = (argv: string[] = [], options?: CliOptions) => home.run(admin, ['list-access-tokens', ...argv], options);
const listed = async (...argv: string[]) =>
  JSON.parse((await list(['--json', ...argv])).stdout) as Record<string, unknown>[];
const namesOf = (tokens: Record<string, unknown>[]) => tokens.map(({ name }) => name);

/** What a token says of itself, and for how many minutes it lives. */
function readToken(token: string): Record<string, unknown> {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
  return { ...claims, minutes: (claims.exp - claims.iat) / 60 };
}

const NOTEBOOK = ['--for', 'grace', '--name', 'notebook'];

describe('create-access-token', () => {
  test('prints in a pipe the token and a newline on stdout, and its id on stderr', async () => {
    const { stdout, stderr, code } = await create([...NOTEBOOK, '--duration', 'P30D']);
    expect({ stderr, code }).toEqual({ stderr: expect.stringMatching(/^id: \S{36}\n$/), code: 0 });
    expect(stdout.slice(0, -1)).toMatch(JWT);
    expect(readToken(stdout)).toMatchObject({ username: 'grace', role: 'tenant-user', minutes: 30 * 1440 });
    expect(stderr).toContain(readToken(stdout).jti);
    const quiet = await create([...NOTEBOOK, '--duration', 'P30D', '--quiet']);
    expect({ stderr: quiet.stderr, code: quiet.code }).toEqual({ stderr: '', code: 0 });
    expect(quiet.stdout.slice(0, -1)).toMatch(JWT);
  });

  test('shows the box on a terminal, with whose it is', async () => {
    const { stdout, stderr, code } = await create([...NOTEBOOK, '--duration', 'ONE_DAY'], { terminal: true });
    const rule = '━'.repeat(66);
    expect(code).toBe(0);
    expect(stdout.split('\n').map((line) => line.replace(/^(Token|Id|Expires): .*/, '$1:'))).toEqual([
      '✅ Token generated successfully!',
      rule,
      'Token:',
      'Id:',
      'For: grace',
      'Expires:',
      rule,
      '',
      '⚠️  Save this token securely. It will not be shown again.',
      '💡 Use this token with PyIceberg:',
      "   catalog = load_catalog('default', uri='http://localhost:8080/v1/default', token='<TOKEN>')",
      '',
    ]);
    expect(stderr).not.toContain('id: ');
  });

  test('answers the whole object with --json, and nothing on stderr', async () => {
    const argv = ['-d', 'two words', '--scope', 'catalog:read', '--role', 'tenant-user', '--json'];
    const { stdout, stderr, code } = await create([...NOTEBOOK, ...argv], { terminal: true });
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      token: expect.stringMatching(JWT),
      name: 'notebook',
      description: 'two words',
      scopes: ['catalog:read'],
      role: 'tenant-user',
      expiry_source: 'policy_default',
    });
  });

  test('mints for a service user too, by name, id, or the URN that DataHub’s API has', async () => {
    const [{ id }] = JSON.parse((await home.run(admin, ['list-service-users', '--json'])).stdout);
    for (const named of ['etl', id, id.toUpperCase(), `urn:li:corpuser:service_${id}`]) {
      const { stdout, code } = await create(['--for', named, '--name', 'nightly', '--duration', 'P7D']);
      expect({ code, ...readToken(stdout) }).toMatchObject({ code: 0, sub: id, username: 'etl' });
    }
    const [nightly] = await listed('--owner', 'etl');
    expect(nightly).toMatchObject({ user_id: id, username: 'etl', name: 'nightly', created_by: expect.any(String) });
  });

  test('takes whom a URN names as it takes the name', async () => {
    const { stdout, code } = await create(['--for', 'urn:li:corpuser:grace', '--name', 'nightly']);
    expect({ code, ...readToken(stdout) }).toMatchObject({ code: 0, username: 'grace' });
    expect(namesOf(await listed('--owner', 'urn:li:corpuser:grace'))).toEqual(['nightly']);
    for (const nobody of ['urn:li:corpGroup:grace', `urn:li:corpuser:${readToken(stdout).sub}`])
      expect((await create(['--for', nobody, '--name', 'x'])).code).toBe(1);
  });

  test.each([
    ['P30D', 30 * 1440],
    ['P1M', 30 * 1440],
    ['P1Y', 365 * 1440],
    ['P1W', 7 * 1440],
    ['p2dt12h', 60 * 60],
    ['PT90M', 90],
    ['PT3600S', 60],
    ['ONE_HOUR', 60],
    ['one-week', 7 * 1440],
    ['ONE_MONTH', 30 * 1440],
    ['ONE_YEAR', 365 * 1440],
  ])('takes the duration %s', async (duration, minutes) => {
    const { stdout, code } = await create([...NOTEBOOK, '--duration', duration]);
    expect({ code, minutes: readToken(stdout).minutes }).toEqual({ code: 0, minutes });
  });

  test.each([
    ['30', 'P30D'],
    ['P', 'P30D'],
    ['P1.5D', 'PT12H'],
    ['-P1D', 'P30D'],
    ['', 'P30D'],
    ['P0D', 'P30D'],
    ['TWO_HOURS', 'ONE_HOUR, ONE_DAY, ONE_WEEK, ONE_MONTH, THREE_MONTHS, SIX_MONTHS, ONE_YEAR, NO_EXPIRY'],
    ['PT30S', 'whole minutes'],
    ['PT1M1S', 'whole minutes'],
  ])('refuses the duration %j with exit 2, naming what is accepted', async (duration, named) => {
    const { stdout, stderr, code } = await create([...NOTEBOOK, `--duration=${duration}`]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain(named);
  });

  test('takes --expires-in as get-token does, but not both', async () => {
    const { stdout } = await create([...NOTEBOOK, '--expires-in', '12h']);
    expect(readToken(stdout).minutes).toBe(12 * 60);
    const both = await create([...NOTEBOOK, '--expires-in', '12h', '--duration', 'P1D']);
    expect({ stdout: both.stdout, code: both.code }).toEqual({ stdout: '', code: 2 });
  });

  test('takes the policy’s default where nothing is asked, and says so', async () => {
    await home.run(admin, ['update-settings', '--default-token-days', '10']);
    const { stdout, stderr, code } = await create(NOTEBOOK);
    expect({ code, minutes: readToken(stdout).minutes }).toEqual({ code: 0, minutes: 10 * 1440 });
    expect(stderr).toMatch(/^The token expires at 20\S+Z, as the policy has it where nothing is asked for\.\nid: /);
  });

  test('is refused by policy with exit 6: too long, and without expiry unless that is allowed', async () => {
    const tooLong = await create([...NOTEBOOK, '--duration', 'P2Y']);
    expect({ stdout: tooLong.stdout, code: tooLong.code }).toEqual({ stdout: '', code: 6 });
    expect(tooLong.stderr).toContain('365 days at most');
    const endless = await create([...NOTEBOOK, '--duration', 'NO_EXPIRY']);
    expect({ stdout: endless.stdout, code: endless.code }).toEqual({ stdout: '', code: 6 });
    await home.run(admin, ['update-settings', '--allow-non-expiring-tokens', 'true']);
    const allowed = await create([...NOTEBOOK, '--duration', 'NO_EXPIRY', '--json']);
    expect(JSON.parse(allowed.stdout)).toMatchObject({ expires_at: null, expiry_source: 'requested' });
  });

  test('names the highest role that a token for somebody can have', async () => {
    const { stdout, stderr, code } = await create([...NOTEBOOK, '--role', 'tenant-admin']);
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr:
        "Error: A token of the role tenant-admin would be above its owner's role, tenant-user.\n" +
        'Ask for at most that: --role tenant-user\n',
      code: 4,
    });
  });

  test.each(['nobody', UNKNOWN_ID])('is exit 1 for %s, whom nobody knows, and says where to look', async (named) => {
    const { stdout, stderr, code } = await create(['--for', named, '--name', 'x']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(`There is no user or service user "${named}".`);
    expect(stderr).toContain('pangolin-admin list-users');
  });

  test.each([
    [['--for', 'grace']],
    [['--name', 'x']],
    [['--for', '', '--name', 'x']],
    [[...NOTEBOOK, '--role', 'emperor']],
    [[...NOTEBOOK, '--scope', 'catalog:drop']],
    [[...NOTEBOOK, 'surplus']],
  ])('refuses %j with exit 2', async (argv) => {
    const { stdout, stderr, code } = await create(argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });

  test('creates the data directory of embedded mode, where nobody is to be found yet', async () => {
    const empty = await openHome();
    onTestFinished(() => empty.remove());
    const { stdout, stderr, code } = await empty.run(admin, ['create-access-token', ...NOTEBOOK]);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('There is no user or service user "grace".');
    expect(await empty.run(admin, ['list-access-tokens', '--quiet'])).toEqual({ stdout: '', stderr: '', code: 0 });
  });

  test.each([[[]], [['--quiet']], [['--json']]])('masks the token under GitHub Actions with %j', async (flags) => {
    const argv = [...NOTEBOOK, '--duration', 'P1D', ...flags];
    const { stdout, stderr, code } = await create(argv, { env: { GITHUB_ACTIONS: 'true' } });
    const token = flags[0] === '--json' ? JSON.parse(stdout).token : stdout.trim();
    expect(code).toBe(0);
    expect(stderr.split('\n')[0]).toBe(`::add-mask::${token}`);
  });

  test.each(['ENOSPC', 'EPIPE'])('revokes a token that could not be written (%s)', async (errno) => {
    const stdoutError = Object.assign(new Error('write failed'), { code: errno });
    const { stdout, stderr, code } = await create(NOTEBOOK, { stdoutError });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('revoked again');
    expect(await listed('--all')).toMatchObject([{ is_valid: false, revoked_reason: 'it could not be shown' }]);
  });
});

describe('list-access-tokens', () => {
  beforeEach(async () => {
    await create([...NOTEBOOK, '--duration', 'P30D', '-d', 'one\ttwo']);
    await create(['--for', 'etl', '--name', 'nightly', '--duration', 'P7D']);
    await home.run(user, ['get-token', '--name', 'own']);
  });

  test('prints tab-separated lines in a pipe, newest first', async () => {
    const { stdout, stderr, code } = await list();
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const lines = stdout.split('\n').slice(0, -1);
    expect(lines.map((line) => line.split('\t').slice(1, 4))).toEqual([
      ['ada', 'own', 'valid'],
      ['etl', 'nightly', 'valid'],
      ['grace', 'notebook', 'valid'],
    ]);
    const [id, , , , createdBy, expires, used, description, created, ...rest] = lines[2]?.split('\t') ?? [];
    expect(id).toMatch(UUID);
    expect({ createdBy, used, description, rest }).toEqual({
      createdBy: 'ada',
      used: '',
      description: 'one\\ttwo',
      rest: ['', ''],
    });
    expect(Date.parse(expires ?? '') - Date.parse(created ?? '')).toBe(30 * DAY_MS);
  });

  test('prints a table on a terminal, and the array with --json', async () => {
    const { stdout, code } = await list([], { terminal: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID +OWNER +NAME +STATUS +CREATED BY +EXPIRES +LAST USED\n/);
    expect(stdout).toMatch(/^\S{36} +etl +nightly +valid +ada +20\S+ \d\d:\d\d +-$/m);
    const json = await list(['--json'], { terminal: true });
    expect({ stderr: json.stderr, names: namesOf(JSON.parse(json.stdout)) }).toEqual({
      stderr: '',
      names: ['own', 'nightly', 'notebook'],
    });
    expect(json.stdout).not.toContain('eyJ');
  });

  test('lists those of one user or service user, by name or id', async () => {
    const [{ id }] = JSON.parse((await home.run(admin, ['list-users', '--json'])).stdout);
    for (const [owner, names] of [
      ['grace', ['notebook']],
      [id, ['notebook']],
      ['etl', ['nightly']],
      ['ada', ['own']],
    ])
      expect(namesOf(await listed('--owner', owner))).toEqual(names);
    const unknown = await list(['--owner', 'nobody']);
    expect({ stdout: unknown.stdout, code: unknown.code }).toEqual({ stdout: '', code: 1 });
    expect(unknown.stderr).toContain('There is no user or service user "nobody".');
  });

  test('lists expired and revoked ones when it is asked to', async () => {
    const server = await openTestServer({ dataDir: home.dataDir });
    server.clock.nowMs = Date.now() - DAY_MS;
    const body = JSON.stringify({ name: 'over', username: 'grace', expires_in_hours: 1 });
    await server.owner.send('POST', '/api/v1/tokens', { body, headers: { 'content-type': 'application/json' } });
    await server.close();
    const [own] = await listed('--owner', 'ada');
    await home.run(admin, ['revoke-token-by-id', '--id', `urn:li:dataHubAccessToken:${own?.id}`]);
    expect(namesOf(await listed())).toEqual(['nightly', 'notebook']);
    expect(namesOf(await listed('--expired'))).toEqual(['over']);
    expect(namesOf(await listed('--revoked'))).toEqual(['own']);
    expect(namesOf(await listed('--expired', '--revoked'))).toEqual(['over', 'own']);
    expect(namesOf(await listed('--all'))).toEqual(['own', 'nightly', 'notebook', 'over']);
    expect((await list(['--expired'])).stdout).toContain('\tover\texpired\t');
    const none = await list(['--expired', '--owner', 'etl']);
    expect(none).toEqual({ stdout: '', stderr: 'No such tokens.\n', code: 0 });
    expect((await list(['--expired', '--owner', 'etl', '--json'])).stdout).toBe('[]\n');
  });

  test('lists ten thousand, each once, and ends quietly when nobody reads on', async () => {
    const server = await openTestServer({ dataDir: home.dataDir });
    const { deps } = server;
    const template = await deps.db.read.selectFrom('tokens').selectAll().where('name', '=', 'nightly').execute();
    for (let thousand = 0; thousand < 10; thousand += 1) {
      const rows = Array.from({ length: 1_000 }, (_, at) => {
        const id = deps.newId();
        return { ...(template[0] as (typeof template)[number]), id, root_id: id, name: `n${thousand * 1_000 + at}` };
      });
      await deps.db.transact((tx) => tx.insertInto('tokens').values(rows).execute());
    }
    await server.close();
    const { stdout, code } = await list(['--owner', 'etl']);
    const names = stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t')[2]);
    expect({ code, lines: names.length, different: new Set(names).size }).toEqual({
      code: 0,
      lines: 10_001,
      different: 10_001,
    });
    const stdoutError = Object.assign(new Error('closed'), { code: 'EPIPE' });
    expect(await list([], { stdoutError })).toEqual({ stdout: '', stderr: '', code: 0 });
  }, 60_000);

  test.each([[['--all', '--expired']], [['--owner']], [['--owner', '']], [['grace']]])(
    'refuses %j with exit 2',
    async (argv) => {
      const { stdout, stderr, code } = await list(argv);
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toMatch(/^Error: /);
    },
  );

  test('does not create data', async () => {
    const empty = await openHome();
    onTestFinished(() => empty.remove());
    const { stdout, stderr, code } = await empty.run(admin, ['list-access-tokens']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(`no data at ${empty.dataDir}`);
  });
});

test('at a server, who may not gets exit 4, and who was granted it needs no other right', async () => {
  const own = async (...argv: string[]) => (await create([...argv, '--duration', 'P1D', '--quiet'])).stdout.trim();
  const grace = await own('--for', 'grace', '--name', 'hers');
  const etl = await own('--for', 'etl', '--name', 'its');
  const serve = await startServe(home);
  onTestFinished(async () => void (await serve.stop()));
  const as = (token: string) => ({ env: { PANGOLIN_URL: serve.url, PANGOLIN_TOKEN: token } });
  for (const refused of [await list([], as(grace)), await create(['--for', 'etl', '--name', 'x'], as(grace))]) {
    expect({ stdout: refused.stdout, code: refused.code }).toEqual({ stdout: '', code: 4 });
    expect(refused.stderr).toContain('MANAGE_ACCESS_TOKENS');
  }
  await home.run(admin, ['grant', 'MANAGE_ACCESS_TOKENS', '--service-user', 'etl', '--quiet']);
  const fresh = await own('--for', 'etl', '--name', 'granted');
  expect(namesOf(JSON.parse((await list(['--json'], as(fresh))).stdout))).toEqual(['granted', 'its', 'hers']);
  const minted = await create([...NOTEBOOK], as(fresh));
  expect({ code: minted.code, username: readToken(minted.stdout).username }).toEqual({ code: 0, username: 'grace' });
  expect(minted.stderr).toMatch(/^The token expires with the credential it was minted with, at 20\S+Z\.\nid: /);
  expect((await create(['--for', 'etl', '--name', 'x', '--role', 'root'], as(fresh))).code).toBe(4);
  expect(etl).toMatch(JWT);
});
