import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { logIn } from '../../../packages/shared/src/auth/log-in.ts';
import { logOut } from '../../../packages/shared/src/auth/log-out.ts';
import { connect } from '../../../packages/shared/src/client/connect.ts';
import type { WireClient } from '../../../packages/shared/src/client/wire-client.ts';
import { ORIGINAL_TENANT, ORIGINAL_USER, type OriginalServerDouble, startOriginalServer } from '../original-server.ts';
import { createSurroundings } from '../surroundings.ts';

describe('against an original Pangolin 0.8 server', () => {
  let server: OriginalServerDouble;
  let client: WireClient;
  let notices: string[];

  beforeEach(async () => {
    server = await startOriginalServer();
    notices = [];
    const surroundings = await createSurroundings({ PANGOLIN_URL: server.origin, PANGOLIN_TOKEN: server.sessionToken });
    const options = { createDataDir: false, onNotice: (message: string) => void notices.push(message) };
    ({ client } = await connect(options, surroundings));
  });

  afterEach(async () => {
    await client.close();
    await server.close();
  });

  const last = () => server.requests.at(-1);

  test('a login sends tenant-id, null when none is named, and reads the kebab-case answer', async () => {
    const answer = await client.users.login(ORIGINAL_USER);
    expect(last()?.body).toEqual({ ...ORIGINAL_USER, 'tenant-id': null });
    expect(answer.user).toMatchObject({ username: 'ada', role: 'tenant-admin', tenant_id: ORIGINAL_TENANT });
    expect(answer.expires_at).toBe('2096-10-02T07:06:40.000Z');
  });

  test('a wrong password is login_failed', async () => {
    await expect(client.users.login({ ...ORIGINAL_USER, password: 'wrong' })).rejects.toMatchObject({
      code: 'login_failed',
      message: 'Invalid credentials',
    });
  });

  test('a token is asked for with exactly tenant, username and hours, and its description is told to be lost', async () => {
    const issued = await client.tokens.create({ description: 'PyIceberg', expires_in_days: 90 });
    expect(last()).toMatchObject({
      path: '/api/v1/tokens',
      body: { tenant_id: ORIGINAL_TENANT, username: 'ada', expires_in_hours: 2160 },
    });
    expect(issued).toMatchObject({
      id: '44444444-4444-4444-8444-444444444444',
      tenant_id: ORIGINAL_TENANT,
      expires_at: '2027-02-20T12:00:00Z',
      scopes: [],
    });
    expect(notices).toEqual([expect.stringContaining('does not keep description')]);
  });

  test('the server is asked what it is once, and from then on spoken to in its dialect at once', async () => {
    await client.tokens.create({ expires_in_days: 1 });
    await client.tokens.create({ expires_in_days: 1 });
    const paths = server.requests.map(({ path }) => path);
    expect(paths).toEqual(['/api/v1/tokens', '/api/v1/app/config', '/api/v1/tokens', '/api/v1/tokens']);
  });

  test.each([
    ['scopes', { scopes: ['catalog:read'] }],
    ['another role', { roles: ['tenant-user'] }],
    ['less than an hour', { expires_in_minutes: 15 }],
    ['a user id', { user_id: ORIGINAL_TENANT }],
  ])('a token narrowed to %s is refused, not minted wider', async (_what, input) => {
    await expect(client.tokens.create(input)).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(server.requests.filter(({ path, body }) => path === '/api/v1/tokens' && 'username' in Object(body))).toEqual(
      [],
    );
  });

  test('a service user is created with the role in kebab-case', async () => {
    const issued = await client.serviceUsers.create({
      name: 'etl',
      description: 'nightly',
      role: 'TenantUser',
      expires_in_days: 30,
    });
    expect(last()?.body).toEqual({ name: 'etl', description: 'nightly', role: 'tenant-user', expires_in_days: 30 });
    expect(issued).toMatchObject({
      id: '22222222-2222-4222-8222-222222222222',
      api_key: 'pgl_first',
      role: 'tenant-user',
    });
  });

  test('a service user with scopes is refused, not created without them', async () => {
    await expect(client.serviceUsers.create({ name: 'etl', scopes: ['catalog:read'] })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
  });

  test('service users are listed with what is missing filled in', async () => {
    expect(await client.serviceUsers.list()).toMatchObject([
      { name: 'etl', tenant_id: ORIGINAL_TENANT, keys: [], last_used: null },
    ]);
  });

  test('a rotation sends an empty object and answers the new key', async () => {
    const issued = await client.serviceUsers.rotate('22222222-2222-4222-8222-222222222222');
    expect(last()).toMatchObject({ method: 'POST', body: {} });
    expect(issued).toMatchObject({ api_key: 'pgl_second', name: 'etl', tenant_id: ORIGINAL_TENANT });
    expect(notices).toEqual([]);
  });

  test('a grace period is refused before the old key is replaced', async () => {
    const rotation = client.serviceUsers.rotate('22222222-2222-4222-8222-222222222222', { grace_hours: 24 });
    await expect(rotation).rejects.toMatchObject({ code: 'invalid_argument' });
    expect(server.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  test('a token is revoked by id, and its reason is told to be lost', async () => {
    await client.tokens.revoke('44444444-4444-4444-8444-444444444444', 'leaked');
    expect(last()).toMatchObject({ path: '/api/v1/auth/revoke/44444444-4444-4444-8444-444444444444', body: {} });
    expect(notices).toEqual([expect.stringContaining('reason')]);
  });

  test('after revoking its own token the client is refused with exit code 3', async () => {
    await client.tokens.revokeSelf();
    await expect(client.users.me()).rejects.toMatchObject({ code: 'token_unknown', exitCode: 3 });
  });

  test('the tenant is named in X-Pangolin-Tenant', async () => {
    const tenantId = '55555555-5555-4555-8555-555555555555';
    const surroundings = await createSurroundings({
      PANGOLIN_URL: server.origin,
      PANGOLIN_TOKEN: server.sessionToken,
      PANGOLIN_TENANT_ID: tenantId,
    });
    const connection = await connect({ createDataDir: false, onNotice: () => undefined }, surroundings);
    await connection.client.tokens.create({ expires_in_days: 1 });
    await connection.client.close();
    expect(last()).toMatchObject({ tenant: tenantId, body: { tenant_id: tenantId } });
  });

  test('login and logout work with profiles', async () => {
    const surroundings = await createSurroundings({ PANGOLIN_CREDENTIAL_STORE: 'file' });
    const onNotice = () => undefined;
    const { profile } = await logIn({ url: server.origin, ...ORIGINAL_USER, onNotice }, surroundings);
    const connection = await connect({ createDataDir: false, onNotice }, surroundings);
    expect(connection).toMatchObject({ profile, source: 'credentials file' });
    expect((await connection.client.users.me()).username).toBe('ada');
    await connection.client.close();
    expect(await logOut({ onNotice }, surroundings)).toEqual([profile]);
    expect(last()?.path).toBe('/api/v1/auth/revoke');
  });
});
