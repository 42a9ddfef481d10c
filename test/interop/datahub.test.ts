import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, type Ended, openBox } from '../process/box.ts';
import { readClaims, readId } from '../process/credentials.ts';
import { bearer, isAccepted, request } from '../process/request.ts';
import { type Server, startServer } from '../process/start-server.ts';
import { inSeconds } from './expiry.ts';
import { interpreter, openPython, type Python, runProgram } from './python.ts';

const PASSWORD = 'correct-horse-battery-staple';
const DATAHUB = 'urn:li:corpuser:datahub';

/** Nothing is reported to anybody about these runs. */
const QUIET = { DATAHUB_TELEMETRY_ENABLED: 'false' };

let box: Box;
let server: Server;
let python: Python;
beforeAll(async () => {
  box = await openBox();
  server = await startServer(box);
  await createUser('datahub', 'tenant-user');
  await createUser('admin', 'tenant-admin');
  python = openPython('datahub_client.py', box.home, null, interpreter('INTEROP_DATAHUB'), QUIET);
});
afterAll(async () => {
  await python?.close();
  await box?.remove();
});

async function createUser(name: string, role: string): Promise<string> {
  const argv = ['create-user', name, '--role', role, '--email', `${name}@example.org`, '--password-stdin', '--json'];
  const { stdout, stderr, code } = await box.admin(argv, { stdin: PASSWORD });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout).id;
}

/** DataHub's command line. */
const datahub = (...argv: string[]): Promise<Ended> =>
  runProgram(box.home, join(dirname(interpreter('INTEROP_DATAHUB')), 'datahub'), argv, QUIET);
const logInAs = (username: string, password = PASSWORD, host = server.url): Promise<Ended> =>
  datahub('init', '--host', host, '--username', username, '--password', password);

/** What `datahub init` wrote. */
async function readConfig(): Promise<{ host: string; token: string }> {
  const text = await readFile(join(box.home, '.datahubenv'), 'utf8');
  const read = (name: string) => new RegExp(`^ {2}${name}: (\\S+)$`, 'm').exec(text)?.[1] ?? '';
  return { host: read('server'), token: read('token') };
}

const connect = async (username: string) => {
  const token = (await python.call('generate', {
    server: server.url,
    username,
    password: PASSWORD,
    validity: 'ONE_DAY',
  })) as string;
  await python.call('connect', { server: server.url, token });
  return token;
};
const graphql = (query: string, variables: object = {}) => python.call('graphql', { query, variables });
const create = (name: string, username = 'datahub') =>
  python.call('create', { username, name }) as Promise<{ token: string; id: string }>;

