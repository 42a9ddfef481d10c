import { describe, expect, onTestFinished, test } from 'vitest';
import { createClient } from '../../../packages/shared/src/index.ts';
import { type Answer, problem, type Received, startAnsweringServer } from '../answering-server.ts';
import { createSurroundings } from '../surroundings.ts';

const ID = '0190a0a0-0000-7000-8000-000000000001';
const TOKEN = {
  id: ID,
  token_id: ID,
  kind: 'personal',
  name: 'job',
  created_at: '2026-11-22T12:00:00Z',
  expires_at: '2027-11-22T12:00:00Z',
  last_used_at: null,
  last_used_ip: '127.0.0.1',
  is_valid: true,
};

const GRANT = {
  id: ID,
  privilege: 'VIEW_AUDIT',
  grantee: { kind: 'service_user', id: ID, name: 'siem' },
  tenant_id: ID,
  created_at: '2026-11-22T12:00:00Z',
  created_by: null,
};

function answer({ method, path, headers, text }: Received): Answer {
  if (path === '/api/v1/config/settings' && method === 'PUT')
    return { body: { role_limits: JSON.parse(text).role_limits, affected_tokens: [] } };
  if (path === '/api/v1/config/settings')
    return { body: { default_token_days: 90, max_token_days: 365, max_tokens_per_user: null, session_hours: 12 } };
  if (path === '/api/v1/tokens' && method === 'POST')
    return { body: { ...TOKEN, token: 'minted', jti: ID, role: 'root', sent: JSON.parse(text) } };
  if (path.startsWith('/api/v1/tokens?')) return { body: [{ ...TOKEN, created_by_id: ID, created_by: null }] };
  if (path.startsWith('/api/v1/users/me/tokens')) return { body: [TOKEN, { ...TOKEN, id: 'other', kind: 'session' }] };
  if (path === `/api/v1/tokens/${ID}`) return { body: TOKEN };
  if (path.startsWith('/api/v1/auth/revoke')) return { body: { message: 'revoked' } };
  if (path.startsWith('/api/v1/audit/count')) return { body: { count: 3 } };
  if (path.startsWith('/api/v1/audit/verify'))
    return { body: { valid: true, complete: true, seq: 3, events: 3, checkpoints: 0, time: '2026-11-22T12:00:00Z' } };
  if (path.startsWith('/api/v1/audit/checkpoints'))
    return { status: 201, body: { chain: 'system', seq: 3, time: '2026-11-22T12:00:00Z' } };
  if (path.startsWith(`/api/v1/audit/${ID}`)) return { body: { id: ID, seq: 3 } };
  if (path.startsWith('/api/v1/audit'))
    return { body: [{ time: '2026-11-22T12:00:00Z', resource_type: 'token', details: { expires_at: 'kept' } }] };
  if (path.startsWith('/api/v1/policies') && method === 'DELETE') return { status: 204 };
  if (path.startsWith('/api/v1/policies')) return { body: method === 'GET' ? [GRANT] : GRANT };
  if (path === '/api/v1/users/login')
    return {
      body: {
        token: 'session',
        expires_at: '2026-11-23T00:00:00Z',
        user: { id: ID, username: 'ada', email: null, role: 'tenant-user', tenant_id: ID },
      },
    };
  if (path === '/api/v1/users/me') {
    return headers.authorization
      ? { body: { id: ID, username: headers.authorization, email: null, role: 'root', tenant_id: ID, credential: {} } }
      : problem(401, 'authentication_required', 'No credential');
  }
  return problem(404, 'not_found', 'nothing here');
}

async function clientOf(env: Record<string, string> = { PANGOLIN_TOKEN: 'first' }) {
  const server = await startAnsweringServer(answer);
  const surroundings = await createSurroundings(env);
  const client = createClient({ url: server.origin, surroundings });
  onTestFinished(async () => {
    await client.close();
    await server.close();
  });
  return { client, server, surroundings };
}

