import {
  auditApi,
  catalogsApi,
  type Endpoint,
  oauthApi,
  type Privilege,
  policiesApi,
  serviceUsersApi,
  tokensApi,
  usersApi,
} from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  createUser,
  DAY_MS,
  logIn,
  mint,
  openTestServer,
  standingOf,
  type TestCaller,
  type TestServer,
} from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

const grant = (server: TestServer, privilege: Privilege, to: object) =>
  server.owner.call(policiesApi.create, { body: { privilege, ...to } });

async function revoke(server: TestServer, privilege: Privilege, from: object) {
  const [found] = await server.owner.call(policiesApi.list, { query: { privilege, ...from } });
  await server.owner.call(policiesApi.delete, { params: { id: found?.id ?? '' } });
}

const privilegesOf = async (caller: TestCaller) => (await caller.call(usersApi.me)).privileges;

const exchange = async (server: TestServer, subject_token: string) => {
  const body = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  };
  return server.bearer((await server.nobody.call(oauthApi.token, { body })).access_token);
};

const MANAGING: Privilege[] = ['MANAGE_USERS', 'MANAGE_SERVICE_ACCOUNTS', 'MANAGE_ACCESS_TOKENS'];

/** Mallory manages users, service users and tokens as a tenant-user; Bob and a service user, of the same role, may see the audit log besides. */
async function openWithMallory() {
  const server = await openTestServer();
  const mallory = await createLoggedIn(server, 'mallory');
  for (const privilege of MANAGING) await grant(server, privilege, { username: 'mallory' });
  const bob = await createLoggedIn(server, 'bob');
  const bot = await createServiceUser(server, { name: 'bot' });
  await grant(server, 'VIEW_AUDIT', { username: 'bob' });
  await grant(server, 'VIEW_AUDIT', { service_user_name: 'bot' });
  return { server, mallory, bob, bot };
}

type World = Awaited<ReturnType<typeof openWithMallory>>;
type Attempt = (
  world: World,
) => [Endpoint, Parameters<TestCaller['ask']>[1]] | Promise<[Endpoint, Parameters<TestCaller['ask']>[1]]>;

/** Every way to become somebody, to act through them, or to be rid of them. */
const TAKEOVERS: Record<string, Attempt> = {
  'resets a password': ({ bob }) => [
    usersApi.resetPassword,
    { params: { id: bob.id }, body: { password: 'mine-now-1' } },
  ],
  'renames a user': ({ bob }) => [usersApi.update, { params: { id: bob.id }, body: { username: 'robert' } }],
  'deactivates a user': ({ bob }) => [usersApi.update, { params: { id: bob.id }, body: { active: false } }],
  'deletes a user': ({ bob }) => [usersApi.delete, { params: { id: bob.id } }],
  'rotates a key': ({ bot }) => [serviceUsersApi.rotate, { params: { id: bot.id }, body: { grace_hours: 24 } }],
  'deactivates a service user': ({ bot }) => [
    serviceUsersApi.update,
    { params: { id: bot.id }, body: { active: false } },
  ],
  'deletes a service user': ({ bot }) => [serviceUsersApi.delete, { params: { id: bot.id } }],
  'mints for a user': ({ bob }) => [tokensApi.create, { body: { user_id: bob.id } }],
  'mints for a user by name': () => [tokensApi.create, { body: { username: 'bob' } }],
  'mints for a service user': ({ bot }) => [tokensApi.create, { body: { user_id: bot.id } }],
  'revokes a token': async ({ server, bob }) => [
    tokensApi.revoke,
    { params: { jti: (await mint(server, bob.caller)).id } },
  ],
  'deletes a token': async ({ server, bob }) => [
    tokensApi.delete,
    { params: { id: (await mint(server, bob.caller)).id } },
  ],
  'revokes everything': ({ bob }) => [tokensApi.revokeOfUser, { params: { id: bob.id } }],
};

