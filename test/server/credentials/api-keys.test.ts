import { crc32 } from 'node:zlib';
import { serviceUsersApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createServiceUser, DAY_MS, mint, openTestServer, standingOf, type TestServer } from '../harness.ts';

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function base62(value: number, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest = Math.floor(rest / 62)) text = BASE62.charAt(rest % 62) + text;
  return text;
}

const withChecksum = (body: string) => body + base62(crc32(body), 6);

function countReads(server: TestServer) {
  const work = { reads: 0 };
  const { findTokenState, findApiKeyState } = server.deps.credentials;
  server.deps.credentials = {
    findTokenState: (id) => {
      work.reads += 1;
      return findTokenState(id);
    },
    findApiKeyState: (id) => {
      work.reads += 1;
      return findApiKeyState(id);
    },
  };
  return work;
}

describe('an API key', () => {
  test('is pgl_, 12 characters of id, 43 of secret and a CRC-32 over all before it', async () => {
    const server = await openTestServer();
    const { api_key, key_id } = await createServiceUser(server, { name: 'etl' });
    expect(api_key).toMatch(/^pgl_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$/);
    expect(api_key.slice(4, 16)).toBe(key_id);
    expect(withChecksum(api_key.slice(0, -6))).toBe(api_key);
  });

  test('is kept as a SHA-256 hash alone', async () => {
    const server = await openTestServer();
    const { api_key, key_id } = await createServiceUser(server, { name: 'etl' });
    const row = await server.deps.db.read
      .selectFrom('api_keys')
      .selectAll()
      .where('id', '=', key_id)
      .executeTakeFirstOrThrow();
    expect(row.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(JSON.stringify(row)).not.toContain(api_key.slice(17));
  });

  test('works as X-API-Key and as a bearer', async () => {
    const server = await openTestServer();
    const { id, api_key, key_id, caller } = await createServiceUser(server, { name: 'etl' });
    for (const one of [caller, server.bearer(api_key)]) {
      expect(await one.call(usersApi.me)).toMatchObject({
        id,
        kind: 'service_user',
        username: 'etl',
        role: 'tenant-user',
        credential: { type: 'api_key', id: key_id, expires_at: null, scopes: [] },
      });
    }
  });

  test('with any one character changed is refused without a database read', async () => {
    const server = await openTestServer();
    const { api_key } = await createServiceUser(server, { name: 'etl' });
    const work = countReads(server);
    for (let i = 0; i < api_key.length; i += 1) {
      const other = BASE62.charAt((BASE62.indexOf(api_key.charAt(i)) + 1) % 62);
      const changed = api_key.slice(0, i) + other + api_key.slice(i + 1);
      const expected = i < 4 ? 'credential_malformed' : 'api_key_invalid';
      expect({ i, standing: await standingOf(server.apiKey(changed)) }).toEqual({ i, standing: expected });
    }
    for (const changed of [api_key.slice(0, -1), `${api_key}0`, api_key.toUpperCase(), 'pgl_', `${api_key} x`]) {
      expect(await standingOf(server.apiKey(changed))).not.toBe('ok');
    }
    expect(work.reads).toBe(0);
  });

  test('with a right checksum and a wrong secret costs one read and is refused', async () => {
    const server = await openTestServer();
    const { api_key } = await createServiceUser(server, { name: 'etl' });
    const work = countReads(server);
    const guess = withChecksum(`${api_key.slice(0, 17)}${'0'.repeat(43)}`);
    expect(await standingOf(server.apiKey(guess))).toBe('api_key_invalid');
    expect(await standingOf(server.apiKey(withChecksum(`pgl_${'0'.repeat(12)}_${'0'.repeat(43)}`)))).toBe(
      'api_key_invalid',
    );
    expect(work.reads).toBe(2);
  });

  test('stops at the end of its service user to the second, without grace', async () => {
    const server = await openTestServer();
    const { expires_at, caller } = await createServiceUser(server, { name: 'etl', expires_in_days: 1 });
    expect(expires_at).toBe('2026-11-23T12:00:00Z');
    server.clock.advance(DAY_MS - 1);
    expect(await standingOf(caller)).toBe('ok');
    server.clock.advance(1);
    expect(await standingOf(caller)).toBe('api_key_expired');
  });
});

describe('a request', () => {
  test('carries one credential, not two', async () => {
    const server = await openTestServer();
    const { api_key } = await createServiceUser(server, { name: 'etl' });
    const { token } = await mint(server, server.owner);
    expect(await server.bearer(token, { 'x-api-key': api_key }).refused(usersApi.me)).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  test('without a credential is told what to send', async () => {
    const server = await openTestServer();
    const { status, headers, json } = await server.nobody.ask(usersApi.me);
    expect({ status, ...(json as object) }).toMatchObject({ status: 401, code: 'authentication_required' });
    expect(headers.get('www-authenticate')).toBe('Bearer realm="pangolin"');
    for (const authorization of ['Bearer', 'Bearer ', 'Basic YTpi', 'Token x']) {
      expect((await server.nobody.ask(usersApi.me, { headers: { authorization } })).status).toBe(401);
    }
  });
});

describe('roles and scopes', () => {
  test('are what they are now, not what they were when the credential was issued', async () => {
    const server = await openTestServer();
    const bot = await createServiceUser(server, { name: 'bot', role: 'tenant-admin' });
    const token = await mint(server, bot.caller);
    expect((await token.caller.call(usersApi.me)).role).toBe('tenant-admin');
    await server.owner.call(serviceUsersApi.update, { params: { id: bot.id }, body: { role: 'tenant-user' } });
    expect((await token.caller.call(usersApi.me)).role).toBe('tenant-user');
    expect((await bot.caller.call(usersApi.me)).role).toBe('tenant-user');
    await server.owner.call(serviceUsersApi.update, { params: { id: bot.id }, body: { role: 'root' } });
    expect((await token.caller.call(usersApi.me)).role).toBe('tenant-admin');
  });

  test("are the token's within its owner's", async () => {
    const server = await openTestServer();
    const bot = await createServiceUser(server, { name: 'bot', scopes: ['catalog:read', 'tokens:write'] });
    const wider = await mint(server, server.owner, {
      user_id: bot.id,
      scopes: ['catalog:write', 'catalog:read:default'],
    });
    expect((await wider.caller.call(usersApi.me)).credential.scopes).toEqual(['catalog:read:default']);
    const apart = await mint(server, server.owner, { user_id: bot.id, scopes: ['tokens:read'] });
    expect((await apart.caller.ask(serviceUsersApi.list)).status).toBe(403);
    expect((await apart.caller.send('GET', '/api/v1/catalogs')).status).toBe(403);
  });
});
