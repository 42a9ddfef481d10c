import { tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  logIn,
  mint,
  openTestServer,
  PASSWORD,
  standingOf,
  UNKNOWN_ID,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

describe('GET /api/v1/users/me', () => {
  test('says who asks, with which credential', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const token = await mint(server, bob.caller, { scopes: ['catalog:read'], expires_in_days: 1 });
    expect(await token.caller.call(usersApi.me)).toEqual({
      id: bob.id,
      kind: 'user',
      privileges: ['GENERATE_PERSONAL_ACCESS_TOKENS'],
      username: 'bob',
      email: null,
      role: 'tenant-user',
      tenant_id: bob.tenant_id,
      credential: { type: 'personal', id: token.id, expires_at: token.expires_at, scopes: ['catalog:read'] },
    });
    expect((await bob.caller.call(usersApi.me)).credential.type).toBe('session');
    expect(await server.owner.call(usersApi.me)).toMatchObject({
      kind: 'owner',
      username: 'ada',
      role: 'root',
      credential: { type: 'owner', id: null, expires_at: null },
    });
  });
});

describe('creating a user', () => {
  test('with a password keeps only its argon2id hash', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const body = { username: 'bob', email: 'bob@example.org', password: PASSWORD };
    const bob = await eve.caller.call(usersApi.create, { body });
    expect(bob).toMatchObject({
      username: 'bob',
      email: 'bob@example.org',
      role: 'tenant-user',
      active: true,
      created_by: 'eve',
    });
    expect(bob).not.toHaveProperty('password');
    const row = await server.deps.db.read
      .selectFrom('users')
      .selectAll()
      .where('id', '=', bob.id)
      .executeTakeFirstOrThrow();
    expect(row.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await readLastAudit(server)).toMatchObject({
      action: 'user.created',
      username: 'eve',
      resource_id: bob.id,
      resource_name: 'bob',
      details: { role: 'tenant-user', email: 'bob@example.org' },
    });
  });

  test('without a password answers a generated one, once', async () => {
    const server = await openTestServer();
    const { password, id } = await server.owner.call(usersApi.create, { body: { username: 'bob' } });
    expect(password).toMatch(/^[0-9A-Za-z]{20}$/);
    await server.nobody.call(usersApi.login, { body: { username: 'bob', password } });
    expect((await server.owner.ask(usersApi.get, { params: { id } })).text).not.toContain(password);
  });

  test('refuses a name that is taken, though the embedded owner may be called alike', async () => {
    const server = await openTestServer();
    await createUser(server, 'bob');
    await createUser(server, 'ada');
    const problem = await server.owner.refused(usersApi.create, { body: { username: 'bob' } });
    expect(problem).toMatchObject({ status: 409, code: 'conflict' });
  });

  test('refuses what is invalid, by the name of the field', async () => {
    const server = await openTestServer();
    for (const [field, values] of Object.entries({
      username: ['', ' x', 'a\tb', 'x'.repeat(256), null, `service_${UNKNOWN_ID}`, `SERVICE_${UNKNOWN_ID}`],
      email: ['bob', 'a b@c', 'x'.repeat(255), 7],
      role: ['admin', null],
      password: ['short', 'x'.repeat(1025), 7],
      active: [true],
    })) {
      for (const value of values) {
        const problem = await server.owner.refused(usersApi.create, { body: { username: 'bob', [field]: value } });
        expect(problem, `${field}: ${value}`).toMatchObject({ status: 400, code: 'invalid_request' });
        expect(problem.errors?.[0]?.field).toBe(field);
        expect(JSON.stringify(problem)).not.toContain('short"');
      }
    }
  });
});

