import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { logIn, readLoginTarget } from '../../../packages/shared/src/auth/log-in.ts';
import { logOut } from '../../../packages/shared/src/auth/log-out.ts';
import { connect } from '../../../packages/shared/src/client/connect.ts';
import type { ConnectOptions, Surroundings } from '../../../packages/shared/src/client/connect-types.ts';
import { readSettings, removeProfile, useProfile, writeProfile } from '../../../packages/shared/src/config/profiles.ts';
import { openLoginStore } from '../../../packages/shared/src/credentials/store.ts';
import { type Answer, problem, type Received, startAnsweringServer } from '../answering-server.ts';
import { createSurroundings, NOW_MS } from '../surroundings.ts';

const USER = {
  id: 'u',
  username: 'ada',
  email: null,
  role: 'tenant-user',
  tenant_id: '11111111-1111-4111-8111-111111111111',
};
const HOUR_MS = 3_600_000;
const at = (ms: number) => new Date(ms).toISOString();

/** Answers like a server that knows ada, and says which credential it saw. */
function answer({ path, headers, text }: Received): Answer {
  if (path === '/api/v1/users/login') {
    const { username, password } = JSON.parse(text);
    if (password !== 'right') return problem(401, 'login_failed', 'Username or password is wrong');
    return { body: { token: `session-of-${username}`, expires_at: at(NOW_MS + HOUR_MS), user: { ...USER, username } } };
  }
  if (path === '/oauth2/token') {
    const form = new URLSearchParams(text);
    if (form.get('client_secret') === 'pgl_wrong')
      return { status: 401, body: { error: 'invalid_client', error_description: 'no such key' } };
    if (form.get('subject_token') === 'untrusted')
      return { status: 400, body: { error: 'invalid_request', error_description: 'no trust for this issuer' } };
    return {
      body: {
        access_token: `access-for-${form.get('client_id') ?? form.get('subject_token')}`,
        token_type: 'bearer',
        expires_in: 3600,
      },
    };
  }
  if (path.startsWith('/id-token'))
    return { body: { value: headers.authorization === 'Bearer gh' ? 'id-token' : 'untrusted' } };
  return { body: { ...USER, seen: headers.authorization ?? headers['x-api-key'] ?? 'nothing', credential: {} } };
}

async function serve() {
  const server = await startAnsweringServer(answer);
  onTestFinished(() => server.close());
  return server;
}

let notices: string[];
const options = (more: Partial<ConnectOptions> = {}): ConnectOptions => ({
  createDataDir: false,
  onNotice: (message) => void notices.push(message),
  ...more,
});

/** Connects, asks who one is, closes; answers the source and the credential the server saw. */
async function present(surroundings: Surroundings, more: Partial<ConnectOptions> = {}) {
  const { client, source } = await connect(options(more), surroundings);
  try {
    const me: object = await client.users.me();
    return { source, seen: 'seen' in me ? me.seen : undefined };
  } finally {
    await client.close();
  }
}

beforeEach(() => {
  notices = [];
});