describe('datahub init', () => {
  test('logs in by name and password, and keeps a token that is one of ours', async () => {
    expect(await logInAs('datahub')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('Generated token (expires: ONE_MONTH)'),
    });
    const { host, token } = await readConfig();
    expect(host).toBe(server.url);
    const { text } = await request(`${server.origin}/api/v1/users/me/tokens`, { headers: bearer(token) });
    const tokens: { kind: string; name: string; id: string }[] = JSON.parse(text);
    expect(tokens.filter(({ kind }) => kind === 'personal')).toMatchObject([
      { id: readClaims(token).jti, name: expect.stringMatching(/^cli token 20\d\d-/) },
    ]);
  });

  test('and then its commands ask with it: graphql, get, exists, check', async () => {
    await logInAs('datahub');
    const [me, entity, known, unknown, missing, config] = await Promise.all([
      datahub('graphql', '--query', '{ me { corpUser { urn username } } }'),
      datahub('get', '--urn', DATAHUB),
      datahub('exists', '--urn', DATAHUB),
      datahub('exists', '--urn', 'urn:li:corpuser:nobody'),
      datahub('get', '--urn', 'urn:li:corpuser:nobody'),
      datahub('check', 'server-config'),
    ]);
    expect(me.code, me.stderr).toBe(0);
    expect(JSON.parse(me.stdout)).toEqual({ me: { corpUser: { urn: DATAHUB, username: 'datahub' } } });
    expect(JSON.parse(entity.stdout)).toEqual({
      corpUserKey: { username: 'datahub' },
      corpUserInfo: { active: true, displayName: 'datahub', fullName: 'datahub', email: 'datahub@example.org' },
    });
    expect([known.stdout.trim(), unknown.stdout.trim()]).toEqual(['true', 'false']);
    expect(missing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('urn urn:li:corpuser:nobody not found'),
    });
    expect(config.stdout).toContain("'noCode': 'true'");
  });

  test('works at an address that ends with /api/gms, and then its commands do', async () => {
    const host = `${server.url}/api/gms`;
    const { code, stderr } = await logInAs('datahub', PASSWORD, host);
    expect(code, stderr).toBe(0);
    expect((await readConfig()).host).toBe(host);
    const me = await datahub('graphql', '--query', '{ me { corpUser { username } } }');
    expect(me.code, me.stderr).toBe(0);
  });

  test('lists and describes what there is to ask', async () => {
    await logInAs('datahub');
    const [{ stdout }, described] = await Promise.all([
      datahub('graphql', '--list-operations'),
      datahub('graphql', '--describe', 'createAccessToken', '--recurse'),
    ]);
    for (const name of ['createAccessToken', 'listAccessTokens', 'revokeAccessToken', 'me'])
      expect(stdout).toContain(name);
    expect(described.stdout).toMatch(/durationIso: String/);
  });

  test('runs operations by name, with the fields that it chooses itself', async () => {
    await logInAs('datahub');
    const filters = [{ field: 'ownerUrn', values: [DATAHUB] }];
    const [me, listed, revoked] = await Promise.all([
      datahub('graphql', '--operation', 'me'),
      datahub('graphql', '--operation', 'listAccessTokens', '--variables', JSON.stringify({ input: { filters } })),
      datahub('graphql', '--operation', 'revokeAccessToken', '--variables', '{"tokenId":"unknown"}'),
    ]);
    expect(me.code, me.stderr).toBe(0);
    expect(JSON.parse(me.stdout)).toMatchObject({
      me: { corpUser: { urn: DATAHUB, properties: { displayName: 'datahub', email: 'datahub@example.org' } } },
    });
    expect(JSON.parse(listed.stdout)).toEqual({ listAccessTokens: { total: expect.any(Number) } });
    expect(`${revoked.stdout}${revoked.stderr}`).toContain('UNAUTHORIZED');
  });

  test('says that a password is wrong, and keeps no token', async () => {
    await logInAs('datahub');
    const before = await readConfig();
    const { code, stderr } = await logInAs('datahub', 'wrong-password');
    expect(code).toBe(1);
    expect(stderr).toContain('401 Client Error');
    expect(await readConfig()).toEqual(before);
  });

  test('says why a duration is refused', async () => {
    const argv = ['--username', 'datahub', '--password', PASSWORD, '--token-duration', 'NO_EXPIRY'];
    const { code, stderr } = await datahub('init', '--host', server.url, ...argv);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /Failed to create access token: Tokens without expiry are not allowed here .*allow_non_expiring_tokens/,
    );
  });
});