describe('managing users', () => {
  test('is for administrators with credentials that are not narrowed', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const narrow = await mint(server, server.owner, {
      roles: ['root'],
      scopes: ['tokens:read', 'tokens:write', 'catalog'],
    });
    const params = { id: bob.id };
    const before = (await readAuditChain(server)).length;
    for (const [endpoint, asked] of [
      [usersApi.list, {}],
      [usersApi.create, { body: { username: 'x' } }],
      [usersApi.get, { params }],
      [usersApi.update, { params, body: { role: 'root' } }],
      [usersApi.delete, { params }],
      [usersApi.resetPassword, { params }],
    ] as const) {
      expect(await bob.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'forbidden' });
      expect(await narrow.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'insufficient_scope' });
    }
    expect(await readAuditChain(server)).toHaveLength(before);
  });

  test('never reaches above one’s own role', async () => {
    const server = await openTestServer();
    const root = await createLoggedIn(server, 'boss', 'root');
    const bob = await createUser(server, 'bob');
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const params = { id: root.id };
    for (const [endpoint, asked] of [
      [usersApi.create, { body: { username: 'x', role: 'root' } }],
      [usersApi.update, { params, body: { active: false } }],
      [usersApi.update, { params: { id: bob.id }, body: { role: 'root' } }],
      [usersApi.update, { params: { id: eve.id }, body: { role: 'root' } }],
      [usersApi.delete, { params }],
      [usersApi.resetPassword, { params, body: { password: 'taken-over-by-eve' } }],
    ] as const) {
      expect(await eve.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'forbidden' });
    }
    expect(await standingOf(root.caller)).toBe('ok');
  });

  test('knows neither the embedded owner nor service users nor users of another tenant', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const bot = await createServiceUser(server, { name: 'bot' });
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const id of [UNKNOWN_ID, other.userId, bot.id, server.deps.installation.ownerId]) {
      for (const [endpoint, body] of [
        [usersApi.get, undefined],
        [usersApi.update, { active: false }],
        [usersApi.delete, undefined],
        [usersApi.resetPassword, undefined],
      ] as const) {
        const asked = { params: { id }, ...(body ? { body } : {}) };
        expect(await eve.caller.refused(endpoint, asked)).toMatchObject({
          status: 404,
          detail: 'There is no such user.',
        });
      }
    }
    expect((await eve.caller.call(usersApi.list)).map(({ username }) => username)).toEqual(['eve']);
  });

  test('does not let an administrator lock themselves out', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const params = { id: eve.id };
    expect((await eve.caller.refused(usersApi.delete, { params })).code).toBe('conflict');
    expect((await eve.caller.refused(usersApi.update, { params, body: { active: false } })).code).toBe('conflict');
  });
});

describe('changing a user', () => {
  test('answers and records what was changed', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    const body = { username: 'robert', email: 'r@example.org', role: 'tenant-admin' };
    const changed = await server.owner.call(usersApi.update, { params: { id: bob.id }, body });
    expect(changed).toMatchObject(body);
    expect(await readLastAudit(server)).toMatchObject({
      action: 'user.updated',
      resource_id: bob.id,
      details: { changed: body },
    });
    await createUser(server, 'bob');
    const taken = { params: { id: bob.id }, body: { username: 'bob' } };
    expect((await server.owner.refused(usersApi.update, taken)).code).toBe('conflict');
    const service = { params: { id: bob.id }, body: { username: `service_${UNKNOWN_ID}` } };
    expect((await server.owner.refused(usersApi.update, service)).errors?.[0]?.field).toBe('username');
  });

  test('deactivating ends every credential and login, and reactivating revives none', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const token = await mint(server, bob.caller);
    const set = (active: boolean) => server.owner.call(usersApi.update, { params: { id: bob.id }, body: { active } });
    await set(false);
    for (const caller of [bob.caller, token.caller]) expect(await standingOf(caller)).toBe('principal_inactive');
    const login = { body: { username: 'bob', password: PASSWORD } };
    expect(await server.nobody.refused(usersApi.login, login)).toMatchObject({ status: 401, code: 'login_failed' });
    await set(true);
    for (const caller of [bob.caller, token.caller]) expect(await standingOf(caller)).toBe('token_revoked');
    expect(await standingOf((await logIn(server, 'bob')).caller)).toBe('ok');
  });

  test('deleting ends every credential, and frees the name for somebody else', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const token = await mint(server, bob.caller);
    await server.owner.call(usersApi.delete, { params: { id: bob.id } });
    expect(await readLastAudit(server)).toMatchObject({ action: 'user.deleted', resource_id: bob.id });
    await createUser(server, 'bob');
    for (const caller of [bob.caller, token.caller]) expect(await standingOf(caller)).toBe('principal_inactive');
    expect(await server.owner.call(tokensApi.get, { params: { id: token.id } })).toMatchObject({
      is_valid: false,
      username: '(deleted)',
    });
  });
});

describe('resetting a password', () => {
  test('ends every credential and the old password', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const token = await mint(server, bob.caller);
    const { password } = await server.owner.call(usersApi.resetPassword, { params: { id: bob.id } });
    expect(password).toMatch(/^[0-9A-Za-z]{20}$/);
    for (const caller of [bob.caller, token.caller]) expect(await standingOf(caller)).toBe('token_revoked');
    const withPassword = (given: string | undefined) =>
      server.nobody.ask(usersApi.login, { body: { username: 'bob', password: given } });
    expect((await withPassword(PASSWORD)).status).toBe(401);
    expect((await withPassword(password)).status).toBe(200);
  });

  test('to a given one does not answer it', async () => {
    const server = await openTestServer();
    const bob = await createUser(server, 'bob');
    const asked = { params: { id: bob.id }, body: { password: 'another-fine-password' } };
    expect(await server.owner.call(usersApi.resetPassword, asked)).toEqual({ id: bob.id, username: 'bob' });
    expect(await readLastAudit(server)).toMatchObject({ action: 'user.password_reset', resource_id: bob.id });
  });
});