/** Every way up for somebody of a low role who manages others. */
const WAYS_UP: Record<string, Attempt> = {
  'grants to itself': ({ mallory }) => [policiesApi.create, { body: { privilege: 'VIEW_AUDIT', user_id: mallory.id } }],
  'grants to its role': () => [policiesApi.create, { body: { privilege: 'VIEW_AUDIT', role: 'tenant-user' } }],
  'grants to somebody it manages': () => [policiesApi.create, { body: { privilege: 'MANAGE_USERS', username: 'bob' } }],
  'raises its own role': ({ mallory }) => [
    usersApi.update,
    { params: { id: mallory.id }, body: { role: 'tenant-admin' } },
  ],
  'creates an administrator': () => [usersApi.create, { body: { username: 'x', role: 'tenant-admin' } }],
  'creates a service user that is administrator': () => [serviceUsersApi.create, { body: { name: 'x', role: 'root' } }],
  'mints with a higher role': () => [tokensApi.create, { body: { roles: ['tenant-admin'] } }],
  'names a bucket': async ({ server }) => {
    await grant(server, 'MANAGE_CATALOGS', { username: 'mallory' });
    return [catalogsApi.create, { body: { name: 'x', warehouse_location: 's3://somebody-elses/data' } }];
  },
};

describe('somebody who manages others and holds less than they do', () => {
  test.each(Object.entries({ ...TAKEOVERS, ...WAYS_UP }))('is refused when it %s', async (_, attempt) => {
    const world = await openWithMallory();
    const { server, mallory, bob, bot } = world;
    const [endpoint, asked] = await attempt(world);
    const before = await privilegesOf(mallory.caller);
    expect(await mallory.caller.refused(endpoint, asked)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await privilegesOf(mallory.caller)).toEqual(before);
    for (const { caller } of [bob, bot]) expect(await standingOf(caller)).toBe('ok');
    expect(await privilegesOf((await logIn(server, 'bob')).caller)).toContain('VIEW_AUDIT');
  });

  test.each(Object.entries(TAKEOVERS))('may once it holds the same: it %s', async (_, attempt) => {
    const world = await openWithMallory();
    await grant(world.server, 'VIEW_AUDIT', { username: 'mallory' });
    const [endpoint, asked] = await attempt(world);
    expect((await world.mallory.caller.ask(endpoint, asked)).status).toBe(endpoint.status);
  });

  test('leaves their tokens alone when it prunes those that nobody uses', async () => {
    const { server, mallory, bob } = await openWithMallory();
    const eve = await createLoggedIn(server, 'eve');
    const kept = await mint(server, bob.caller, { expires_in_days: 365 });
    const pruned = await mint(server, eve.caller, { expires_in_days: 365 });
    const all = await mint(server, mallory.caller, { expires_in_days: 365 });
    server.clock.advance(100 * DAY_MS);
    const { tokens } = await all.caller.call(tokensApi.prune, { body: { unused_for_days: 90 } });
    expect(tokens.map(({ id }) => id)).toEqual([pruned.id]);
    expect(await standingOf(kept.caller)).toBe('ok');
  });

  test('is told what it lacks', async () => {
    const { mallory, bob } = await openWithMallory();
    const problem = await mallory.caller.refused(usersApi.delete, { params: { id: bob.id } });
    expect(problem.detail).toBe('bob holds VIEW_AUDIT, and you do not.');
  });

  test('does not find a way through X-Pangolin-Tenant', async () => {
    const { server, mallory } = await openWithMallory();
    const other = await insertSecondTenant(server);
    const { status } = await mallory.caller.ask(usersApi.list, { headers: { 'x-pangolin-tenant': other.tenantId } });
    expect(status).toBe(401);
  });

  test('does not become more by exchanging or rotating what it has', async () => {
    const { server, mallory } = await openWithMallory();
    const held = await privilegesOf(mallory.caller);
    const token = await mint(server, mallory.caller);
    expect(await privilegesOf(await exchange(server, token.token))).toEqual(held);
    const rotated = await token.caller.call(tokensApi.rotate);
    expect(await privilegesOf(server.bearer(rotated.token))).toEqual(held);
  });

  test('still manages those who hold no more, and may do everything to its own credentials', async () => {
    const { server, mallory } = await openWithMallory();
    const eve = await createUser(server, 'eve');
    await mint(server, mallory.caller, { username: 'eve' });
    await mallory.caller.call(usersApi.resetPassword, { params: { id: eve.id } });
    await mallory.caller.call(usersApi.delete, { params: { id: eve.id } });
    const { id } = await mint(server, mallory.caller);
    await mallory.caller.call(tokensApi.revoke, { params: { jti: id } });
    await mallory.caller.call(tokensApi.revokeOfUser, { params: { id: mallory.id } });
    expect(await standingOf(mallory.caller)).toBe('token_revoked');
  });
});

