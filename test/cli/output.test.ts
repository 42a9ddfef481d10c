import {
  type Context,
  PangolinError,
  type ProgramDescriptor,
  printList,
  printObject,
  printSecret,
} from '@pangolin/shared/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { user } from './programs.ts';
import { type CliOptions, type Home, openHome } from './run-cli.ts';

let home: Home;
beforeAll(async () => {
  home = await openHome();
});
afterAll(() => home.remove());

/** A program with one command that does what the test says. */
const program = (run: (ctx: Context) => Promise<void>): ProgramDescriptor => ({
  name: 'probe',
  version: '1.2.3',
  summary: 'A probe.',
  firstSteps: [['probe do', 'what the test says']],
  commands: [(root, ctx) => void root.command('do').action(() => run(ctx()))],
});

const run = (act: (ctx: Context) => Promise<void>, argv: string[] = [], options?: CliOptions) =>
  home.run(program(act), ['do', ...argv], options);

const ESCAPES = 'a\u001b[2Jb\u009bc\u202ed\te\r\n::set-env::x';

describe('output', () => {
  test.each([{}, { terminal: true }])(
    'neutralises terminal escapes and line breaks from the server (%j)',
    async (options) => {
      const columns = [{ title: 'NAME', value: (row: { name: string }) => row.name }];
      const list = await run((ctx) => printList(ctx, columns, [{ name: ESCAPES }], 'none'), [], options);
      const object = await run((ctx) => printObject(ctx, {}, { name: ESCAPES, tags: [ESCAPES] }), [], options);
      const remark = await run((ctx) => ctx.say(ESCAPES), [], options);
      for (const { stdout, stderr, code } of [list, object, remark]) {
        expect(code).toBe(0);
        expect(stdout + stderr).toContain('a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\\te');
        expect(stdout + stderr).not.toMatch(/^::/m);
        expect((stdout + stderr).match(/\p{Cc}/gu)?.filter((one) => one !== '\n' && one !== '\t') ?? []).toEqual([]);
      }
    },
  );

  test('a pipe that closes ends a list quietly', async () => {
    const stdoutError = Object.assign(new Error('closed'), { code: 'EPIPE' });
    const result = await run((ctx) => printObject(ctx, {}, { name: 'x' }), [], { stdoutError });
    expect(result).toEqual({ stdout: '', stderr: '', code: 0 });
  });

  test('a full disk fails a list', async () => {
    const stdoutError = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const { stdout, stderr, code } = await run((ctx) => printObject(ctx, {}, { name: 'x' }), [], { stdoutError });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toMatch(/^Error: /);
  });

  test('a secret that could neither be written nor taken back names what to type', async () => {
    const stdoutError = Object.assign(new Error('full'), { code: 'ENOSPC' });
    const act = (ctx: Context) =>
      printSecret(ctx, {
        secret: 's3cret',
        json: {},
        plain: 's3cret\n',
        terminal: () => 's3cret\n',
        undo: () => Promise.reject(new PangolinError('unavailable', 'gone')),
        undone: 'It was revoked again.',
        remedy: 'Revoke it: probe revoke',
      });
    const { stdout, stderr, code } = await run(act, [], { stdoutError });
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain('Revoke it: probe revoke');
    expect(stderr).not.toContain('s3cret');
    expect(stderr).not.toContain('revoked again');
  });

  test('shortens the flexible column of a table that is too wide', async () => {
    const columns = [
      { title: 'ID', value: () => 'x'.repeat(36) },
      { title: 'TEXT', value: () => '宽'.repeat(200), flexible: true },
      { title: 'END', value: () => 'end' },
    ];
    const { stdout } = await run((ctx) => printList(ctx, columns, [1], 'none'), [], { terminal: true });
    expect(stdout).toContain('宽…');
    expect(stdout.split('\n')[1]).toMatch(/ {2}end$/);
    expect(stdout.split('\n')[1]?.length).toBeLessThan(200);
  });
});

describe('colour', () => {
  const fail = () => Promise.reject(new PangolinError('conflict', 'taken'));
  test.each([
    [{ NO_COLOR: '1' }, [], true, false],
    [{ NO_COLOR: '' }, [], true, true],
    [{ NO_COLOR: '' }, ['--no-color'], true, false],
    [{ NO_COLOR: '', FORCE_COLOR: '1' }, [], false, true],
    [{ NO_COLOR: '', FORCE_COLOR: '0' }, [], true, false],
    [{ NO_COLOR: '', FORCE_COLOR: '1' }, ['--no-color'], false, false],
    [{ NO_COLOR: '', TERM: 'dumb' }, [], true, false],
    [{ NO_COLOR: '' }, [], false, false],
  ])('with %j and %j on a terminal: %s, is on: %s', async (env, argv, terminal, colored) => {
    const { stderr, code } = await run(fail, argv, { env: env as Record<string, string>, terminal });
    expect({ code, colored: stderr.includes('\u001b[31m') }).toEqual({ code: 1, colored });
  });
});

describe('errors', () => {
  test('carry code, message, hint, fields and exit code with --json', async () => {
    const fields = [{ field: 'name', message: 'must not be empty' }];
    const error = new PangolinError('invalid_request', 'wrong', { hint: 'try', fields, retryAfterSeconds: 3 });
    const { stdout, stderr, code } = await run(() => Promise.reject(error), ['--json']);
    expect({ stdout, error: JSON.parse(stderr).error, code }).toEqual({
      stdout: '',
      error: { code: 'invalid_request', message: 'wrong', hint: 'try', exit_code: 2, fields, retry_after_seconds: 3 },
      code: 2,
    });
  });

  test('name each refused field', async () => {
    const fields = [{ field: 'name', message: 'must not be empty' }];
    const error = new PangolinError('invalid_request', 'The request is not valid.', { fields, hint: 'See --help.' });
    const { stdout, stderr, code } = await run(() => Promise.reject(error), ['--quiet']);
    expect({ stdout, stderr, code }).toEqual({
      stdout: '',
      stderr: 'Error: The request is not valid.\n  name: must not be empty\nSee --help.\n',
      code: 2,
    });
  });

  test('do not say twice what is wrong with a field', async () => {
    const fields = [
      { field: 'name', message: 'must not be empty' },
      { field: 'role', message: 'is missing' },
    ];
    const error = new PangolinError('invalid_request', "The field 'name' must not be empty.", { fields });
    const { stderr } = await run(() => Promise.reject(error), []);
    expect(stderr).toBe("Error: The field 'name' must not be empty.\n  role: is missing\n");
  });

  test('that nobody expected are a bug: exit 70, what to report, and nothing that may be a secret', async () => {
    const failing = () => Promise.reject(new TypeError('s3cret is not a function'));
    const { stdout, stderr, code } = await run(failing);
    expect({ stdout, code }).toEqual({ stdout: '', code: 70 });
    expect(stderr).toContain('bug in Pangolin (TypeError)');
    expect(stderr).toContain('probe 1.2.3');
    expect(stderr).not.toContain('s3cret');
    const debug = await run(failing, [], { env: { PANGOLIN_DEBUG: '1' } });
    expect(debug.stderr).toContain('s3cret is not a function');
  });

  test('in the place of an answer leave stdout empty', async () => {
    const { stdout, stderr, code } = await home.run(user, ['get-token'], { env: { PANGOLIN_TOKEN: 'x' } });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('PANGOLIN_TOKEN');
  });
});
