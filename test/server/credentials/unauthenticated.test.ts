import {
  auditApi,
  catalogsApi,
  type Endpoint,
  oauthApi,
  publicApi,
  serviceUsersApi,
  settingsApi,
  tenantsApi,
  tokensApi,
  usersApi,
} from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../packages/server/src/http/openapi.ts';
import { data } from '../graphql/graphql.ts';
import {
  createServiceUser,
  createUser,
  DAY_MS,
  logIn,
  mint,
  openTestServer,
  standingOf,
  type TestServer,
  UNKNOWN_ID,
} from '../harness.ts';
import { createCatalogCaller, createTestTable } from '../iceberg/catalog-caller.ts';

const open = (options: Parameters<typeof openTestServer>[0] = {}) => openTestServer({ noAuth: true, ...options });
const urn = (name: string) => `urn:li:corpuser:${name}`;
const whoIs = (server: TestServer, name: string) => server.actor(urn(name)).call(usersApi.me);

describe('a server without authentication', () => {
  test('says so to whoever asks what it is, as others say that they have it', async () => {
    const [without, with_] = [await open(), await openTestServer()];
    expect(await without.nobody.call(publicApi.appConfig)).toMatchObject({ auth_enabled: false });
    expect(await with_.nobody.call(publicApi.appConfig)).toMatchObject({ auth_enabled: true });
  });

  test('takes whoever says nothing for the owner', async () => {
    const server = await open();
    expect(await server.nobody.call(usersApi.me)).toEqual({
      id: server.deps.installation.ownerId,
      kind: 'owner',
      username: 'ada',
      email: null,
      role: 'root',
      tenant_id: server.deps.installation.defaultTenantId,
      privileges: expect.any(Array),
      credential: { type: 'none', id: null, expires_at: null, scopes: [] },
    });
  });

  test('takes a name that nobody has for the owner under that name', async () => {
    const server = await open();
    expect(await whoIs(server, 'datahub')).toMatchObject({
      id: server.deps.installation.ownerId,
      kind: 'owner',
      username: 'datahub',
      role: 'root',
    });
    const unknown = `service_${UNKNOWN_ID}`;
    expect(await whoIs(server, unknown)).toMatchObject({ kind: 'owner', username: unknown });
    await createServiceUser(server, { name: 'etl' });
    expect(await whoIs(server, 'etl')).toMatchObject({ kind: 'owner', username: 'etl' });
  });

  test('takes a user’s name for that user, with the role and the privileges they have now', async () => {
    const server = await open();
    const { id } = await createUser(server, 'Doe, J (ops)');
    const grace = await createUser(server, 'grace', 'tenant-admin');
    const bytes = Buffer.from(urn('zoë'), 'utf8').toString('latin1');
    const zoe = await createUser(server, 'zoë');
    expect(await whoIs(server, 'Doe%2C J %28ops%29')).toMatchObject({ id, kind: 'user', username: 'Doe, J (ops)' });
    expect(await server.actor(bytes).call(usersApi.me)).toMatchObject({ id: zoe.id, username: 'zoë' });
    expect(await whoIs(server, 'grace')).toMatchObject({
      id: grace.id,
      kind: 'user',
      role: 'tenant-admin',
      privileges: expect.arrayContaining(['MANAGE_USERS', 'VIEW_AUDIT']),
      credential: { type: 'none', id: null },
    });
    const bob = await createUser(server, 'bob');
    expect((await whoIs(server, 'bob')).privileges).toEqual(['GENERATE_PERSONAL_ACCESS_TOKENS']);
    expect(await server.actor(urn('bob')).refused(usersApi.list)).toMatchObject({ status: 403, code: 'forbidden' });
    await server.owner.call(usersApi.update, { params: { id: bob.id }, body: { role: 'tenant-admin' } });
    await server.actor(urn('bob')).call(usersApi.list);
  });

  test('takes a service user’s id for that service user, within its scopes', async () => {
    const server = await open();
    const { id } = await createServiceUser(server, { name: 'etl', scopes: ['tokens:read'] });
    const etl = server.actor(urn(`service_${id.toUpperCase()}`));
    expect(await etl.call(usersApi.me)).toMatchObject({
      id,
      kind: 'service_user',
      username: 'etl',
      credential: { type: 'none', scopes: ['tokens:read'] },
    });
    await etl.call(tokensApi.listOwn);
    expect(await etl.refused(tokensApi.create, { body: {} })).toMatchObject({ code: 'insufficient_scope' });
  });

  test('refuses those who are deactivated or have expired, and takes nobody for them', async () => {
    const server = await open();
    const bob = await createUser(server, 'bob');
    const etl = await createServiceUser(server, { name: 'etl' });
    const late = await createServiceUser(server, { name: 'late', expires_in_days: 1 });
    const callers = [bob, etl].map((one, at) => server.actor(urn(at === 0 ? 'bob' : `service_${one.id}`)));
    callers.push(server.actor(urn(`service_${late.id}`)));
    for (const caller of callers) expect(await standingOf(caller)).toBe('ok');
    await server.owner.call(usersApi.update, { params: { id: bob.id }, body: { active: false } });
    await server.owner.call(serviceUsersApi.update, { params: { id: etl.id }, body: { active: false } });
    server.clock.advance(DAY_MS);
    for (const caller of callers) expect(await standingOf(caller)).toBe('principal_inactive');
    const [refused] = await server.owner.call(auditApi.list, { query: { action: 'credential.refused' } });
    expect(refused).toMatchObject({ result: 'failure', username: expect.any(String) });
  });

  test('keeps a service user to its networks, and everybody named to the tenant’s', async () => {
    const server = await open();
    const { id } = await createServiceUser(server, { name: 'etl', allowed_networks: ['192.0.2.0/24'] });
    await createUser(server, 'bob');
    const callers = [server.actor(urn(`service_${id}`)), server.actor(urn('bob'))];
    expect(await callers[0]?.refused(usersApi.me)).toMatchObject({ code: 'address_not_allowed' });
    await callers[1]?.call(usersApi.me);
    await server.owner.call(settingsApi.update, { body: { allowed_networks: ['192.0.2.0/24'] } });
    for (const caller of callers)
      expect(await caller.refused(usersApi.me)).toMatchObject({ status: 403, code: 'address_not_allowed' });
    expect(await whoIs(server, 'datahub')).toMatchObject({ kind: 'owner' });
  });

  test.each([
    ['nothing', ''],
    ['a bare name', 'datahub'],
    ['no name', urn('')],
    ['another entity', 'urn:li:corpGroup:admins'],
    ['two', `${urn('ada')}, ${urn('bob')}`],
    ['a space at the end of a name', urn('ada\u00c2\u00a0')],
    ['an invisible character', urn('ad\u00e2\u0080\u008ba')],
    ['a control character', urn('ad\u00c2\u0085a')],
    ['what is not UTF-8', urn('ad\u00ffa')],
    ['256 characters', urn('x'.repeat(256))],
  ])('refuses a header that names %s, and says what it takes', async (_, header) => {
    const server = await open();
    expect(await server.actor(header).refused(usersApi.me)).toMatchObject({
      status: 400,
      code: 'invalid_request',
      detail: 'The header X-DataHub-Actor does not name one user or service user.',
      hint: expect.stringContaining('urn:li:corpuser:<username>'),
    });
  });

  test('does not look at credentials, good or bad', async () => {
    const server = await open();
    const etl = await createServiceUser(server, { name: 'etl' });
    const { token } = await mint(server, server.owner);
    for (const caller of [
      server.bearer(token),
      server.bearer('nonsense'),
      etl.caller,
      server.bearer(token, { 'x-api-key': etl.api_key, cookie: 'PLAY_SESSION=x', 'x-datahub-actor': urn('ada') }),
    ])
      expect(await caller.call(usersApi.me)).toMatchObject({ kind: 'owner', credential: { type: 'none' } });
    expect(await server.bearer(token).refused(tokensApi.revokeSelf)).toMatchObject({
      code: 'invalid_request',
      detail: 'The request was made with no credential, not with a token.',
    });
  });

  test('lets the owner into another tenant, and nobody else', async () => {
    const server = await open();
    const { id } = await server.owner.call(tenantsApi.create, { body: { name: 'acme' } });
    await createUser(server, 'bob', 'tenant-admin');
    const headers = { 'x-pangolin-tenant': id };
    expect(await server.actor(urn('datahub')).call(usersApi.me, { headers })).toMatchObject({ tenant_id: id });
    expect(await server.actor(urn('bob')).refused(usersApi.me, { headers })).toMatchObject({
      code: 'token_wrong_tenant',
    });
  });
});

