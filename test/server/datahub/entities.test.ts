import { auditApi, policiesApi, serviceUsersApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  DAY_MS,
  mint,
  openTestServer,
  type TestCaller,
  UNKNOWN_ID,
} from '../harness.ts';
import { insertSecondTenant, signTheirToken } from '../second-tenant.ts';

const urn = (name: string) => `urn:li:corpuser:${name}`;
const read = (caller: TestCaller, name: string, base = '/entities') => caller.send('GET', `${base}/${urn(name)}`);
const withoutRequestId = (text: string) => text.replace(/"request_id":"[^"]*"/, '');
const snapshot = (username: string, info: object) => ({
  value: {
    'com.linkedin.metadata.snapshot.CorpUserSnapshot': {
      urn: urn(username),
      aspects: [
        { 'com.linkedin.metadata.key.CorpUserKey': { username } },
        { 'com.linkedin.identity.CorpUserInfo': info },
      ],
    },
  },
});

describe('the entity of a principal', () => {
  test('is read as DataHub documents it, with the token of the user it is', async () => {
    const server = await openTestServer();
    const user = await createLoggedIn(server, 'datahub');
    await server.owner.call(usersApi.update, { params: { id: user.id }, body: { email: 'hub@example.org' } });
    const { caller } = await mint(server, user.caller);
    const info = { active: true, displayName: 'datahub', fullName: 'datahub', email: 'hub@example.org' };
    for (const path of [
      '/entities/urn:li:corpuser:datahub',
      '/entities/urn%3Ali%3Acorpuser%3Adatahub',
      '/api/gms/entities/urn:li:corpuser:datahub',
    ]) {
      const { status, headers, json } = await caller.send('GET', path);
      expect({ path, status, json }).toEqual({ path, status: 200, json: snapshot('datahub', info) });
      expect(headers.get('cache-control')).toBe('no-store');
    }
    const head = await caller.send('HEAD', '/entities/urn:li:corpuser:datahub');
    expect(head).toMatchObject({ status: 200, text: '' });
  });

  test('is what its aspects are by name, as the command line reads them', async () => {
    const server = await openTestServer();
    const { caller } = await createLoggedIn(server, 'datahub');
    const value = { active: true, displayName: 'datahub', fullName: 'datahub' };
    const info = { name: 'corpUserInfo', type: 'VERSIONED', version: 0, value };
    const all = await read(caller, 'datahub', '/entitiesV2');
    expect(all.json).toMatchObject({ entityName: 'corpuser', urn: urn('datahub'), aspects: { corpUserInfo: info } });
    const some = await read(caller, 'datahub?aspects=List(corpUserInfo,ownership)', '/api/gms/entitiesV2');
    expect(some.json).toMatchObject({ aspects: { corpUserInfo: info } });
    expect(Object.keys((some.json as { aspects: object }).aspects)).toEqual(['corpUserInfo']);
    expect((await read(caller, 'datahub?aspects=corpUserInfo', '/entitiesV2')).status).toBe(400);
    const nobody = await read(caller, 'nobody', '/entitiesV2');
    const key = { name: 'corpUserKey', type: 'VERSIONED', version: 0, value: { username: 'nobody' } };
    expect(nobody.json).toEqual({ entityName: 'corpuser', urn: urn('nobody'), aspects: { corpUserKey: key } });

    const one = await read(caller, 'datahub?aspect=corpUserKey&version=0', '/aspects');
    const type = 'com.linkedin.metadata.key.CorpUserKey';
    expect(one.json).toEqual({ version: 0, aspect: { [type]: { username: 'datahub' } } });
    for (const [query, status] of [
      ['', 400],
      ['?aspect=ownership', 404],
      ['?aspect=toString', 404],
      ['?aspect=corpUserInfo&version=1', 404],
    ] as const)
      expect({ query, status: (await read(caller, `datahub${query}`, '/aspects')).status }).toEqual({ query, status });
  });

  test.each(['Ada Lovelace', 'ada@example.org', 'a:b', 'a/b//c', 'Ünï', '名前', 'a%2Cb', 'a+b', '..', '?#&'])(
    'is found whatever its name: %s',
    async (name) => {
      const server = await openTestServer();
      const { caller } = await createLoggedIn(server, name);
      const { status, json } = await caller.send('GET', `/entities/${encodeURIComponent(urn(name))}`);
      expect({ status, json }).toEqual({
        status: 200,
        json: snapshot(name, { active: true, displayName: name, fullName: name }),
      });
    },
  );

  test('of others takes MANAGE_USERS, of service users MANAGE_SERVICE_ACCOUNTS, and is unknown without', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    await createUser(server, 'carol');
    const etl = await createServiceUser(server, { name: 'etl' });
    const other = await createServiceUser(server, { name: 'other' });
    const service = `service_${etl.id}`;
    const statuses = async (caller: TestCaller) =>
      Promise.all(['bob', 'carol', 'ada', service, 'nobody'].map(async (name) => (await read(caller, name)).status));

    expect(await statuses(bob.caller)).toEqual([200, 404, 404, 404, 404]);
    expect(await statuses(etl.caller)).toEqual([404, 404, 404, 200, 404]);
    expect(await statuses(other.caller)).toEqual([404, 404, 404, 404, 404]);
    expect(await statuses(server.owner)).toEqual([200, 200, 200, 200, 404]);
    const admin = await createLoggedIn(server, 'admin', 'tenant-admin');
    expect(await statuses(admin.caller)).toEqual([200, 200, 200, 200, 404]);

    for (const base of ['/entities', '/entitiesV2']) {
      const hidden = await read(bob.caller, 'carol', base);
      const unknown = (await read(bob.caller, 'nobo2', base)).text.replaceAll('nobo2', 'carol');
      expect(withoutRequestId(hidden.text)).toEqual(withoutRequestId(unknown));
    }
    const hint = /To see others: .* An administrator can grant it: pangolin-admin grant MANAGE_USERS --user bob/;
    expect((await read(bob.caller, 'carol')).json).toMatchObject({ message: expect.stringMatching(hint) });
    expect((await read(server.owner, 'nobody')).json).toMatchObject({
      message: expect.stringMatching(/See who there is: pangolin-admin list-users$/),
    });

    const grant = (privilege: 'MANAGE_USERS' | 'MANAGE_SERVICE_ACCOUNTS') =>
      server.owner.call(policiesApi.create, { body: { privilege, username: 'bob' } });
    await grant('MANAGE_USERS');
    expect(await statuses(bob.caller)).toEqual([200, 200, 200, 404, 404]);
    await grant('MANAGE_SERVICE_ACCOUNTS');
    expect(await statuses(bob.caller)).toEqual([200, 200, 200, 200, 404]);
    expect((await read(bob.caller, service)).json).toEqual(
      snapshot(service, { active: true, displayName: 'etl', fullName: 'etl' }),
    );

    const narrowed = await mint(server, bob.caller, { scopes: ['tokens:read'] });
    expect(await statuses(narrowed.caller)).toEqual([200, 404, 404, 404, 404]);
  });

  test('says that somebody is deactivated', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl' });
    await server.owner.call(serviceUsersApi.update, { params: { id }, body: { active: false } });
    const { json } = await read(server.owner, `service_${id}`);
    expect(json).toEqual(snapshot(`service_${id}`, { active: false, displayName: 'etl', fullName: 'etl' }));
  });

  test('of another tenant is unknown, also to its administrators', async () => {
    const server = await openTestServer();
    const tenant = await insertSecondTenant(server);
    await createUser(server, 'bob');
    const etl = await createServiceUser(server, { name: 'etl' });
    for (const name of ['grace', `service_${tenant.serviceUserId}`])
      expect((await read(server.owner, name)).status).toBe(404);
    const theirs = server.bearer(await signTheirToken(server, tenant));
    expect((await read(theirs, 'grace')).status).toBe(200);
    for (const name of ['bob', 'ada', `service_${etl.id}`]) expect((await read(theirs, name)).status).toBe(404);
  });
});

