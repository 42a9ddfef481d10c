import { auditApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createUser, openTestServer, PASSWORD, START_MS, standingOf, type TestServer } from '../harness.ts';
import { startTestServer } from '../start-test-server.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const logIn = (
  server: TestServer,
  body: object | string,
  headers: Record<string, string> = JSON_TYPE,
  path = '/logIn',
) => server.nobody.send('POST', path, { body: typeof body === 'string' ? body : JSON.stringify(body), headers });

describe('DataHub’s login', () => {
  test('answers a session as a cookie that no script reads and no other site sends, and not in its body', async () => {
    const server = await openTestServer();
    const user = await createUser(server, 'datahub');
    for (const path of ['/logIn', '/api/logIn']) {
      const { status, headers, text, json } = await logIn(
        server,
        { username: 'datahub', password: PASSWORD },
        JSON_TYPE,
        path,
      );
      expect(status).toBe(200);
      const cookie = /^pangolin_session=(eyJ[\w.-]+); HttpOnly; SameSite=Strict; Path=\/api; Max-Age=(\d+)$/.exec(
        headers.get('set-cookie') ?? '',
      );
      const [, token = '', maxAge] = cookie ?? [];
      expect(json).toEqual({
        expires_at: new Date(START_MS + Number(maxAge) * 1000).toISOString().replace('.000Z', 'Z'),
        user: { id: user.id, username: 'datahub', email: null, role: 'tenant-user', tenant_id: user.tenant_id },
      });
      expect(text).not.toContain(token);
      expect(server.logs.join('')).not.toContain(token.slice(-40));
      const me = await server.bearer(token).call(usersApi.me);
      expect(me).toMatchObject({ username: 'datahub', credential: { type: 'session' } });
    }
  });

  test('is on record and counted as any other', async () => {
    const server = await openTestServer();
    await createUser(server, 'datahub');
    await logIn(server, { username: 'datahub', password: PASSWORD });
    expect(await server.owner.call(auditApi.list, { query: { action: 'user.logged_in' } })).toMatchObject([
      { resource_name: 'datahub', credential_type: 'session', result: 'success' },
    ]);
    const served = await startTestServer({ dataDir: server.dataDir });
    const body = JSON.stringify({ username: 'datahub', password: PASSWORD });
    await served.exchange({ method: 'POST', path: '/logIn', body, headers: JSON_TYPE });
    const { text } = await served.exchange({ path: '/metrics' });
    expect(text).toContain('pangolin_credentials_issued_total{kind="session"} 1\n');
  });

  test('takes what else there is for granted, as DataHub’s does', async () => {
    const server = await openTestServer();
    await createUser(server, 'datahub');
    const body = { username: 'datahub', password: PASSWORD, tenant: 'elsewhere', remember: true };
    expect((await logIn(server, body)).status).toBe(200);
  });

  test('refuses a wrong password, an unknown name and a deactivated user alike, sets nothing, and notes it', async () => {
    const server = await openTestServer();
    await createUser(server, 'datahub');
    const gone = await createUser(server, 'gone');
    await server.owner.call(usersApi.update, { params: { id: gone.id }, body: { active: false } });
    for (const [username, password] of [
      ['datahub', 'wrong-password'],
      ['nobody', PASSWORD],
      ['gone', PASSWORD],
    ]) {
      const { status, headers, json } = await logIn(server, { username, password });
      expect({ username, status }).toEqual({ username, status: 401 });
      expect(headers.has('set-cookie')).toBe(false);
      expect(json).toMatchObject({
        code: 'login_failed',
        message: expect.stringMatching(/^Username or password is wrong\./),
      });
    }
    await server.deps.refusals.flush();
    const refused = await server.owner.call(auditApi.list, { query: { action: 'login.refused' } });
    expect(refused.map(({ resource_name: name }) => name).sort()).toEqual(['datahub', 'gone', null]);
  });

  test('is slowed down as the other one is, and both count together', async () => {
    const server = await openTestServer();
    await createUser(server, 'datahub');
    const wrong = { username: 'datahub', password: 'wrong-password' };
    for (let i = 0; i < 3; i += 1) {
      expect(server.delays).toEqual([]);
      await logIn(server, wrong);
      await server.nobody.ask(usersApi.login, { body: wrong });
    }
    expect(server.delays).toEqual([250]);
  });

  test('takes JSON alone, so that no form of another page logs anybody in', async () => {
    const server = await openTestServer();
    await createUser(server, 'datahub');
    const body = JSON.stringify({ username: 'datahub', password: PASSWORD });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const { status, headers } = await logIn(server, body, { 'content-type': type });
      expect({ type, status, cookie: headers.get('set-cookie') }).toEqual({ type, status: 415, cookie: null });
    }
    for (const wrong of [
      '{',
      '[]',
      '"x"',
      '{"username":"datahub"}',
      '{"username":7,"password":"x"}',
      '{"username":"a\\u0000","password":"x"}',
    ])
      expect({ wrong, status: (await logIn(server, wrong)).status }).toEqual({ wrong, status: 400 });
    expect((await server.nobody.send('GET', '/logIn')).headers.get('allow')).toBe('POST');
    expect((await server.nobody.send('GET', '/logOut')).status).toBe(404);
  });
});