/** What an unauthenticated caller is refused whoever it is: what would count on a server that authenticates. */
const DENIED = new Set([
  'POST /api/v1/tenants',
  'PUT /api/v1/tenants/{id}',
  'DELETE /api/v1/tenants/{id}',
  'POST /api/v1/users',
  'PUT /api/v1/users/{id}',
  'DELETE /api/v1/users/{id}',
  'POST /api/v1/users/{id}/password',
  'POST /api/v1/service-users',
  'PUT /api/v1/service-users/{id}',
  'POST /api/v1/service-users/{id}/rotate',
  'POST /api/v1/signing-keys/rotate',
  'POST /api/v1/signing-keys/reseal',
  'PUT /api/v1/config/settings',
  'POST /api/v1/policies',
  'DELETE /api/v1/policies/{id}',
]);

const BODIES: Record<string, object> = {
  'POST /api/v1/tenants': { name: 'acme' },
  'POST /api/v1/users': { username: 'eve' },
  'POST /api/v1/service-users': { name: 'eve' },
  'POST /api/v1/policies': { privilege: 'VIEW_AUDIT', role: 'tenant-user' },
};

const rowOf = ({ method, path }: Endpoint) => `${method.toUpperCase()} ${path}`;

describe('what an unauthenticated caller may do', () => {
  test('is nothing that leaves lasting authority behind, and nearly all else', async () => {
    const server = await open();
    await createUser(server, 'root', 'root');
    for (const caller of [server.nobody, server.actor(urn('datahub')), server.actor(urn('root'))]) {
      const refused: string[] = [];
      for (const endpoint of ENDPOINTS) {
        const { status, text } = await caller.ask(
          endpoint,
          endpoint.body ? { body: BODIES[rowOf(endpoint)] ?? {} } : {},
        );
        expect(status, rowOf(endpoint)).toBeLessThan(500);
        if (status === 403) refused.push(rowOf(endpoint));
        if (status === 403) expect(text).toContain('without authentication');
      }
      expect(new Set(refused)).toEqual(DENIED);
    }
    expect(await server.owner.call(serviceUsersApi.list)).toEqual([]);
    expect(await server.owner.call(usersApi.list)).toHaveLength(1);
  });

  test('is refused with what to do instead', async () => {
    const server = await open();
    expect(await server.nobody.refused(usersApi.create, { body: { username: 'eve' } })).toMatchObject({
      status: 403,
      code: 'forbidden',
      detail: 'This server runs without authentication, and this change would count on servers that authenticate, too.',
      hint: 'Do it with pangolin-admin on the data directory, without --url, or start the server without --no-auth.',
    });
  });

  test('includes catalogs and their tables, but not where the server keeps files with its own rights', async () => {
    const server = await open();
    await server.nobody.call(catalogsApi.create, { body: { name: 'sales' } });
    for (const warehouse_location of ['file:///etc/pangolin', 's3://other/bucket'])
      expect(
        await server.nobody.refused(catalogsApi.create, { body: { name: 'etc', warehouse_location } }),
      ).toMatchObject({
        code: 'forbidden',
        detail:
          'This server runs without authentication, and a warehouse of your choice would count on servers that ' +
          'authenticate, too.',
      });
    const catalog = createCatalogCaller(server.actor(urn('datahub')));
    await catalog.ok('POST', 'namespaces', { namespace: ['sales'] });
    await createTestTable(catalog);
    expect(await catalog.ok('GET', 'namespaces/sales')).toMatchObject({ namespace: ['sales'] });
    const malformed = await server.actor('datahub').send('GET', '/v1/default/namespaces');
    expect(malformed.status).toBe(400);
    expect(malformed.json).toMatchObject({ error: { code: 400 } });
  });

  test('includes deleting a service user, which leaves nothing behind', async () => {
    const server = await open();
    const { id } = await createServiceUser(server, { name: 'etl' });
    await server.nobody.call(serviceUsersApi.delete, { params: { id } });
    expect(await server.owner.call(serviceUsersApi.list)).toEqual([]);
  });

  test('includes DataHub’s service accounts, which have no key, and tokens for them', async () => {
    const server = await open();
    const datahub = server.actor(urn('datahub'));
    const { createServiceAccount } = await data<{ createServiceAccount: { urn: string } }>(
      datahub,
      'mutation { createServiceAccount(input: {displayName: "etl"}) { urn } }',
    );
    const asked = `{type: SERVICE_ACCOUNT, actorUrn: "${createServiceAccount.urn}", duration: ONE_DAY, name: "x"}`;
    const { createAccessToken } = await data<{ createAccessToken: { accessToken: string } }>(
      datahub,
      `mutation { createAccessToken(input: ${asked}) { accessToken } }`,
    );
    expect(await server.actor(createServiceAccount.urn).call(usersApi.me)).toMatchObject({ kind: 'service_user' });
    const strict = await openTestServer({ beside: server });
    expect(await standingOf(strict.bearer(createAccessToken.accessToken))).toBe('token_unauthenticated');
    await data(datahub, `mutation { deleteServiceAccount(urn: "${createServiceAccount.urn}") }`);
    expect(await server.owner.call(serviceUsersApi.list)).toEqual([]);
  });

  test('includes what DataHub’s documentation has people do, under the name they give', async () => {
    const server = await open();
    const create = (name: string) =>
      `mutation { createAccessToken(input: {type: PERSONAL, actorUrn: "${urn(name)}", duration: ONE_HOUR, name: "x"}) { metadata { id actorUrn ownerUrn } } }`;
    const list = (name: string) =>
      `{ listAccessTokens(input: {filters: [{field: "ownerUrn", value: "${urn(name)}"}]}) { total tokens { id } } }`;
    const datahub = server.actor(urn('datahub'));
    const { createAccessToken } = await data<{ createAccessToken: { metadata: { id: string } } }>(
      datahub,
      create('datahub'),
    );
    const { id } = createAccessToken.metadata;
    expect(createAccessToken.metadata).toEqual({ id, actorUrn: urn('datahub'), ownerUrn: urn('datahub') });
    await data(server.actor(urn('other')), create('other'));
    expect(await data(datahub, list('datahub'))).toEqual({ listAccessTokens: { total: 1, tokens: [{ id }] } });
    expect(await data(server.nobody, '{ listAccessTokens(input: {}) { total } }')).toEqual({
      listAccessTokens: { total: 2 },
    });
    expect(await data(datahub, `mutation { revokeAccessToken(tokenId: "${id}") }`)).toEqual({
      revokeAccessToken: true,
    });
  });

  test('ends where somebody named loses it before the change is made', async () => {
    const server = await open();
    const { id } = await createUser(server, 'bob');
    const transact = server.deps.db.transact;
    server.deps.db.transact = async (...given) => {
      server.deps.db.transact = transact;
      await server.owner.call(usersApi.update, { params: { id }, body: { active: false } });
      return transact(...given);
    };
    expect(await server.actor(urn('bob')).refused(tokensApi.create, { body: {} })).toMatchObject({
      code: 'principal_inactive',
    });
  });

  test('is recorded under the name that was given, with no credential', async () => {
    const server = await open();
    await server.actor(urn('datahub')).call(catalogsApi.create, { body: { name: 'sales' } });
    await server.actor(urn('datahub')).refused(usersApi.create, { body: { username: 'eve' } });
    await server.deps.refusals.close();
    const events = await server.owner.call(auditApi.list);
    const by = { user_id: server.deps.installation.ownerId, username: 'datahub', credential_id: null };
    expect(events).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ ...by, action: 'catalog.created', credential_type: 'none', result: 'success' }),
        expect.objectContaining({ ...by, action: 'request.refused', credential_type: 'none', result: 'failure' }),
      ]),
    );
  });
});

