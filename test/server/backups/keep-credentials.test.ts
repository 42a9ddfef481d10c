import { serviceUsersApi, settingsApi, tenantsApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  DAY_MS,
  HOUR_MS,
  mint,
  PASSWORD,
  standingOf,
  type TestCaller,
  type TestServer,
} from '../harness.ts';
import { backUpServer, openEmbeddedServer, restoreBackup } from './back-up.ts';

const NEW_PASSWORD = 'another-horse-battery-staple';

const login = async (server: TestServer, username: string, password = PASSWORD) =>
  (await server.nobody.ask(usersApi.login, { body: { username, password } })).status === 200 ? 'ok' : 'refused';

/** A credential, what happens to it after the backup, and what is said of it after `restore --keep-credentials`. */
interface Case {
  make(server: TestServer): Promise<{ id: string; caller: TestCaller }>;
  happens?(server: TestServer, made: { id: string; caller: TestCaller }): Promise<unknown>;
  afterwards: string;
}

const token = async (server: TestServer) => {
  const made = await mint(server, server.owner);
  return { id: made.id, caller: made.caller };
};
let serial = 0;
const key = async (server: TestServer, body: object = {}) => {
  serial += 1;
  const made = await createServiceUser(server, { name: `job-${serial}`, ...body });
  return { id: made.id, caller: made.caller };
};
const session = async (server: TestServer, role?: 'tenant-admin') => {
  serial += 1;
  const made = await createLoggedIn(server, `user-${serial}`, role);
  return { id: made.id, caller: made.caller };
};
const change =
  (body: object) =>
  (server: TestServer, { id }: { id: string }) =>
    server.owner.call(serviceUsersApi.update, { params: { id }, body });
const changeUser =
  (body: object) =>
  (server: TestServer, { id }: { id: string }) =>
    server.owner.call(usersApi.update, { params: { id }, body });

const CASES: Record<string, Case> = {
  'a token to which nothing happened': { make: token, afterwards: 'ok' },
  'a key to which nothing happened': { make: key, afterwards: 'ok' },
  'a login to which nothing happened': { make: session, afterwards: 'ok' },
  'a token that was revoked': {
    make: token,
    happens: (server, { id }) => server.owner.call(tokensApi.revoke, { params: { jti: id } }),
    afterwards: 'token_revoked',
  },
  'a token that revoked itself': {
    make: token,
    happens: (_, { caller }) => caller.call(tokensApi.revokeSelf),
    afterwards: 'token_revoked',
  },
  'a token obtained with a key that was rotated away': {
    async make(server) {
      const made = await createServiceUser(server, { name: 'parent' });
      return { id: made.id, caller: (await mint(server, made.caller)).caller };
    },
    happens: (server, { id }) => server.owner.call(serviceUsersApi.rotate, { params: { id }, body: {} }),
    afterwards: 'token_revoked',
  },
  'a key that was rotated away': {
    make: key,
    happens: (server, { id }) => server.owner.call(serviceUsersApi.rotate, { params: { id }, body: {} }),
    afterwards: 'api_key_revoked',
  },
  'a key whose grace has ended since': {
    make: key,
    happens: (server, { id }) =>
      server.owner.call(serviceUsersApi.rotate, { params: { id }, body: { grace_hours: 1 } }),
    afterwards: 'api_key_expired',
  },
  'a key of a service user that was deactivated': {
    make: key,
    happens: change({ active: false }),
    afterwards: 'principal_inactive',
  },
  'a key of a service user that was deactivated and is active again': {
    make: key,
    async happens(server, made) {
      await change({ active: false })(server, made);
      await change({ active: true })(server, made);
    },
    afterwards: 'api_key_revoked',
  },
  'a key of a service user that was deleted': {
    make: key,
    happens: (server, { id }) => server.owner.call(serviceUsersApi.delete, { params: { id } }),
    afterwards: 'api_key_revoked',
  },
  'a key of a service user that was made to expire': {
    make: key,
    happens: (server, made) =>
      change({ expires_at: new Date(server.clock.nowMs + HOUR_MS).toISOString() })(server, made),
    afterwards: 'api_key_expired',
  },
  'a key whose end was put off': {
    make: (server) => key(server, { expires_in_days: 1 }),
    happens: (server, made) =>
      change({ expires_at: new Date(server.clock.nowMs + 9 * DAY_MS).toISOString() })(server, made),
    afterwards: 'ok',
  },
  'a login of a user who was deactivated': {
    make: session,
    happens: changeUser({ active: false }),
    afterwards: 'principal_inactive',
  },
  'a login of a user who was deleted': {
    make: session,
    happens: (server, { id }) => server.owner.call(usersApi.delete, { params: { id } }),
    afterwards: 'principal_inactive',
  },
  'a login whose epoch was raised': {
    make: session,
    happens: (server, { id }) => server.owner.call(tokensApi.revokeOfUser, { params: { id }, body: {} }),
    afterwards: 'token_revoked',
  },
  'a login of a user whose password was reset': {
    make: session,
    happens: (server, { id }) =>
      server.owner.call(usersApi.resetPassword, { params: { id }, body: { password: NEW_PASSWORD } }),
    afterwards: 'token_revoked',
  },
};

