import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServiceUser, DAY_MS, mint, openTestServer } from '../server/harness.ts';
import { admin, user } from './programs.ts';
import { type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
  await home.run(user, ['get-token', '--name', 'first']);
});
afterEach(() => home.remove());

const DEFAULTS = [
  'default_token_days\t90',
  'max_token_days\t365',
  'default_key_days\tnone',
  'max_key_days\tnone',
  'max_tokens_per_user\tunlimited',
  'allow_non_expiring_tokens\tfalse',
  'session_hours\t12',
  'role_limits\t',
  'allowed_networks\tany',
  'allowed_token_durations\tany',
  '',
].join('\n');

const change = (...argv: string[]) => home.run(admin, ['update-settings', ...argv]);
const shown = async () => (await home.run(admin, ['get-settings'])).stdout;

describe('get-settings', () => {
  test('shows them in a pipe, on a terminal and with --json', async () => {
    const piped = await home.run(admin, ['get-settings']);
    expect(piped).toEqual({ stdout: DEFAULTS, stderr: '', code: 0 });
    const terminal = await home.run(admin, ['get-settings'], { terminal: true });
    expect(terminal.stdout).toMatch(/^default_token_days +90\n/);
    const json = await home.run(admin, ['get-settings', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ max_token_days: 365, max_tokens_per_user: null, role_limits: {} });
  });
});