describe('a token made without authentication', () => {
  const MARKED = 'it was made by a server without authentication';

  /** A token of `caller`, and a server that authenticates on the same data directory. */
  async function openBeside(header?: string) {
    const server = await open();
    await createUser(server, 'bob');
    const minted = await mint(server, header === undefined ? server.nobody : server.actor(header));
    return { server, minted, strict: await openTestServer({ beside: server }) };
  }

  test('is the owner’s, of the lowest role unless asked otherwise; a user’s of their own', async () => {
    const server = await open();
    await createUser(server, 'grace', 'tenant-admin');
    expect(await mint(server, server.nobody)).toMatchObject({ role: 'tenant-user' });
    expect(await mint(server, server.nobody, { roles: ['root'] })).toMatchObject({ role: 'root' });
    expect(await mint(server, server.actor(urn('datahub')), { username: 'datahub' })).toMatchObject({
      role: 'tenant-user',
    });
    expect(await mint(server, server.actor(urn('grace')))).toMatchObject({ role: 'tenant-admin' });
  });

  test.each([[undefined], [urn('datahub')], [urn('bob')]])(
    'is refused by every server that authenticates, and says why (made as %s)',
    async (header) => {
      const { strict, minted } = await openBeside(header);
      expect(await strict.bearer(minted.token).refused(usersApi.me)).toMatchObject({
        status: 401,
        code: 'token_unauthenticated',
        detail: 'The token was made by a server without authentication: nobody had shown who they were.',
        hint: expect.stringContaining('pangolin-user get-token'),
      });
      const form = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: minted.token };
      const body = { ...form, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
      expect((await strict.nobody.ask(oauthApi.token, { body })).status).toBe(400);
    },
  );

  test('is for nobody who reads tokens by themselves, either: its audience is none', async () => {
    const server = await open();
    const audienceOf = (token: string) =>
      JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')).aud;
    const { issuer } = server.deps.installation;
    expect(audienceOf((await mint(server, server.nobody)).token)).toBe(`${issuer}:unauthenticated`);
    expect(audienceOf((await mint(server, server.owner)).token)).toBe(issuer);
  });

  test('is known by itself to who made it, as others are', async () => {
    const server = await open();
    const { id, token } = await mint(server, server.nobody, { name: 'x' });
    const query = `{ getAccessTokenMetadata(token: "${token}") { id name } }`;
    expect(await data(server.nobody, query)).toEqual({ getAccessTokenMetadata: { id, name: 'x' } });
  });

  test('cannot be exchanged for one that is not marked, at the server that made it either', async () => {
    const { server, minted } = await openBeside();
    const form = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: minted.token };
    const body = { ...form, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
    expect((await server.nobody.ask(oauthApi.token, { body })).status).toBe(400);
  });

  test('is listed as revoked where it is refused, and as what it is where it was made', async () => {
    const { server, strict, minted } = await openBeside();
    const lenient = server.nobody;
    expect(await lenient.call(tokensApi.listOwn)).toMatchObject([{ id: minted.id, is_valid: true, revoked_at: null }]);
    expect(await strict.owner.call(tokensApi.listOwn)).toMatchObject([
      { id: minted.id, is_valid: false, revoked_at: null, revoked_reason: MARKED },
    ]);
    expect(await strict.owner.call(tokensApi.get, { params: { id: minted.id } })).toMatchObject({
      revoked_reason: MARKED,
    });
    const revoked = { query: { status: 'revoked' } };
    expect(await strict.owner.call(tokensApi.listOwn, revoked)).toHaveLength(1);
    expect(await lenient.call(tokensApi.listOwn, revoked)).toEqual([]);
    await lenient.call(tokensApi.revoke, { params: { jti: minted.id }, body: { reason: 'done' } });
    for (const caller of [lenient, strict.owner])
      expect(await caller.call(tokensApi.listOwn)).toMatchObject([{ is_valid: false, revoked_reason: 'done' }]);
  });

  test('counts among the most that a user may have only where it is good', async () => {
    const server = await open();
    await server.owner.call(settingsApi.update, { body: { max_tokens_per_user: 1 } });
    await mint(server, server.nobody);
    expect(await server.nobody.refused(tokensApi.create, { body: {} })).toMatchObject({ code: 'policy_refused' });
    const strict = await openTestServer({ beside: server });
    const { caller } = await mint(strict, strict.owner);
    expect(await standingOf(caller)).toBe('ok');
  });

  test('is told from those that the same server issues for a password or an API key', async () => {
    const server = await open();
    await createUser(server, 'bob');
    const etl = await createServiceUser(server, { name: 'etl' });
    const strict = await openTestServer({ beside: server });
    const { token } = await logIn(server, 'bob');
    const body = { grant_type: 'client_credentials', client_secret: etl.api_key };
    const { access_token } = (await server.nobody.ask(oauthApi.token, { body })).json as { access_token: string };
    for (const secret of [token, access_token]) expect(await standingOf(strict.bearer(secret))).toBe('ok');
  });
});

describe('a server with authentication', () => {
  test('does not hear X-DataHub-Actor at all', async () => {
    const server = await openTestServer();
    expect(await server.actor(urn('ada')).refused(usersApi.me)).toMatchObject({ code: 'authentication_required' });
    const { token } = await mint(server, server.owner);
    for (const header of [urn('nobody'), 'nonsense', ''])
      expect(await server.bearer(token, { 'x-datahub-actor': header }).call(usersApi.me)).toMatchObject({
        username: 'ada',
        credential: { type: 'personal' },
      });
  });
});