describe('the cookie of a login', () => {
  const session = async (server: TestServer) => {
    await createUser(server, 'datahub');
    const { headers } = await logIn(server, { username: 'datahub', password: PASSWORD });
    return headers.get('set-cookie')?.split(';')[0] ?? '';
  };
  const ask = (server: TestServer, headers: Record<string, string>, query = '{ me { corpUser { username } } }') =>
    server.nobody.send('POST', '/api/v2/graphql', {
      body: JSON.stringify({ query }),
      headers: { ...JSON_TYPE, ...headers },
    });
  const who = { data: { me: { corpUser: { username: 'datahub' } } } };

  test('is a credential for GraphQL, at every path it has', async () => {
    const server = await openTestServer();
    const cookie = await session(server);
    for (const path of ['/api/graphql', '/api/v2/graphql', '/api/gms/api/graphql', '/api/api/v2/graphql']) {
      const body = JSON.stringify({ query: '{ me { corpUser { username } } }' });
      const { status, json } = await server.nobody.send('POST', path, { body, headers: { ...JSON_TYPE, cookie } });
      expect({ path, status, json }).toEqual({ path, status: 200, json: who });
    }
    expect((await ask(server, { cookie: `a=b; ${cookie}; xpangolin_session=c` })).json).toEqual(who);
    expect((await ask(server, { cookie: cookie.replace(/=(.*)/, '="$1"') })).json).toEqual(who);
  });

  test('gives a token that stands by itself, recorded as what a session did, and is never logged', async () => {
    const server = await openTestServer();
    const cookie = await session(server);
    const created = await ask(
      server,
      { cookie },
      'mutation { createAccessToken(input: {type: PERSONAL, actorUrn: "urn:li:corpuser:datahub", duration: ONE_HOUR, name: "cli"}) { accessToken } }',
    );
    const { accessToken } = (created.json as { data: { createAccessToken: { accessToken: string } } }).data
      .createAccessToken;
    expect(await server.owner.call(auditApi.list, { query: { action: 'token.created' } })).toMatchObject([
      { username: 'datahub', credential_type: 'session', resource_name: 'cli' },
    ]);
    await server.bearer(cookie.replace(/^.*=/, '')).call(usersApi.logout);
    expect((await ask(server, { cookie })).json).toMatchObject({ status: 401, code: 'token_revoked' });
    expect(await standingOf(server.bearer(accessToken))).toBe('ok');
    for (const secret of [cookie, accessToken]) expect(server.logs.join('')).not.toContain(secret.slice(-40));
  });

  test('counts only where there is no other credential, and only once', async () => {
    const server = await openTestServer();
    const cookie = await session(server);
    const status = async (headers: Record<string, string>) => (await ask(server, headers)).status;
    expect(await status({ cookie, authorization: 'Bearer wrong' })).toBe(401);
    expect(await status({ cookie, authorization: '' })).toBe(401);
    expect(await status({ cookie, 'x-api-key': 'pgl_wrong' })).toBe(401);
    expect(await status({ cookie: `${cookie}; ${cookie}` })).toBe(400);
    expect(await status({ cookie: `pangolin_session=; ${cookie}` })).toBe(400);
    for (const none of ['pangolin_session=', 'pangolin_session', 'PANGOLIN_SESSION=x', 'PLAY_SESSION=x', ';;=;'])
      expect({ none, status: await status({ cookie: none }) }).toEqual({ none, status: 401 });
    expect(await status({ cookie: `pangolin_session=${'x'.repeat(10_000)}` })).toBe(401);
    expect(await status({})).toBe(401);
  });

  test('does nothing for a page of another site, and nothing for a form', async () => {
    const { dataDir, ...rest } = await openTestServer();
    await createUser({ dataDir, ...rest }, 'datahub');
    const served = await startTestServer({ dataDir });
    const post = (path: string, body: object, headers: Record<string, string> = {}) =>
      served.exchange({ method: 'POST', path, body: JSON.stringify(body), headers: { ...JSON_TYPE, ...headers } });
    const login = await post('/logIn', { username: 'datahub', password: PASSWORD });
    const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const query = '{ me { corpUser { username } } }';
    const status = async (headers: Record<string, string>) =>
      (await post('/api/graphql', { query }, { cookie, ...headers })).status;

    expect(await status({})).toBe(200);
    expect(await status({ origin: `http://localhost:${served.port}`, 'sec-fetch-site': 'same-origin' })).toBe(200);
    for (const foreign of [
      { origin: 'https://evil.example' },
      { origin: 'http://localhost:1' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expect({ foreign, status: await status(foreign) }).toEqual({ foreign, status: 403 });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
      expect({ type, status: await status({ 'content-type': type }) }).toEqual({ type, status: 415 });
    const read = await served.exchange({ path: '/api/graphql?query={me{corpUser{username}}}', headers: { cookie } });
    expect(read.status).toBe(405);
    expect(served.logs.join('')).not.toContain(cookie.slice(-40));
  });

  test('is no credential outside of GraphQL', async () => {
    const server = await openTestServer();
    const cookie = await session(server);
    for (const [method, path] of [
      ['GET', '/api/v1/users/me'],
      ['POST', '/api/v1/tokens'],
      ['POST', '/api/v1/users/logout'],
      ['GET', '/entities/urn:li:corpuser:datahub'],
      ['GET', '/api/gms/entities/urn:li:corpuser:datahub'],
      ['GET', '/v1/config?warehouse=default'],
    ] as const) {
      const { status } = await server.nobody.send(method, path, {
        headers: { cookie, ...(method === 'POST' && JSON_TYPE) },
        ...(method === 'POST' && { body: '{}' }),
      });
      expect({ path, status }).toEqual({ path, status: 401 });
    }
  });

  test('is Secure where the server is reached over TLS', async () => {
    const { dataDir, ...server } = await openTestServer();
    await createUser({ dataDir, ...server }, 'datahub');
    const body = JSON.stringify({ username: 'datahub', password: PASSWORD });
    for (const [publicUrl, end] of [
      [undefined, /; Path=\/api; Max-Age=\d+$/],
      ['http://pangolin.example', /; Path=\/api; Max-Age=\d+$/],
      ['https://pangolin.example', /; Path=\/api; Max-Age=\d+; Secure$/],
    ] as const) {
      const served = await startTestServer({ dataDir, ...(publicUrl && { publicUrl }) });
      const { headers } = await served.exchange({ method: 'POST', path: '/logIn', body, headers: JSON_TYPE });
      expect(headers['set-cookie']?.[0]).toMatch(end);
      await served.close();
    }
  });
});