describe('where the client finds its server', () => {
  test('the url, then PANGOLIN_URL, then the profile that is named, then the current one', async () => {
    const [byOption, byVariable, byName, byVariableName, current] = ['a', 'b', 'c', 'd', 'e'].map(
      (name) => `https://${name}.example`,
    );
    const env: Record<string, string> = { PANGOLIN_URL: byVariable ?? '', PANGOLIN_PROFILE: 'd' };
    const surroundings = await createSurroundings(env);
    for (const [name, url] of [
      ['e', current],
      ['c', byName],
      ['d', byVariableName],
    ])
      await writeProfile(surroundings, name ?? '', { url: url ?? '' });
    const find = async (env: Record<string, string>, more: Partial<ConnectOptions>) => {
      const { client, profile } = await connect(options(more), { ...surroundings, env });
      await client.close();
      return [client.origin, profile];
    };
    expect(await find(env, { url: byOption ?? '', profile: 'c' })).toEqual([byOption, null]);
    expect(await find(env, { profile: 'c' })).toEqual([byVariable, null]);
    expect(await find({ PANGOLIN_PROFILE: 'd' }, { profile: 'c' })).toEqual([byName, 'c']);
    expect(await find({ PANGOLIN_PROFILE: 'd' }, {})).toEqual([byVariableName, 'd']);
    expect(await find({}, {})).toEqual([current, 'e']);
  });

  test('nothing configured and no data is no_server, naming the data directory, and creates nothing', async () => {
    const surroundings = await createSurroundings();
    await expect(connect(options(), surroundings)).rejects.toMatchObject({
      code: 'no_server',
      exitCode: 1,
      message: `no server configured and no data at ${surroundings.homeDir}/.local/share/pangolin; set PANGOLIN_URL or log in`,
    });
  });

  test.each(['PANGOLIN_URL', 'PANGOLIN_TOKEN', 'PANGOLIN_PROFILE', 'PANGOLIN_DATA_DIR', 'PANGOLIN_ANYTHING'])(
    '%s set but empty is a usage error that names it',
    async (name) => {
      const error = { code: 'invalid_argument', exitCode: 2, message: `${name} is set but empty` };
      await expect(
        connect(options({ url: 'https://a.example' }), await createSurroundings({ [name]: '' })),
      ).rejects.toMatchObject(error);
    },
  );

  test.each([
    'PANGOLIN_TOKEN',
    'PANGOLIN_TOKEN_FILE',
    'PANGOLIN_API_KEY',
    'PANGOLIN_CLIENT_ID',
    'PANGOLIN_USERNAME',
    'PANGOLIN_TOKEN_COMMAND',
  ])('%s without a server is a usage error, never the embedded server', async (name) => {
    const surroundings = await createSurroundings({ [name]: 'value' });
    const connecting = connect(options({ createDataDir: true }), surroundings);
    await expect(connecting).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(name),
    });
  });

  test('a token on standard input without a server is a usage error', async () => {
    await expect(
      connect(options({ tokenFromStdin: 't', createDataDir: true }), await createSurroundings()),
    ).rejects.toMatchObject({ code: 'invalid_argument' });
  });

  test.each([
    'ftp://a.example',
    'a.example',
    'https://ada:secret@a.example',
    'https://a.example/api/v1',
    'https://a.example/?x=1',
    'https://',
  ])('the address %s is refused without repeating a password', async (url) => {
    const error = await connect(options({ url }), await createSurroundings()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'invalid_argument', exitCode: 2 });
    expect(String(error)).not.toContain('secret');
  });

  test('a tenant that is no UUID is refused', async () => {
    const surroundings = await createSurroundings({ PANGOLIN_TENANT_ID: 'acme' });
    await expect(connect(options({ url: 'https://a.example' }), surroundings)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  test('a profile that does not exist is refused, naming those that do', async () => {
    const surroundings = await createSurroundings();
    await writeProfile(surroundings, 'prod', { url: 'https://a.example' });
    await expect(connect(options({ profile: 'prd' }), surroundings)).rejects.toMatchObject({
      code: 'invalid_argument',
      hint: 'There are: prod',
    });
  });

  test('a damaged settings file is an error and not the embedded server', async () => {
    const surroundings = await createSurroundings();
    await mkdir(join(surroundings.homeDir, '.config', 'pangolin'), { recursive: true });
    await writeFile(join(surroundings.homeDir, '.config', 'pangolin', 'settings.json'), '{');
    await expect(connect(options({ createDataDir: true }), surroundings)).rejects.toMatchObject({
      code: 'settings_unreadable',
    });
  });
});

describe('who the client says it is', () => {
  test('the first source of the list that is there wins', async () => {
    const { origin } = await serve();
    const surroundings = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'file' });
    const tokenFile = join(surroundings.homeDir, 'token');
    await writeFile(tokenFile, 'from-file\n');
    await logIn({ url: origin, username: 'ada', password: 'right', onNotice: () => undefined }, surroundings);
    const sources: [string, Record<string, string>, string][] = [
      ['PANGOLIN_TOKEN', { PANGOLIN_TOKEN: 'from-variable' }, 'Bearer from-variable'],
      ['PANGOLIN_TOKEN_FILE', { PANGOLIN_TOKEN_FILE: tokenFile }, 'Bearer from-file'],
      ['PANGOLIN_API_KEY', { PANGOLIN_API_KEY: 'pgl_key' }, 'pgl_key'],
      ['PANGOLIN_CLIENT_ID', { PANGOLIN_CLIENT_ID: 'id', PANGOLIN_CLIENT_SECRET: 'pgl_key' }, 'Bearer access-for-id'],
      [
        'PANGOLIN_TOKEN_COMMAND',
        { PANGOLIN_TOKEN_COMMAND: 'echo from-command; echo a word >&2' },
        'Bearer from-command',
      ],
      ['PANGOLIN_USERNAME', { PANGOLIN_USERNAME: 'bob', PANGOLIN_PASSWORD: 'right' }, 'Bearer session-of-bob'],
      [
        'GitHub Actions',
        { ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/id-token?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'gh' },
        'Bearer access-for-id-token',
      ],
      ['credentials file', {}, 'Bearer session-of-ada'],
    ];
    for (const [index, [source, , seen]] of sources.entries()) {
      const env = Object.assign({}, surroundings.env, ...sources.slice(index).map(([, variables]) => variables), {
        PANGOLIN_URL: origin,
      });
      expect(await present({ ...surroundings, env })).toEqual({ source, seen });
      if (index === 0) {
        expect(await present({ ...surroundings, env }, { tokenFromStdin: 'from-stdin\n' })).toEqual({
          source: '--token-stdin',
          seen: 'Bearer from-stdin',
        });
      }
    }
    expect(notices).toEqual(['a word']);
  });

  test('nobody is nobody: no credential is sent', async () => {
    const { origin } = await serve();
    expect(await present(await createSurroundings(), { url: origin })).toEqual({ source: 'none', seen: 'nothing' });
  });

  test.each([
    ['PANGOLIN_CLIENT_ID', 'PANGOLIN_CLIENT_SECRET'],
    ['PANGOLIN_CLIENT_SECRET', 'PANGOLIN_CLIENT_ID'],
    ['PANGOLIN_USERNAME', 'PANGOLIN_PASSWORD'],
    ['PANGOLIN_PASSWORD', 'PANGOLIN_USERNAME'],
  ])('%s without %s is a usage error that names the missing one', async (there, missing) => {
    const surroundings = await createSurroundings({ [there]: 'value', PANGOLIN_URL: 'https://a.example' });
    await expect(connect(options(), surroundings)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: `${there} is set, but ${missing} is not`,
    });
  });

  test.each(['two words', 'two\nlines', 'ends\n', 'tab\t', 'schlüssel', 'nul\0'])(
    'a token with what no token has (%j) never reaches a header or a message',
    async (token) => {
      const surroundings = await createSurroundings({ PANGOLIN_TOKEN: token, PANGOLIN_URL: 'https://a.example' });
      const error = await connect(options(), surroundings).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'credential_malformed', exitCode: 3 });
      expect(String(error)).not.toContain(token);
    },
  );

  test('a session made of PANGOLIN_USERNAME ends with the client', async () => {
    const server = await serve();
    await present(
      await createSurroundings({ PANGOLIN_URL: server.origin, PANGOLIN_USERNAME: 'bob', PANGOLIN_PASSWORD: 'right' }),
    );
    expect(server.received.at(-1)).toMatchObject({
      path: '/api/v1/auth/revoke',
      headers: { authorization: 'Bearer session-of-bob' },
    });
  });

  test('one secret is obtained for all requests', async () => {
    const server = await serve();
    const surroundings = await createSurroundings({
      PANGOLIN_URL: server.origin,
      PANGOLIN_CLIENT_ID: 'id',
      PANGOLIN_CLIENT_SECRET: 'pgl_key',
    });
    const { client } = await connect(options(), surroundings);
    await Promise.all([client.users.me(), client.users.me(), client.users.me()]);
    await client.close();
    expect(server.received.filter(({ path }) => path === '/oauth2/token')).toHaveLength(1);
  });

  test.each([
    ['exit 7', 'PANGOLIN_TOKEN_COMMAND ended with exit code 7'],
    ['true', 'PANGOLIN_TOKEN_COMMAND printed nothing'],
    ['echo hidden; exit 1', 'PANGOLIN_TOKEN_COMMAND ended with exit code 1'],
  ])('a token command that fails (%s) is token_command_failed', async (command, message) => {
    const { origin } = await serve();
    const surroundings = await createSurroundings({ PANGOLIN_URL: origin, PANGOLIN_TOKEN_COMMAND: command });
    await expect(present(surroundings)).rejects.toMatchObject({ code: 'token_command_failed', exitCode: 3, message });
  });

  test('wrong client credentials are api_key_invalid', async () => {
    const { origin } = await serve();
    const surroundings = await createSurroundings({
      PANGOLIN_URL: origin,
      PANGOLIN_CLIENT_ID: 'id',
      PANGOLIN_CLIENT_SECRET: 'pgl_wrong',
    });
    await expect(present(surroundings)).rejects.toMatchObject({ code: 'api_key_invalid', exitCode: 3 });
  });

  test('a GitHub workflow asks for an identity for this server, and a server without trust is named', async () => {
    const server = await serve();
    const env = {
      PANGOLIN_URL: server.origin,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/id-token?v=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'other',
    };
    await expect(present(await createSurroundings(env))).rejects.toMatchObject({
      message: expect.stringMatching(/does not trust .*no trust for this issuer/),
    });
    expect(server.received[0]?.path).toBe(`/id-token?v=1&audience=${encodeURIComponent(server.origin)}`);
  });
});