describe('the client library', () => {
  test('keeps the names of roles beside camelCase fields, and says null for a token that never expires', async () => {
    const { client, server } = await clientOf();
    const roleLimits = { 'tenant-admin': { maxTokenDays: 30, maxKeyDays: null } };
    expect((await client.settings.update({ roleLimits })).roleLimits).toEqual(roleLimits);
    expect(JSON.parse(server.received[0]?.text ?? '')).toEqual({
      role_limits: { 'tenant-admin': { max_token_days: 30, max_key_days: null } },
    });
    await client.tokens.create({ expiresAt: null });
    expect(JSON.parse(server.received[1]?.text ?? '')).toEqual({ expires_at: null });
  });

  test('speaks camelCase with Date times, and leaves details as they are', async () => {
    const { client, server } = await clientOf();
    const issued = await client.tokens.create({ name: 'job', expiresAt: new Date('2027-01-01T00:00:00Z') });
    expect(JSON.parse(server.received[0]?.text ?? '')).toEqual({ name: 'job', expires_at: '2027-01-01T00:00:00.000Z' });
    expect(issued.expiresAt).toEqual(new Date('2027-11-22T12:00:00Z'));
    const [token] = await client.tokens.list();
    expect(token).toMatchObject({ tokenId: ID, lastUsedAt: null, lastUsedIp: '127.0.0.1', isValid: true });
    expect(await client.audit.list({ resourceType: 'token', since: new Date(0) })).toEqual([
      { time: new Date('2026-11-22T12:00:00Z'), resourceType: 'token', details: { expires_at: 'kept' } },
    ]);
    expect(server.received.at(-1)?.path).toBe('/api/v1/audit?resource_type=token&since=1970-01-01T00%3A00%3A00.000Z');
  });

  test("lists a tenant's tokens, and who made each", async () => {
    const { client, server } = await clientOf();
    const [token] = await client.tokens.listOfTenant({ username: 'etl', status: 'expired', limit: 5 });
    expect(token).toMatchObject({
      tokenId: ID,
      createdById: ID,
      createdBy: null,
      createdAt: new Date('2026-11-22T12:00:00Z'),
    });
    await client.tokens.listOfTenant({ userId: ID, all: true });
    expect(server.received.map(({ path }) => path)).toEqual([
      '/api/v1/tokens?limit=5&username=etl&status=expired',
      `/api/v1/tokens?limit=1000&user_id=${ID}`,
    ]);
  });

  test('counts, gets and verifies audit events, and has them vouched for', async () => {
    const { client, server } = await clientOf();
    const asked = () => `${server.received.at(-1)?.method} ${server.received.at(-1)?.path}`;
    expect(await client.audit.count({ resourceType: 'token' })).toEqual({ count: 3 });
    expect(asked()).toBe('GET /api/v1/audit/count?resource_type=token');
    expect(await client.audit.get(ID, { chain: 'system' })).toEqual({ id: ID, seq: 3 });
    expect(asked()).toBe(`GET /api/v1/audit/${ID}?chain=system`);
    expect(await client.audit.verify({ afterSeq: 2 })).toMatchObject({
      valid: true,
      time: new Date('2026-11-22T12:00:00Z'),
    });
    expect(asked()).toBe('GET /api/v1/audit/verify?after_seq=2');
    expect(await client.audit.createCheckpoint({ chain: 'system' })).toMatchObject({ chain: 'system', seq: 3 });
    expect(asked()).toBe('POST /api/v1/audit/checkpoints?chain=system');
  });

  test('grants, lists and revokes privileges', async () => {
    const { client, server } = await clientOf();
    const granted = await client.policies.grant({ privilege: 'view-audit', serviceUserName: 'siem' });
    expect(granted).toMatchObject({ grantee: { name: 'siem' }, createdAt: new Date('2026-11-22T12:00:00Z') });
    expect(JSON.parse(server.received.at(-1)?.text ?? '')).toEqual({
      privilege: 'view-audit',
      service_user_name: 'siem',
    });
    expect(await client.policies.list({ serviceUserName: 'siem', all: true })).toEqual([granted]);
    expect(server.received.at(-1)?.path).toBe('/api/v1/policies?limit=1000&service_user_name=siem');
    await client.policies.revoke(granted.id);
    expect(server.received.at(-1)).toMatchObject({ method: 'DELETE', path: `/api/v1/policies/${ID}` });
  });

  test('knows no privileges of a server that tells none', async () => {
    const { client } = await clientOf();
    expect((await client.users.me()).privileges).toEqual([]);
  });

  test('generates a token until the end of a day, or for the longest time allowed, and answers its text', async () => {
    const { client, server } = await clientOf();
    expect(
      await client.auth.pats.generate({
        name: 'job',
        description: 'nightly',
        expiryDate: '31/01/2027',
        timezone: 'Europe/Berlin',
      }),
    ).toBe('minted');
    expect(JSON.parse(server.received.at(-1)?.text ?? '')).toEqual({
      name: 'job',
      description: 'nightly',
      expires_at: '2027-01-31T22:59:59.000Z',
    });
    await client.auth.pats.generate({ name: 'job' });
    expect(JSON.parse(server.received.at(-1)?.text ?? '')).toEqual({ name: 'job', expires_in_days: 365 });
    await expect(client.auth.pats.generate({ name: 'job', expiryDate: '31/02/2027' })).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    expect(await client.auth.pats.maximumAllowedTokenDuration()).toBe(365);
  });

  test('lists personal access tokens alone, and each can be revoked', async () => {
    const { client, server } = await clientOf();
    const tokens = await client.auth.pats.list();
    expect(tokens.map(({ id }) => id)).toEqual([ID]);
    await tokens[0]?.revoke('done');
    expect(server.received.at(-1)).toMatchObject({ path: `/api/v1/auth/revoke/${ID}`, text: '{"reason":"done"}' });
    expect((await client.auth.pats.get(ID)).name).toBe('job');
  });

  test('presents the token it is given, instead of any other', async () => {
    const { client } = await clientOf();
    client.auth.setAuthToken('second');
    expect((await client.auth.getActiveUser()).username).toBe('Bearer second');
    expect(() => client.auth.setAuthToken('two words')).toThrow(
      expect.objectContaining({ code: 'credential_malformed' }),
    );
    expect((await client.describeConnection()).source).toBe('program');
  });

  test('asks its method for a token before every request', async () => {
    const { client } = await clientOf();
    let count = 0;
    client.setObtainAccessTokenMethod(() => `token-${++count}`);
    expect((await client.users.me()).username).toBe('Bearer token-1');
    expect((await client.users.me()).username).toBe('Bearer token-2');
  });

  test('a method that rejects surfaces with its cause', async () => {
    const { client } = await clientOf();
    const cause = new Error('vault is sealed');
    client.setObtainAccessTokenMethod(async () => Promise.reject(cause));
    await expect(client.users.me()).rejects.toMatchObject({ code: 'token_command_failed', cause });
  });

  test('logs in, uses the session, and logs out', async () => {
    const { client, server } = await clientOf({});
    await expect(client.auth.getActiveUser()).rejects.toMatchObject({ code: 'authentication_required' });
    expect(await client.auth.login({ username: 'ada', password: 'right' })).toEqual({
      id: ID,
      username: 'ada',
      email: null,
      role: 'tenant-user',
      tenantId: ID,
    });
    expect((await client.auth.getActiveUser()).username).toBe('Bearer session');
    await client.auth.logout();
    expect(server.received.at(-1)).toMatchObject({
      path: '/api/v1/auth/revoke',
      headers: { authorization: 'Bearer session' },
    });
    await expect(client.auth.getActiveUser()).rejects.toMatchObject({ code: 'authentication_required' });
    await expect(client.auth.logout()).rejects.toMatchObject({ code: 'not_logged_in' });
  });

  test('a login that is kept nowhere serves this client until it logs out', async () => {
    const { client } = await clientOf({ PANGOLIN_CREDENTIAL_STORE: 'none' });
    await client.auth.login({ username: 'ada', password: 'right' });
    expect((await client.auth.getActiveUser()).username).toBe('Bearer session');
    await client.auth.logout();
    await expect(client.auth.getActiveUser()).rejects.toMatchObject({ code: 'authentication_required' });
  });

  test('connects on first use only, and again after a failure', async () => {
    const surroundings = await createSurroundings();
    const client = createClient({ surroundings, createDataDir: false });
    await expect(client.users.me()).rejects.toMatchObject({ code: 'no_server' });
    await expect(client.tokens.create()).rejects.toMatchObject({ code: 'no_server' });
    await client.close();
  });
});