describe('the Python client', () => {
  test('connects at every address there is, and takes no way that is not served here', async () => {
    const given = { username: 'datahub', password: PASSWORD, validity: 'ONE_HOUR' };
    for (const base of [server.url, `${server.url}/`, server.origin, `${server.url}/api/gms`]) {
      const token = await python.call('generate', { server: base, ...given });
      expect({ base, ...((await python.call('connect', { server: base, token })) as object) }).toEqual({
        base,
        version: [0, 0, 0, 0],
        is_cloud: false,
        openapi: false,
      });
    }
  });

  test('reads a user as the class it has for one, and tells who is there', async () => {
    await connect('datahub');
    const user = { username: 'datahub', active: true, displayName: 'datahub', email: 'datahub@example.org' };
    expect(await python.call('entity', { urn: DATAHUB })).toEqual({ urn: DATAHUB, ...user });
    expect(await python.call('aspect', { urn: DATAHUB })).toBe('datahub');
    expect(await python.call('aspects', { urn: DATAHUB })).toEqual(['corpUserInfo', 'corpUserKey']);
    expect(await python.call('exists', { urn: DATAHUB })).toBe(true);
    const other = 'urn:li:corpuser:admin';
    expect(await python.call('exists', { urn: other })).toBe(false);
    await expect(python.call('entity', { urn: other })).rejects.toMatchObject({ name: 'HTTPError' });
    await connect('admin');
    expect(await python.call('exists', { urn: DATAHUB })).toBe(true);
  });

  test('is told that there is no metadata to write', async () => {
    await connect('admin');
    await expect(python.call('emit', { urn: DATAHUB })).rejects.toMatchObject({
      name: 'OperationalError',
      message: expect.stringContaining('this server keeps no metadata'),
    });
  });

  test('makes, lists and revokes tokens by the documented queries', async () => {
    await connect('datahub');
    const made = (await graphql(
      `mutation { createAccessToken(input: {type: PERSONAL, actorUrn: "${DATAHUB}", duration: ONE_HOUR, name: "my personal token"}) { accessToken metadata { tokenId tokenName description } } }`,
    )) as { createAccessToken: { accessToken: string; metadata: { tokenId: string } } };
    const { accessToken, metadata } = made.createAccessToken;
    expect(metadata).toMatchObject({ tokenName: 'my personal token', description: null });
    expect(await isAccepted(server.origin, accessToken)).toBe(true);

    const listed = (await graphql(
      `{ listAccessTokens(input: {start: 0, count: 100, filters: [{field: "ownerUrn", value: "${DATAHUB}"}]}) { start count total tokens { urn tokenId actorUrn } } }`,
    )) as { listAccessTokens: { tokens: { tokenId: string }[] } };
    expect(listed.listAccessTokens.tokens).toContainEqual({
      urn: `urn:li:dataHubAccessToken:${metadata.tokenId}`,
      tokenId: metadata.tokenId,
      actorUrn: DATAHUB,
    });

    const all = '{ listAccessTokens(input: {start: 0, count: 100, filters: []}) { total } }';
    await expect(graphql(all)).rejects.toMatchObject({
      name: 'GraphError',
      message: expect.stringMatching(
        /Unauthorized to perform this action\. Please contact your DataHub administrator\./,
      ),
    });
    expect(await graphql(`mutation { revokeAccessToken(tokenId: "${metadata.tokenId}") }`)).toEqual({
      revokeAccessToken: true,
    });
    expect(await isAccepted(server.origin, accessToken)).toBe(false);

    await connect('admin');
    expect(await graphql(all)).toMatchObject({ listAccessTokens: { total: expect.any(Number) } });
    await expect(
      graphql('mutation { revokeAccessToken(tokenId: "HnMJylxuowJ1FKN74BbGogLvXCS4w+fsd3MZdI35+8A=") }'),
    ).rejects.toMatchObject({ name: 'GraphError', message: expect.stringContaining('NOT_FOUND') });
  });

  test('pages through 250 tokens, and meets each of them once', async () => {
    const name = 'collector';
    await createUser(name, 'tenant-user');
    await connect(name);
    await python.call('create_many', { username: name, count: 249 });
    const owner = `urn:li:corpuser:${name}`;
    const { total, ids, sizes } = (await python.call('page_through', { owner, count: 100 })) as {
      total: number;
      ids: string[];
      sizes: number[];
    };
    expect({ total, different: new Set(ids).size, sizes }).toEqual({
      total: 250,
      different: 250,
      sizes: [100, 100, 50],
    });
  });

  test('leaves out what this schema does not have, where it is asked to', async () => {
    await connect('datahub');
    const query = '{ me { corpUser { urn username editableProperties { slack } } } search(input: {}) { total } }';
    const sent = (await python.call('project', { query })) as string;
    expect(sent.replace(/\s+/g, '')).toContain('{me{corpUser{urnusername}}}');
    expect(await graphql(sent)).toEqual({ me: { corpUser: { urn: DATAHUB, username: 'datahub' } } });
  });
});

describe('a credential that is good no longer', () => {
  const use = async (token: string) => {
    await python.call('connect', { server: server.url, token });
    return graphql('{ me { corpUser { urn } } }');
  };

  test('is named revoked', async () => {
    await connect('datahub');
    const { token, id } = await create('short-lived');
    await graphql('mutation end($id: String!) { revokeAccessToken(tokenId: $id) }', { id });
    await expect(use(token)).rejects.toMatchObject({
      name: 'OperationalError',
      message: expect.stringMatching(/'status': 401.*'message': 'The token was revoked/),
    });
  });

  test('is named expired', async () => {
    const argv = ['create-service-user', '--name', 'passing', '--expires-at', inSeconds(2)];
    const { stdout, stderr } = await box.admin(argv);
    expect(readId(stderr)).toMatch(/^[0-9a-f-]{36}$/);
    const key = stdout.trim();
    while (await isAccepted(server.origin, key)) await sleep(100);
    await expect(use(key)).rejects.toMatchObject({
      name: 'OperationalError',
      message: expect.stringMatching(/'status': 401.*'message': 'The API key has expired/),
    });
  });

  test('is told from none at all', async () => {
    await expect(use('')).rejects.toMatchObject({
      name: 'OperationalError',
      message: expect.stringMatching(/'status': 401.*'message': 'A credential is needed\./),
    });
  });
});