describe('logins', () => {
  const account = { username: 'ada', password: 'right', onNotice: (message: string) => void notices.push(message) };
  const fileStore = { PANGOLIN_CREDENTIAL_STORE: 'file' };

  test('two on one host get a profile each, and both are used', async () => {
    const { origin } = await serve();
    const surroundings = await createSurroundings(fileStore);
    const first = await logIn({ url: origin, ...account }, surroundings);
    const second = await logIn({ url: origin, ...account, username: 'bob' }, surroundings);
    expect(first.profile).not.toBe(second.profile);
    expect((await logIn({ url: origin, ...account }, surroundings)).profile).toBe(first.profile);
    expect((await present(surroundings, { profile: first.profile })).seen).toBe('Bearer session-of-ada');
    expect((await present(surroundings, { profile: second.profile })).seen).toBe('Bearer session-of-bob');
    await useProfile(surroundings, second.profile);
    expect((await present(surroundings, { url: origin })).seen).toBe('Bearer session-of-bob');
  });

  test('are told to rest in a file where there is no keyring', async () => {
    const { origin } = await serve();
    await logIn({ url: origin, ...account }, await createSurroundings());
    expect(notices).toEqual([expect.stringContaining('credentials.json')]);
  });

  test('are never sent to another origin, not even when the profile’s url is changed', async () => {
    const [one, other] = [await serve(), await serve()];
    const surroundings = await createSurroundings(fileStore);
    const { profile } = await logIn({ url: one.origin, ...account }, surroundings);
    await writeProfile(surroundings, profile, { url: other.origin });
    expect(await present(surroundings)).toEqual({ source: 'none', seen: 'nothing' });
    expect(await present(surroundings, { url: other.origin, profile })).toEqual({ source: 'none', seen: 'nothing' });
  });

  test('do not take the place of a profile that stands for another server', async () => {
    const { origin } = await serve();
    const surroundings = await createSurroundings(fileStore);
    await writeProfile(surroundings, 'prod', { url: 'https://a.example' });
    const target = { url: origin, profile: 'prod' };
    await expect(readLoginTarget(target, surroundings)).rejects.toMatchObject({ code: 'conflict' });
    await expect(logIn({ ...target, ...account }, surroundings)).rejects.toMatchObject({ code: 'conflict' });
  });

  test('with a wrong password leave nothing behind', async () => {
    const { origin } = await serve();
    const surroundings = await createSurroundings(fileStore);
    await expect(logIn({ url: origin, ...account, password: 'wrong' }, surroundings)).rejects.toMatchObject({
      code: 'login_failed',
      exitCode: 3,
    });
    expect((await readSettings(surroundings)).profiles.size).toBe(0);
  });

  test('that expired say how to log in again', async () => {
    const { origin } = await serve();
    const surroundings = await createSurroundings(fileStore);
    const { profile } = await logIn({ url: origin, ...account }, surroundings);
    const later = { ...surroundings, now: () => NOW_MS + 2 * HOUR_MS };
    await expect(present(later)).rejects.toMatchObject({
      code: 'token_expired',
      exitCode: 3,
      hint: `Log in again: pangolin-user login --profile ${profile}`,
    });
  });

  test('are revoked and forgotten by a log-out, also when the server is gone', async () => {
    const server = await serve();
    const surroundings = await createSurroundings(fileStore);
    const { profile } = await logIn({ url: server.origin, ...account }, surroundings);
    const onNotice = account.onNotice;
    expect(await logOut({ onNotice }, surroundings)).toEqual([profile]);
    expect(server.received.at(-1)).toMatchObject({
      path: '/api/v1/auth/revoke',
      headers: { authorization: 'Bearer session-of-ada' },
    });
    await expect(logOut({ onNotice }, surroundings)).rejects.toMatchObject({ code: 'not_logged_in' });
    await logIn({ url: server.origin, ...account }, surroundings);
    await server.close();
    notices = [];
    expect(await logOut({ onNotice }, surroundings)).toEqual([profile]);
    expect(notices).toEqual([expect.stringContaining('still valid until')]);
    expect(await openLoginStore(surroundings).read(profile, server.origin)).toBeNull();
  });

  test('are found by a log-out where the profile now has another address, or is gone', async () => {
    const [first, second] = [await serve(), await serve()];
    const surroundings = await createSurroundings(fileStore);
    const { onNotice } = account;
    const moved = await logIn({ url: first.origin, profile: 'moved', ...account }, surroundings);
    await writeProfile(surroundings, 'moved', { url: second.origin });
    expect(await logOut({ onNotice }, surroundings)).toEqual([moved.profile]);
    expect(first.received.at(-1)).toMatchObject({
      path: '/api/v1/auth/revoke',
      headers: { authorization: 'Bearer session-of-ada' },
    });
    expect(second.received).toEqual([]);
    await expect(logOut({ all: true, onNotice }, surroundings)).rejects.toMatchObject({ code: 'not_logged_in' });
    await logIn({ url: second.origin, profile: 'moved', ...account }, surroundings);
    await logIn({ url: first.origin, profile: 'gone', ...account }, surroundings);
    await removeProfile(surroundings, 'gone');
    expect(await logOut({ url: first.origin, onNotice }, surroundings)).toEqual(['gone']);
    expect(await logOut({ all: true, onNotice }, surroundings)).toEqual(['moved']);
    expect(await openLoginStore(surroundings).list()).toEqual([]);
  });

  test('need a server', async () => {
    await expect(readLoginTarget({}, await createSurroundings())).rejects.toMatchObject({ code: 'no_server' });
  });
});