describe('restore --keep-credentials', () => {
  test('accepts what is good on both sides, and nothing that ended since the backup', async () => {
    const server = await openEmbeddedServer();
    const made = new Map<string, Awaited<ReturnType<Case['make']>>>();
    for (const [name, one] of Object.entries(CASES)) made.set(name, await one.make(server));
    for (const [name, { caller }] of made) expect([name, await standingOf(caller)]).toEqual([name, 'ok']);
    const file = await backUpServer(server);
    for (const [name, one] of Object.entries(CASES)) {
      const it = made.get(name);
      if (it) await one.happens?.(server, it);
    }
    const since = await mint(server, server.owner);
    server.clock.advance(2 * HOUR_MS);
    const { plan } = await restoreBackup(server, file, { keepCredentials: true });
    const standings = new Map<string, string>();
    for (const [name, { caller }] of made) standings.set(name, await standingOf(caller));
    expect(Object.fromEntries(standings)).toEqual(
      Object.fromEntries(Object.entries(CASES).map(([name, { afterwards }]) => [name, afterwards])),
    );
    expect(await standingOf(since.caller)).toBe('token_unknown');
    const good = Object.values(CASES).filter(({ afterwards }) => afterwards === 'ok').length;
    expect(plan.survivors.filter(({ type }) => type !== 'password')).toHaveLength(good);
  });

  test('accepts a password that is the same, and neither one that was replaced nor the one that replaced it', async () => {
    const server = await openEmbeddedServer();
    await createUser(server, 'grace');
    const edith = await createUser(server, 'edith');
    const ida = await createUser(server, 'ida');
    const file = await backUpServer(server);
    await server.owner.call(usersApi.resetPassword, { params: { id: edith.id }, body: { password: NEW_PASSWORD } });
    await server.owner.call(usersApi.delete, { params: { id: ida.id } });
    const { plan } = await restoreBackup(server, file, { keepCredentials: true });
    expect(plan.survivors).toEqual([expect.objectContaining({ type: 'password', owner: 'grace' })]);
    expect(await login(server, 'grace')).toBe('ok');
    expect(await login(server, 'edith')).toBe('refused');
    expect(await login(server, 'edith', NEW_PASSWORD)).toBe('refused');
    expect(await login(server, 'ida')).toBe('refused');
    const back = await server.owner.call(usersApi.get, { params: { id: ida.id } });
    expect(back).toMatchObject({ username: 'ida', active: false });
  });

  test('brings no role, limit or grant back that was lowered or taken since', async () => {
    const server = await openEmbeddedServer();
    const admin = await session(server, 'tenant-admin');
    const long = await mint(server, server.owner, { expires_in_days: 60 });
    const file = await backUpServer(server);
    await changeUser({ role: 'tenant-user' })(server, admin);
    await server.owner.call(settingsApi.update, { body: { max_token_days: 30 } });
    await server.deps.db.transact((tx) => tx.deleteFrom('grants').where('privilege', '=', 'MANAGE_USERS').execute());
    await restoreBackup(server, file, { keepCredentials: true });
    const me = await server.owner.call(usersApi.get, { params: { id: admin.id } });
    expect(me.role).toBe('tenant-user');
    expect(await standingOf(long.caller)).toBe('token_lifetime_refused');
    const grants = await server.deps.db.read.selectFrom('grants').select('privilege').execute();
    expect(grants.map(({ privilege }) => privilege)).not.toContain('MANAGE_USERS');
    expect(grants.length).toBeGreaterThan(3);
  });

  test('revives nobody of a tenant that was deleted since, also where its rows are not removed yet', async () => {
    const server = await openEmbeddedServer();
    const acme = await server.owner.call(tenantsApi.create, { body: { name: 'acme' } });
    const inAcme = { headers: { 'x-pangolin-tenant': acme.id } };
    const grace = { username: 'grace', password: PASSWORD, email: 'grace@example.com' };
    await server.owner.call(usersApi.create, { ...inAcme, body: grace });
    const etl = await server.owner.call(serviceUsersApi.create, { ...inAcme, body: { name: 'etl' } });
    const key = server.bearer(etl.api_key);
    const minted = await mint(server, key);
    const file = await backUpServer(server);
    // As the commit of a deletion leaves it, after which the server was killed.
    await server.deps.db.transact((tx) =>
      tx
        .updateTable('tenants')
        .set({ name: acme.id, deleted_at: server.clock.nowMs })
        .where('id', '=', acme.id)
        .execute(),
    );
    const { plan } = await restoreBackup(server, file, { keepCredentials: true });
    expect(plan.survivors).toEqual([]);
    expect(await standingOf(key)).not.toBe('ok');
    expect(await standingOf(minted.caller)).not.toBe('ok');
    const { code } = await server.nobody.refused(usersApi.login, {
      body: { username: 'grace', password: PASSWORD, tenant_id: acme.id },
    });
    expect(code).toBe('login_failed');
  });

  test('revives nothing that a restore ended before', async () => {
    const server = await openEmbeddedServer();
    const made = await token(server);
    const file = await backUpServer(server);
    await restoreBackup(server, file);
    const { plan } = await restoreBackup(server, file, { keepCredentials: true });
    expect(plan.survivors).toEqual([]);
    expect(await standingOf(made.caller)).toBe('token_revoked');
  });

  test('into a new directory accepts all that was good, and says that revocations since cannot be known', async () => {
    const server = await openEmbeddedServer();
    const made = await mint(server, server.owner);
    const gone = await mint(server, server.owner);
    const grace = await createUser(server, 'grace');
    const file = await backUpServer(server, { includeMasterKey: true });
    await server.owner.call(tokensApi.revoke, { params: { jti: gone.id } });
    const dataDir = `${file}-restored`;
    const { plan } = await restoreBackup(server, file, { keepCredentials: true, dataDir });
    expect(plan).toMatchObject({ replaces: false, masterKeyFrom: 'the backup' });
    expect(plan.survivors.map(({ id }) => id).sort()).toEqual([made.id, gone.id, grace.id].sort());
    const restored = await openEmbeddedServer({ dataDir });
    expect(await standingOf(restored.bearer(made.token))).toBe('ok');
    expect(await standingOf(restored.bearer(gone.token))).toBe('ok');
    expect(await login(restored, 'grace')).toBe('ok');
  });
});
