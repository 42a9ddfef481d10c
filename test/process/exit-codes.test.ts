import { once } from 'node:events';
import { createServer, type Server as TcpServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';

const TOKEN = 'eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiIxIn0.c2ln';

/** A server that takes connections and never answers. */
let silent: TcpServer;
let silentUrl: string;
let box: Box;

beforeAll(async () => {
  box = await openBox();
  silent = createServer((socket) => {
    socket.on('error', () => {});
    socket.resume();
  });
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  silentUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  await box.user(['get-token']);
});
afterAll(async () => {
  silent.close();
  await box.remove();
});

describe('the exit code', () => {
  test('is 0 when it is done', async () => {
    expect(await box.user(['list-tokens'])).toMatchObject({ stderr: '', code: 0 });
  });

  test('is 1 for a conflict, and stdout stays empty', async () => {
    const argv = ['create-service-user', '--name', 'nightly'];
    expect((await box.admin(argv)).code).toBe(0);
    expect(await box.admin(argv)).toMatchObject({ stdout: '', stderr: expect.stringContaining('nightly'), code: 1 });
  });

  test('is 1 for what is not found', async () => {
    const argv = ['get-token-info', '0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11'];
    expect(await box.user(argv)).toMatchObject({ stdout: '', code: 1 });
  });

  test.each([
    [['mint']],
    [['get-token', '--expires-in', '0']],
    [['get-token', '--no-such-flag']],
    [['get-token-info']],
    [['login', '--url', 'http://127.0.0.1:9']],
  ])('is 2 for the unusable command line %j', async (argv) => {
    const { stdout, stderr, code } = await box.user(argv);
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toMatch(/^Error: /);
  });

  test.each(['PANGOLIN_URL', 'PANGOLIN_TOKEN', 'PANGOLIN_DATA_DIR', 'PANGOLIN_ANYTHING'])(
    'is 2 where %s is set but empty, and names it',
    async (name) => {
      const { stdout, stderr, code } = await box.user(['get-token'], { env: { [name]: '' } });
      expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
      expect(stderr).toContain(`${name} is set but empty`);
    },
  );

  test.each([
    { PANGOLIN_TOKEN: TOKEN },
    { PANGOLIN_API_KEY: 'pgl_x' },
    { PANGOLIN_CLIENT_ID: 'etl', PANGOLIN_CLIENT_SECRET: 'pgl_x' },
    { PANGOLIN_USERNAME: 'ada', PANGOLIN_PASSWORD: 'x' },
    { PANGOLIN_TOKEN_COMMAND: 'echo x' },
  ])('is 2 for a credential without a server: %j', async (env) => {
    const { stdout, stderr, code } = await box.user(['get-token'], { env: { ...env } });
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 });
    expect(stderr).toContain('PANGOLIN_URL');
  });

  test('is 1 where nothing is configured and a command would not create data', async () => {
    const empty = await openBox();
    const { stdout, stderr, code } = await empty.user(['list-tokens']);
    expect({ stdout, code }).toEqual({ stdout: '', code: 1 });
    expect(stderr).toContain(empty.dataDir);
    expect(stderr).toContain('PANGOLIN_URL');
    await empty.remove();
  });

  test('is 5 where nobody listens', async () => {
    const env = { PANGOLIN_URL: 'http://127.0.0.1:1', PANGOLIN_TOKEN: TOKEN };
    expect(await box.user(['whoami'], { env })).toMatchObject({ stdout: '', code: 5 });
  });

  test('is 6 for a lifetime that the policy refuses', async () => {
    expect(await box.user(['get-token', '--expires-in', '366'])).toMatchObject({ stdout: '', code: 6 });
  });

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('after %s is %d, while it waits for a server', async (signal, expected) => {
    const connected = once(silent, 'connection');
    const env = { PANGOLIN_URL: silentUrl, PANGOLIN_TOKEN: TOKEN };
    const { child, ended } = box.start('pangolin-user', ['whoami'], { env });
    await connected;
    child.kill(signal);
    expect(await ended).toMatchObject({ stdout: '', code: expected });
  });

  test('stands in the error under --json, which is one object on stderr and nothing else', async () => {
    const { stdout, stderr, code } = await box.user(['get-token', '--expires-in', '366', '--json'], {
      env: { CI: 'true' },
    });
    expect({ stdout, code }).toEqual({ stdout: '', code: 6 });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'policy_refused', exit_code: 6 } });
  });
});