describe('update-settings', () => {
  test('changes them, after a look at what would stop', async () => {
    await home.run(admin, ['create-service-user', '--name', 'etl']);
    const argv = ['--max-token-days', '30', '--max-key-days', '60'];
    const dry = await change(...argv, '--dry-run');
    expect({ stderr: dry.stderr, code: dry.code }).toEqual({
      stderr: '1 valid token and 1 valid key would be refused.\n',
      code: 0,
    });
    expect(dry.stdout).toContain('affected_count\t1\n');
    expect(dry.stdout).toContain('affected_key_count\t1\n');
    expect(await shown()).toBe(DEFAULTS);
    const changed = await change(...argv, '--max-tokens-per-user', '3', '--json');
    expect({ stderr: changed.stderr, code: changed.code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(changed.stdout)).toMatchObject({
      before: { max_token_days: 365, max_tokens_per_user: null },
      max_token_days: 30,
      max_tokens_per_user: 3,
      dry_run: false,
      affected_keys: [{ service_user_name: 'etl', expires_at: null }],
    });
    const unlimited = await change('--max-tokens-per-user', 'unlimited', '--max-key-days', 'none');
    expect(unlimited.stdout).toContain('max_tokens_per_user\tunlimited\n');
    expect(unlimited.stdout).toContain('max_key_days\tnone\n');
  });

  test('shows on a terminal what was and what is, and what is refused from now on', async () => {
    await home.run(admin, ['create-service-user', '--name', 'etl']);
    const argv = ['update-settings', '--max-token-days', '30', '--max-key-days', '60'];
    const { stdout, stderr, code } = await home.run(admin, argv, { terminal: true });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^default_token_days +90 → 30\nmax_token_days +365 → 30\nmax_key_days +none → 60\n/);
    expect(stdout).toMatch(/^TOKEN +WHOSE +NAME +EXPIRES\n[0-9a-f-]{36} +ada +first +20/m);
    expect(stdout).toMatch(/^KEY +SERVICE USER +CREATED +EXPIRES\npgl_\w{12}_… +etl +20[^\n]+ never\n/m);
    expect(stderr).toContain('These settings changed:\n');
    expect(stderr).toContain('1 valid token and 1 valid key are now refused.\n');
    const again = await home.run(admin, argv, { terminal: true });
    expect(again.stderr).toContain('Nothing changes: the settings are as asked already.\n');
  });

  test('limits one role alone, and takes the limit away again', async () => {
    const limited = await change('--role', 'TenantAdmin', '--max-token-days', '30', '--default-key-days', '7');
    expect({ stderr: limited.stderr, code: limited.code }).toEqual({ stderr: '', code: 0 });
    expect(limited.stdout).toContain('role_limits\ttenant-admin.max_token_days=30 tenant-admin.default_key_days=7\n');
    const mint = (role: string) => home.run(user, ['get-token', '--role', role, '--expires-in', '31']);
    expect((await mint('tenant-user')).code).toBe(0);
    const { stderr, code } = await mint('tenant-admin');
    expect({ code, stderr }).toEqual({ code: 6, stderr: expect.stringContaining('30 days at most') });
    await change('--role', 'tenant-admin', '--max-token-days', 'none', '--default-key-days', 'none');
    expect(await shown()).toBe(DEFAULTS);
  });

  test('allows tokens without expiry, which are shown as such', async () => {
    const refused = await home.run(user, ['get-token', '--expires-in', 'never']);
    expect({ stdout: refused.stdout, code: refused.code }).toEqual({ stdout: '', code: 6 });
    expect(refused.stderr).toContain('--expires-in 365');
    await change('--allow-non-expiring-tokens', 'true');
    const box = await home.run(user, ['get-token', '--expires-in', 'never', '-d', 'lasting'], { terminal: true });
    expect(box.stdout).toContain('\nExpires: never\n');
    const listed = await home.run(user, ['list-tokens']);
    expect(
      listed.stdout
        .split('\n')
        .find((line) => line.includes('lasting'))
        ?.split('\t')[6],
    ).toBe('never');
    const json = await home.run(user, ['get-token', '--expires-in', 'never', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ expires_at: null, expiry_source: 'requested' });
    const info = await home.run(user, ['get-token-info', JSON.parse(json.stdout).id]);
    expect(info.stdout).toContain('expires_at\tnever\n');
  });

  test('takes durations of DataHub’s API instead of those before, and opens up again', async () => {
    const changed = await change('--allow-token-duration', 'ONE_DAY', 'ONE_HOUR');
    expect({ stderr: changed.stderr, code: changed.code }).toEqual({ stderr: '', code: 0 });
    expect(changed.stdout).toContain('allowed_token_durations\tONE_HOUR ONE_DAY\n');
    const again = await change('--allow-token-duration', 'ONE_HOUR', '--allow-token-duration', 'ONE_DAY');
    expect(again.stderr).toBe('Nothing changes: the settings are as asked already.\n');
    const argv = ['update-settings', '--allow-token-duration', 'ONE_WEEK'];
    const dry = await home.run(admin, [...argv, '--dry-run'], { terminal: true });
    expect(dry.stdout).toMatch(/^allowed_token_durations +ONE_HOUR ONE_DAY → ONE_WEEK\n$/);
    const json = await home.run(admin, [...argv, '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      before: { allowed_token_durations: ['ONE_HOUR', 'ONE_DAY'] },
      allowed_token_durations: ['ONE_WEEK'],
    });
    const wrong = await change('--allow-token-duration', 'TWO_HOURS');
    expect({ stdout: wrong.stdout, code: wrong.code }).toEqual({ stdout: '', code: 2 });
    expect(wrong.stderr).toContain(
      'ONE_HOUR, ONE_DAY, ONE_WEEK, ONE_MONTH, THREE_MONTHS, SIX_MONTHS, ONE_YEAR, NO_EXPIRY',
    );
    await change('--allow-any-token-duration');
    expect(await shown()).toBe(DEFAULTS);
  });

  test('takes networks instead of those before, corrects one with host bits, and opens up again', async () => {
    expect((await change('--allow-network', '10.0.0.0/8', '2001:DB8::/32')).stdout).toContain(
      'allowed_networks\t10.0.0.0/8 2001:db8::/32\n',
    );
    const wrong = await change('--allow-network', '10.1.2.3/8');
    expect({ stdout: wrong.stdout, code: wrong.code }).toEqual({ stdout: '', code: 2 });
    expect(wrong.stderr).toContain('the network is 10.0.0.0/8');
    await change('--allow-any-network');
    expect(await shown()).toBe(DEFAULTS);
  });

  test.each([
    [[]],
    [['--max-token-days', '0']],
    [['--max-token-days', 'none']],
    [['--max-tokens-per-user', 'many']],
    [['--role', 'tenant-admin']],
    [['--role', 'tenant-admin', '--session-hours', '3']],
    [['--role', 'king', '--max-token-days', '3']],
    [['--allow-non-expiring-tokens', 'perhaps']],
    [['--allow-any-network', '--allow-network', '10.0.0.0/8']],
    [['--allow-any-token-duration', '--allow-token-duration', 'ONE_HOUR']],
    [['--allow-token-duration']],
    [['--role', 'tenant-admin', '--allow-token-duration', 'ONE_HOUR']],
    [['--role', 'tenant-admin', '--allow-any-token-duration']],
  ])('refuses %j', async (argv) => {
    const { stdout, stderr, code } = await change(...argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});

describe('keys of service users', () => {
  test('live as long as the policy has it where nothing is asked, and are told to', async () => {
    await change('--default-key-days', '30', '--max-key-days', '60');
    const created = await home.run(admin, ['create-service-user', '--name', 'etl']);
    expect(created.stdout).toMatch(/^pgl_\w+\n$/);
    expect(created.stderr).toMatch(/^The key expires at 20\S+Z, as the policy has it .+\nid: [0-9a-f-]{36}\n$/);
    const tooLong = await home.run(admin, ['rotate-service-user-key', '--name', 'etl', '--expires-in-days', '61']);
    expect({ stdout: tooLong.stdout, code: tooLong.code }).toEqual({ stdout: '', code: 6 });
    expect(tooLong.stderr).toContain('API keys live 60 days at most here');
    const asked = await home.run(admin, ['rotate-service-user-key', '--name', 'etl', '--expires-in-days', '60']);
    expect(asked.stderr).not.toContain('policy');
  });

  test('are bound to networks when they are made and later', async () => {
    await home.run(admin, ['create-service-user', '--name', 'etl', '--allow-network', '10.1.0.0/16', '192.0.2.7']);
    const fields = async () => (await home.run(admin, ['get-service-user', '--name', 'etl'])).stdout;
    expect(await fields()).toContain('allowed_networks\t10.1.0.0/16 192.0.2.7/32\n');
    const update = (...argv: string[]) => home.run(admin, ['update-service-user', '--name', 'etl', ...argv]);
    expect((await update('--allow-network', '2001:db8::/32')).stdout).toContain('allowed_networks\t2001:db8::/32\n');
    expect((await update('--allow-any-network')).stdout).toContain('allowed_networks\tany\n');
    expect((await update('--allow-any-network', '--allow-network', '10.0.0.0/8')).code).toBe(2);
  });
});

/** A token and a service user that were made a hundred days ago, and not used since. */
async function makeForgotten() {
  const server = await openTestServer({ dataDir: home.dataDir });
  server.clock.nowMs = Date.now() - 100 * DAY_MS;
  const { id } = await mint(server, server.owner, { name: 'forgotten', expires_in_days: 365 });
  await createServiceUser(server, { name: 'idle' });
  await server.close();
  return id;
}

describe('what nobody uses', () => {
  const prune = (argv: string[], options?: Parameters<Home['run']>[2]) =>
    home.run(admin, ['prune-tokens', '--unused-for', '90d', ...argv], options);

  test('is listed, and revoked when it is said so', async () => {
    const id = await makeForgotten();
    const dry = await prune(['--dry-run']);
    expect({ stderr: dry.stderr, code: dry.code }).toEqual({ stderr: '1 token would be revoked.\n', code: 0 });
    expect(dry.stdout.split('\t').slice(0, 4)).toEqual([id, 'personal', 'ada', 'forgotten']);
    const doubted = await prune([], { terminal: true, answers: ['n'] });
    expect({ stdout: doubted.stdout, code: doubted.code }).toEqual({ stdout: expect.stringContaining(id), code: 0 });
    expect(doubted.stderr).toContain('Revoke 1 token that nobody used for 90 days?');
    expect(doubted.stderr).toContain('Nothing was changed.');
    const confirmed = await prune([], { terminal: true, answers: ['y'] });
    expect(confirmed.stdout).toMatch(/^ID +KIND +WHOSE +DESCRIPTION +CREATED +LAST USED\n/);
    expect(confirmed.stderr).toContain('Revoked 1 token.\n');
    expect(await prune(['--yes'])).toMatchObject({ stdout: '', code: 0 });
    expect((await home.run(user, ['get-token-info', id])).stdout).toMatch(/^revoked_reason\tnot used since 20/m);
  });

  test('is revoked without a question in a script, with the answer of the wire', async () => {
    const id = await makeForgotten();
    const { stdout, stderr, code } = await prune(['--json']);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({ dry_run: false, count: 1, revoked_count: 1, tokens: [{ id }] });
  });

  test('are service users too, and for how long', async () => {
    await makeForgotten();
    await home.run(admin, ['create-service-user', '--name', 'busy']);
    const argv = ['list-service-users', '--unused-for', '90d'];
    const piped = await home.run(admin, argv);
    expect({ stderr: piped.stderr, code: piped.code }).toEqual({ stderr: '', code: 0 });
    expect(piped.stdout).toMatch(/^[0-9a-f-]{36}\tidle\t.*\t100\n$/);
    const table = await home.run(admin, argv, { terminal: true });
    expect(table.stdout).toMatch(/UNUSED FOR\n.* idle .* 100 days, never used\n$/);
    const json = await home.run(admin, [...argv, '--json']);
    expect(JSON.parse(json.stdout).map((one: { name: string }) => one.name)).toEqual(['idle']);
  });

  test('is no token and no service user yet', async () => {
    await home.run(admin, ['create-service-user', '--name', 'etl']);
    for (const argv of [
      ['prune-tokens', '--unused-for', '1d'],
      ['prune-tokens', '--unused-for', '90', '--dry-run'],
      ['list-service-users', '--unused-for', '90d'],
    ]) {
      const { stdout, stderr, code } = await home.run(admin, argv);
      expect({ stdout, code }).toEqual({ stdout: '', code: 0 });
      expect(stderr).toMatch(/^There is no (?:token|service user) that nobody used for (?:a day|90 days)\.\n$/);
    }
    const json = await home.run(admin, ['prune-tokens', '--unused-for', '90d', '--dry-run', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ count: 0, tokens: [], dry_run: true, next_cursor: null });
  });

  test.each([
    [['prune-tokens']],
    [['prune-tokens', '--unused-for', '0']],
    [['prune-tokens', '--unused-for', '90h']],
    [['prune-tokens', '--unused-for', '3651']],
    [['list-service-users', '--unused-for', '-1d']],
  ])('refuses %j', async (argv) => {
    const { stdout, stderr, code } = await home.run(admin, argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });
});
