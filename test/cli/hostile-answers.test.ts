import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { startAnsweringServer } from '../shared/answering-server.ts';
import { admin, UNKNOWN_ID, user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
beforeEach(async () => {
  home = await openHome();
});
afterEach(() => home.remove());

/** Runs a command line against a server that answers every request with this. */
async function runAgainst(body: unknown, argv: string[], { env, ...options }: CliOptions = {}) {
  const server = await startAnsweringServer(() => ({
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }));
  onTestFinished(() => server.close());
  const program = argv[0] === undefined || USER_COMMANDS.has(argv[0]) ? user : admin;
  const result = await home.run(program, [...argv, '--url', server.origin], {
    ...options,
    env: { PANGOLIN_TOKEN: 'a.b.c', ...env },
  });
  return { ...result, origin: server.origin };
}

const USER_COMMANDS = new Set([
  'get-token',
  'list-tokens',
  'get-token-info',
  'revoke-token',
  'whoami',
  'list-catalogs',
]);

const KEY_COMMANDS = [
  ['create-service-user', '--name', 'etl'],
  ['rotate-service-user-key', '--id', UNKNOWN_ID],
];
const TOKEN_COMMANDS = [['get-token'], ['create-access-token', '--for', 'ada', '--name', 'nightly']];
const PASSWORD_COMMANDS = [
  ['create-user', 'ada'],
  ['reset-password', '--id', UNKNOWN_ID],
];

describe('a secret from a server', () => {
  const BAD = ['a\nb', 'a\u001b[2J', 'a\u009b31m', 'a b', '', 'ä', 'a\r::add-mask::x', {}, 7, ['x']];
  const commands = [
    ...TOKEN_COMMANDS.flatMap((argv) => BAD.map((secret) => [{ token: secret }, argv] as const)),
    ...KEY_COMMANDS.flatMap((argv) => BAD.map((secret) => [{ id: UNKNOWN_ID, api_key: secret }, argv] as const)),
    ...PASSWORD_COMMANDS.flatMap((argv) =>
      BAD.map((secret) => [{ id: UNKNOWN_ID, username: 'ada', password: secret }, argv] as const),
    ),
  ];
  test.each(commands)('that is none (%j) never reaches the output of %j', async (body, argv) => {
    for (const options of [{}, { terminal: true }, { env: { GITHUB_ACTIONS: 'true' } }]) {
      const { stdout, stderr, code } = await runAgainst(body, [...argv], options);
      expect({ stdout, code }).toEqual({ stdout: '', code: 5 });
      expect(stderr).not.toContain('::add-mask::');
      expect(stderr).not.toMatch(/[^\n\P{Cc}]/u);
    }
  });

  test('comes with neighbours that are made harmless in the frame around it', async () => {
    const hostile = 'x\u001b[2J\n::set-env::y';
    const fields = { id: hostile, name: hostile, username: hostile, expires_at: hostile, role: hostile };
    const secrets = { token: 's3cret', api_key: 's3cret', password: 's3cret' };
    for (const argv of [...TOKEN_COMMANDS, ...KEY_COMMANDS, ...PASSWORD_COMMANDS]) {
      const { stdout, code, origin } = await runAgainst({ ...fields, ...secrets }, argv, { terminal: true });
      expect({ code, shown: stdout.includes('s3cret') }).toEqual({ code: 0, shown: true });
      expect(stdout).toContain('x\\u{1b}[2J\\n::set-env::y');
      expect(stdout).not.toMatch(/^::|[^\n\P{Cc}]/mu);
      if (KEY_COMMANDS.includes(argv)) expect(stdout).toContain(` ${origin}/api/v1/catalogs\n`);
    }
  });
});

describe('an answer of another shape', () => {
  const objects = [
    ...TOKEN_COMMANDS,
    ['get-token-info', UNKNOWN_ID],
    ['whoami'],
    ['get-settings'],
    ['update-settings', '--max-token-days', '30'],
    ['get-service-user', '--id', UNKNOWN_ID],
    ['update-service-user', '--id', UNKNOWN_ID, '--active', 'false'],
    ['update-user', '--id', UNKNOWN_ID, '--active', 'false'],
    ['create-catalog', 'sales'],
    ['count-audit-events'],
    ['get-audit-event', UNKNOWN_ID],
    ['verify-audit'],
    ['verify-audit', '--file', '-'],
    ['export-audit'],
    ['grant', 'VIEW_AUDIT', '--role', 'tenant-user'],
    ...KEY_COMMANDS,
    ...PASSWORD_COMMANDS,
  ];
  test.each(objects)('than an object is exit 5: %s %s', async (...argv) => {
    for (const body of [null, 'text', [], 7, true]) {
      const { stdout, stderr, code } = await runAgainst(body, [...argv, '--json']);
      expect({ stdout, code, error: JSON.parse(stderr).error.code, body }).toMatchObject({
        stdout: '',
        code: 5,
        error: 'unexpected_answer',
      });
    }
  });

  const lists = [
    ['list-tokens'],
    ['list-catalogs'],
    ['list-users'],
    ['list-service-users'],
    ['list-policies'],
    ['list-audit-events'],
    ['list-user-tokens', '--user-id', UNKNOWN_ID],
    ['list-access-tokens'],
    ['list-access-tokens', '--owner', 'ada', '--expired', '--revoked'],
  ];
  test.each(lists)('than a list of objects is exit 5: %s %s', async (...argv) => {
    for (const body of [null, 'text', {}, [null], ['text'], [[]]]) {
      const { stdout, code } = await runAgainst(body, argv);
      expect({ stdout, code, body }).toMatchObject({ stdout: '', code: 5 });
    }
  });

  test.each([
    [['whoami'], { credential: null }],
    [['whoami'], { credential: [] }],
    [['get-service-user', '--id', UNKNOWN_ID], { role: 'root', keys: {} }],
    [['get-service-user', '--id', UNKNOWN_ID], { role: 'root', keys: [null] }],
    [['update-settings', '--max-token-days', '30'], { max_token_days: 30 }],
    [['create-service-user', '--name', 'etl'], { id: UNKNOWN_ID }],
    [['count-audit-events'], { count: '7' }],
    [['verify-audit'], {}],
    [['verify-audit'], { seq: 7, events: 7, checkpoints: null }],
    [['verify-audit'], { seq: 7, events: 7, checkpoints: 0, complete: false }],
    [['verify-audit', '--file', '-'], { keys: {} }],
    [['export-audit'], { seq: '7' }],
    [['get-token'], {}],
    [['get-token'], { token: 'a.b.c', expires_at: {} }],
  ])('deeper inside is exit 5: %j with %j', async (argv, body) => {
    const { stdout, code } = await runAgainst(body, argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 5 });
  });

  test('in fields that are only shown fails nothing, and times that are none are shown as they are', async () => {
    const odd = {
      id: { toString: 1 },
      name: ['x', {}],
      role: 7,
      scopes: {},
      created_at: {},
      expires_at: 'not a\tdate',
    };
    const service = { ...odd, username: null, last_used: { toString: 1 }, last_used_at: 'never\u001b[2J' };
    for (const argv of [
      ['list-tokens'],
      ['list-access-tokens'],
      ['list-service-users'],
      ['list-users'],
      ['list-catalogs'],
    ]) {
      for (const terminal of [true, false]) {
        const { stdout, stderr, code } = await runAgainst([service], argv, { terminal });
        expect({ stderr, code, escapes: stdout.includes('\u001b') }).toEqual({ stderr: '', code: 0, escapes: false });
      }
    }
    const { stdout } = await runAgainst([service], ['list-tokens'], { terminal: true });
    expect(stdout).toContain('not a\\tdate');
    expect((await runAgainst(service, ['get-token-info', UNKNOWN_ID])).stdout).toContain('expires_at\tnot a\\tdate\n');
  });
});