describe('refusals', () => {
  test('are read by DataHub’s clients: a message, a class, a status', async () => {
    const server = await openTestServer();
    const { status, headers, json } = await read(server.nobody, 'ada');
    expect(status).toBe(401);
    expect(headers.get('content-type')).toBe('application/problem+json');
    expect(headers.get('www-authenticate')).toBe('Bearer realm="pangolin"');
    expect(json).toMatchObject({
      status: 401,
      code: 'authentication_required',
      exceptionClass: 'com.linkedin.restli.server.RestLiServiceException',
      message: expect.stringMatching(/^A credential is needed\. Send Authorization: Bearer <token>/),
    });
  });

  test('of what is no principal are 404, of what is no URN 400, of what is no credential 401 first', async () => {
    const server = await openTestServer();
    const cases: [path: string, status: number][] = [
      ['urn:li:dataset:(urn:li:dataPlatform:hive,a,PROD)', 404],
      ['urn:li:corpGroup:admins', 404],
      ['urn:li:telemetry:clientId?aspect=telemetryClientId&version=0', 404],
      ['urn:li:corpuser:', 400],
      ['urn:li:corpuser', 400],
      ['ada', 400],
      ['urn%253Ali%253Acorpuser%253Aada', 400],
      ['urn:li:corpuser:ada%0d%0aSet-Cookie:%20a=b', 400],
      ['urn:li:corpuser:ada%00', 400],
      ['urn:li:corpuser:ada%ff', 400],
      ['urn:li:corpuser:%', 400],
      ['urn:li:corpuser:%ed%a0%80', 400],
      [`urn:li:corpuser:${'x'.repeat(10_000)}`, 400],
      ['urn:li:corpuser:ada%e2%80%8b', 404],
      ['urn:li:corpuser:%e2%80%aeada', 404],
      ['urn:li:corpuser:ada%20', 404],
      ["urn:li:corpuser:' or 1=1 --", 404],
      ['urn:li:corpuser:service_x', 404],
    ];
    for (const [path, status] of cases) {
      const answer = await server.owner.send('GET', `/entities/${path}`);
      expect({ path, status: answer.status }).toEqual({ path, status });
      expect(answer.json).toMatchObject({ message: expect.any(String) });
      expect(answer.text.length).toBeLessThan(1000);
      expect(answer.headers.has('set-cookie')).toBe(false);
      expect((await server.nobody.send('GET', `/entities/${path}`)).status).toBe(401);
    }
  });

  test('of other methods and paths are 405 and 404', async () => {
    const server = await openTestServer();
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers, json } = await server.owner.send(method, '/entities/urn:li:corpuser:ada');
      expect({ method, status, allow: headers.get('allow') }).toEqual({ method, status: 405, allow: 'GET, HEAD' });
      expect(json).toMatchObject({ code: 'method_not_allowed', message: expect.any(String) });
    }
    for (const path of [
      '/entities',
      '/entities/',
      '/entities?action=ingest',
      '/aspects?action=ingestProposal',
      '/config/x',
    ]) {
      const { status, json } = await server.owner.send('POST', path);
      expect({ path, status, json }).toMatchObject({
        path,
        status: 404,
        json: { message: expect.stringContaining('keeps no metadata') },
      });
    }
  });

  test('below /api/gms are all but DataHub’s paths', async () => {
    const server = await openTestServer();
    for (const path of ['/api/v1/users', '/v1/config', '/health', '/metrics', '', '/api/gms/config', '/logIn'])
      expect({ path, status: (await server.owner.send('GET', `/api/gms${path}`)).status }).toEqual({
        path,
        status: 404,
      });
  });

  test('of credentials are on record, as everywhere', async () => {
    const server = await openTestServer();
    const user = await createLoggedIn(server, 'bob');
    const { caller, id } = await mint(server, user.caller, { expires_in_days: 1 });
    server.clock.advance(2 * DAY_MS);
    expect((await read(caller, 'bob')).json).toMatchObject({
      status: 401,
      code: 'token_expired',
      message: expect.stringMatching(/^The token has expired/),
    });
    await server.deps.refusals.flush();
    expect(await server.owner.call(auditApi.list, { query: { action: 'credential.refused' } })).toMatchObject([
      { resource_id: id, result: 'failure', credential_type: 'token' },
    ]);
  });

  test('are the same for who is nobody’s business', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const { json } = await read(bob.caller, `service_${UNKNOWN_ID}`);
    expect(json).toMatchObject({ code: 'not_found', detail: expect.not.stringContaining('service_') });
  });
});