describe('an administrator', () => {
  test('neither gives nor takes a privilege they do not hold', async () => {
    const { server } = await openWithMallory();
    await revoke(server, 'VIEW_AUDIT', { role: 'tenant-admin' });
    const admin = await createLoggedIn(server, 'admin', 'tenant-admin');
    const body = { privilege: 'VIEW_AUDIT', username: 'admin' };
    expect(await admin.caller.refused(policiesApi.create, { body })).toMatchObject({ status: 403, code: 'forbidden' });
    const [ofBob] = await admin.caller.call(policiesApi.list, { query: { username: 'bob' } });
    const params = { id: ofBob?.id ?? '' };
    expect(await admin.caller.refused(policiesApi.delete, { params })).toMatchObject({ status: 403 });
    expect((await admin.caller.ask(auditApi.list)).status).toBe(403);
  });

  test('who manages all tokens still does not give the privilege to make one’s own unless they hold it', async () => {
    const { server } = await openWithMallory();
    for (const role of ['tenant-user', 'tenant-admin'])
      await revoke(server, 'GENERATE_PERSONAL_ACCESS_TOKENS', { role });
    const admin = await createLoggedIn(server, 'admin', 'tenant-admin');
    expect(await privilegesOf(admin.caller)).toContain('MANAGE_ACCESS_TOKENS');
    const body = { privilege: 'GENERATE_PERSONAL_ACCESS_TOKENS', username: 'admin' };
    expect(await admin.caller.refused(policiesApi.create, { body })).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('does not change what is granted to somebody who stands above', async () => {
    const { server } = await openWithMallory();
    await createUser(server, 'boss', 'root');
    const { id } = await grant(server, 'MANAGE_USERS', { username: 'boss' });
    await revoke(server, 'VIEW_AUDIT', { role: 'tenant-admin' });
    const admin = await createLoggedIn(server, 'admin', 'tenant-admin');
    for (const username of ['boss', 'bob']) {
      const body = { privilege: 'MANAGE_USERS', username };
      expect(await admin.caller.refused(policiesApi.create, { body })).toMatchObject({ status: 403 });
    }
    expect(await admin.caller.refused(policiesApi.delete, { params: { id } })).toMatchObject({ status: 403 });
  });

  test('who loses a privilege while a request of theirs waits does nothing with it any more', async () => {
    const { server, mallory } = await openWithMallory();
    const victim = await createServiceUser(server, { name: 'victim' });
    expect((await mallory.caller.ask(serviceUsersApi.list)).status).toBe(200);
    const [held] = await server.owner.call(policiesApi.list, {
      query: { username: 'mallory', privilege: 'MANAGE_SERVICE_ACCOUNTS' },
    });
    const [, late] = await Promise.all([
      server.owner.call(policiesApi.delete, { params: { id: held?.id ?? '' } }),
      mallory.caller.refused(serviceUsersApi.delete, { params: { id: victim.id } }),
    ]);
    expect(late).toMatchObject({ status: 403, detail: 'MANAGE_SERVICE_ACCOUNTS was taken from you just now.' });
    expect(await standingOf(victim.caller)).toBe('ok');
  });
});

describe('a token', () => {
  test('that somebody else minted does not gain what its owner is granted later, nor does what is made of it', async () => {
    const { server, mallory } = await openWithMallory();
    const eve = await createLoggedIn(server, 'eve');
    const own = await mint(server, eve.caller);
    await grant(server, 'MANAGE_USERS', { username: 'eve' });
    server.clock.advance(1);
    const spare = await mint(server, mallory.caller, { username: 'eve' });
    const forEve = await mint(server, mallory.caller, { username: 'eve' });
    server.clock.advance(1);
    await grant(server, 'VIEW_AUDIT', { username: 'eve' });
    const before = ['GENERATE_PERSONAL_ACCESS_TOKENS', 'MANAGE_USERS'];
    expect(await privilegesOf(forEve.caller)).toEqual(before);
    expect(await privilegesOf(await exchange(server, forEve.token))).toEqual(before);
    expect(await privilegesOf((await mint(server, forEve.caller)).caller)).toEqual(before);
    expect(await privilegesOf(server.bearer((await spare.caller.call(tokensApi.rotate)).token))).toEqual(before);
    // Nor does it reach for the rest by changing the password of its owner.
    const reset = await forEve.caller.refused(usersApi.resetPassword, { params: { id: eve.id } });
    expect(reset).toMatchObject({ status: 403, code: 'forbidden' });
    for (const { caller } of [eve, own]) expect(await privilegesOf(caller)).toEqual([...before, 'VIEW_AUDIT']);
  });

  test('below its owner’s role carries nothing that is granted to its owner alone, also when the owner is lowered', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    await grant(server, 'MANAGE_CATALOGS', { username: 'eve' });
    const lowered = await mint(server, eve.caller, { roles: ['tenant-user'] });
    const mintedWithIt = await mint(server, lowered.caller);
    const full = await mint(server, eve.caller);
    for (const { caller } of [lowered, mintedWithIt])
      expect(await privilegesOf(caller)).not.toContain('MANAGE_CATALOGS');
    await server.owner.call(usersApi.update, { params: { id: eve.id }, body: { role: 'tenant-user' } });
    for (const { caller } of [lowered, mintedWithIt])
      expect(await privilegesOf(caller)).not.toContain('MANAGE_CATALOGS');
    expect(await privilegesOf(full.caller)).toContain('MANAGE_CATALOGS');
  });
});

describe('what somebody obtained for others with a key or token', () => {
  /** Service users that mint tokens for Bob, as a pipeline does that hands them out. */
  async function openWithIssuers() {
    const server = await openTestServer();
    await createUser(server, 'bob');
    const issuer = await createServiceUser(server, { name: 'issuer', role: 'tenant-admin' });
    const other = await createServiceUser(server, { name: 'other', role: 'tenant-admin' });
    const forBob = await mint(server, issuer.caller, { username: 'bob' });
    const forItself = await mint(server, issuer.caller);
    const byOther = await mint(server, other.caller, { username: 'bob' });
    return { server, issuer, forBob, forItself, byOther };
  }

  test('ends when they lose a privilege, and nothing else does', async () => {
    const { server, issuer, forBob, forItself, byOther } = await openWithIssuers();
    await grant(server, 'VIEW_AUDIT', { service_user_name: 'issuer' });
    await revoke(server, 'VIEW_AUDIT', { service_user_name: 'issuer' });
    expect(await standingOf(forBob.caller), 'their role has it still').toBe('ok');
    await grant(server, 'VIEW_AUDIT', { service_user_name: 'other' });
    await revoke(server, 'VIEW_AUDIT', { role: 'tenant-admin' });
    expect(await standingOf(forBob.caller)).toBe('token_revoked');
    for (const { caller } of [issuer, forItself, byOther]) expect(await standingOf(caller)).toBe('ok');
    await revoke(server, 'VIEW_AUDIT', { service_user_name: 'other' });
    expect(await standingOf(byOther.caller)).toBe('token_revoked');
  });

  test('ends too when it is the privilege to manage tokens that they lose', async () => {
    const { server, forBob, forItself } = await openWithIssuers();
    await revoke(server, 'MANAGE_ACCESS_TOKENS', { role: 'tenant-admin' });
    expect(await standingOf(forBob.caller)).toBe('token_revoked');
    expect(await standingOf(forItself.caller)).toBe('ok');
  });

  test('lives on while the privilege reaches them from a lower role', async () => {
    const { server, forBob } = await openWithIssuers();
    await grant(server, 'VIEW_AUDIT', { role: 'tenant-user' });
    await revoke(server, 'VIEW_AUDIT', { role: 'tenant-admin' });
    expect(await standingOf(forBob.caller)).toBe('ok');
    await revoke(server, 'VIEW_AUDIT', { role: 'tenant-user' });
    expect(await standingOf(forBob.caller)).toBe('token_revoked');
  });
});
