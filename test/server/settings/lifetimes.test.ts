import { oauthApi, serviceUsersApi, settingsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  mint,
  openTestServer,
  standingOf,
  type TestServer,
} from '../harness.ts';

const set = (server: TestServer, body: object, query = {}) => server.owner.call(settingsApi.update, { body, query });

describe('a limit of a role', () => {
  test('counts for tokens of that role alone, whoever mints them', async () => {
    const server = await openTestServer();
    await set(server, { role_limits: { 'tenant-admin': { default_token_days: 7, max_token_days: 30 } } });
    const admin = { roles: ['tenant-admin'] };
    expect((await mint(server, server.owner, admin)).expires_at).toBe('2026-11-29T12:00:00Z');
    expect((await mint(server, server.owner)).expires_at).toBe('2027-02-20T12:00:00Z');
    const problem = await server.owner.refused(tokensApi.create, { body: { ...admin, expires_in_days: 31 } });
    expect(problem).toMatchObject({ status: 422, code: 'policy_refused' });
    expect(problem.detail).toContain('30 days');
    // An administrator's token of a lower role is of that role.
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const body = { roles: ['tenant-user'], expires_in_days: 31 };
    expect(await standingOf((await mint(server, eve.caller, body)).caller)).toBe('ok');
  });

  test('is worth nothing where the tenant’s own is stricter', async () => {
    const server = await openTestServer();
    await set(server, { max_token_days: 10, role_limits: { root: { max_token_days: 300, default_token_days: 200 } } });
    const token = await mint(server, server.owner, { roles: ['root'] });
    expect(token.expires_at).toBe('2026-12-02T12:00:00Z');
    const body = { roles: ['root'], expires_in_days: 11 };
    expect((await server.owner.refused(tokensApi.create, { body })).detail).toContain('10 days');
  });

  test('is changed in part, and taken away by null', async () => {
    const server = await openTestServer();
    const limits = async (body: object) => (await set(server, { role_limits: body })).role_limits;
    const both = { max_token_days: 30, max_key_days: 60 };
    expect(await limits({ 'tenant-admin': both, root: { max_key_days: 1 } })).toEqual({
      'tenant-admin': both,
      root: { max_key_days: 1 },
    });
    expect(await limits({ 'tenant-admin': { max_key_days: null } })).toEqual({
      'tenant-admin': { max_token_days: 30 },
      root: { max_key_days: 1 },
    });
    expect(await limits({ 'tenant-admin': { max_token_days: null }, root: null })).toEqual({});
  });

  test('is invalid with a default above its maximum, or for a role there is not', async () => {
    const server = await openTestServer();
    const field = async (body: object) =>
      (await server.owner.refused(settingsApi.update, { body })).errors?.map((one) => one.field);
    const inverted = { default_token_days: 31, max_token_days: 30 };
    expect(await field({ role_limits: { root: inverted } })).toEqual(['role_limits.root.default_token_days']);
    expect(await field({ role_limits: { king: {} } })).toEqual(['king']);
    expect(await field({ role_limits: { root: { max_token_days: 0 } } })).toEqual(['role_limits.root.max_token_days']);
    expect(await field({ default_key_days: 31, max_key_days: 30 })).toEqual(['default_key_days']);
  });

  test('refuses tokens that exist, and those of no other role', async () => {
    const server = await openTestServer();
    const admin = await mint(server, server.owner, { roles: ['tenant-admin'] });
    const user = await mint(server, server.owner);
    const child = await mint(server, admin.caller, { roles: ['tenant-user'], expires_in_hours: 1 });
    const body = { role_limits: { 'tenant-admin': { max_token_days: 30 } } };
    const dry = await set(server, body, { dry_run: 'true' });
    expect(dry.affected_tokens.map((one) => one.id).sort()).toEqual([admin.id, child.id].sort());
    await set(server, body);
    expect(await standingOf(admin.caller)).toBe('token_lifetime_refused');
    expect(await standingOf(child.caller)).toBe('token_lifetime_refused');
    expect(await standingOf(user.caller)).toBe('ok');
  });
});

describe('keys of service users', () => {
  test('get the default where nothing is asked, and their service user none', async () => {
    const server = await openTestServer();
    await set(server, { default_key_days: 30 });
    const etl = await createServiceUser(server, { name: 'etl' });
    expect(etl).toMatchObject({ expires_at: '2026-12-22T12:00:00Z', expiry_source: 'policy_default' });
    const shown = await server.owner.call(serviceUsersApi.get, { params: { id: etl.id } });
    expect(shown).toMatchObject({ expires_at: null, keys: [{ expires_at: '2026-12-22T12:00:00Z' }] });
    server.clock.advance(20 * DAY_MS);
    const rotated = await server.owner.call(serviceUsersApi.rotate, { params: { id: etl.id }, body: {} });
    expect(rotated).toMatchObject({ expires_at: '2027-01-11T12:00:00Z', expiry_source: 'policy_default' });
    expect(await readLastAudit(server)).toMatchObject({ details: { expires_at: '2027-01-11T12:00:00Z' } });
    server.clock.advance(30 * DAY_MS);
    expect(await standingOf(server.apiKey(rotated.api_key))).toBe('api_key_expired');
  });

  test('say why they end when they do', async () => {
    const server = await openTestServer();
    const forever = await createServiceUser(server, { name: 'forever' });
    expect(forever).toMatchObject({ expires_at: null, expiry_source: null });
    const asked = await createServiceUser(server, { name: 'asked', expires_in_days: 5 });
    expect(asked).toMatchObject({ expires_at: '2026-11-27T12:00:00Z', expiry_source: 'requested' });
    await set(server, { max_key_days: 30 });
    const byMaximum = await createServiceUser(server, { name: 'by-maximum' });
    expect(byMaximum).toMatchObject({ expires_at: '2026-12-22T12:00:00Z', expiry_source: 'policy_default' });
    const rotated = await server.owner.call(serviceUsersApi.rotate, { params: { id: asked.id }, body: {} });
    expect(rotated).toMatchObject({ expires_at: '2026-11-27T12:00:00Z', expiry_source: 'service_user' });
  });

  test('above the maximum are refused with 422 naming it, whatever asks for them', async () => {
    const server = await openTestServer();
    await set(server, { max_key_days: 30, role_limits: { 'tenant-admin': { max_key_days: 10 } } });
    const etl = await createServiceUser(server, { name: 'etl', expires_in_days: 30 });
    const params = { id: etl.id };
    for (const [endpoint, asked, days] of [
      [serviceUsersApi.create, { body: { name: 'long', expires_in_days: 31 } }, 30],
      [serviceUsersApi.create, { body: { name: 'long', expires_at: '2026-12-22T12:00:01Z' } }, 30],
      [serviceUsersApi.create, { body: { name: 'long', role: 'tenant-admin', expires_in_days: 11 } }, 10],
      [serviceUsersApi.rotate, { params, body: { expires_in_days: 31 } }, 30],
      [serviceUsersApi.update, { params, body: { expires_at: '2026-12-22T12:00:01Z' } }, 30],
      [serviceUsersApi.update, { params, body: { expires_at: null } }, 30],
    ] as const) {
      const problem = await server.owner.refused(endpoint, asked);
      expect(problem).toMatchObject({ status: 422, code: 'policy_refused' });
      expect(problem.detail).toContain(`${days} days at most`);
    }
    expect(await standingOf(etl.caller)).toBe('ok');
    const shorter = await server.owner.call(serviceUsersApi.update, {
      params,
      body: { expires_at: '2026-11-23T12:00:00Z' },
    });
    expect(shorter.keys[0]?.expires_at).toBe('2026-11-23T12:00:00Z');
  });

  test('that live longer are refused from the moment the maximum is lowered, as dry_run said', async () => {
    const server = await openTestServer();
    const forever = await createServiceUser(server, { name: 'forever' });
    const long = await createServiceUser(server, { name: 'long', expires_in_days: 91 });
    const short = await createServiceUser(server, { name: 'short', expires_in_days: 90 });
    const token = await mint(server, forever.caller, { expires_in_hours: 1 });
    const body = { grant_type: 'client_credentials', client_secret: long.api_key };
    const access = server.bearer((await server.nobody.call(oauthApi.token, { body })).access_token);
    const dry = await set(server, { max_key_days: 90 }, { dry_run: 'true' });
    expect(dry).toMatchObject({ affected_key_count: 2, affected_count: 2 });
    expect(dry.affected_keys).toEqual([
      {
        id: forever.key_id,
        preview: `pgl_${forever.key_id}_…`,
        service_user_id: forever.id,
        service_user_name: 'forever',
        created_at: '2026-11-22T12:00:00Z',
        expires_at: null,
      },
      expect.objectContaining({ id: long.key_id, expires_at: long.expires_at }),
    ]);
    expect(await standingOf(forever.caller)).toBe('ok');
    await set(server, { max_key_days: 90 });
    expect(await readLastAudit(server)).toMatchObject({ details: { affected_keys: 2, affected_tokens: 2 } });
    for (const one of [forever, long]) expect(await standingOf(one.caller)).toBe('api_key_lifetime_refused');
    for (const one of [token.caller, access]) expect(await standingOf(one)).toBe('token_lifetime_refused');
    expect(await standingOf(short.caller)).toBe('ok');
    const rotated = await server.owner.call(serviceUsersApi.rotate, { params: { id: forever.id }, body: {} });
    expect(await standingOf(server.apiKey(rotated.api_key))).toBe('ok');
    await set(server, { max_key_days: null });
    expect(await standingOf(long.caller)).toBe('ok');
  });

  test('are judged by the role their service user has now', async () => {
    const server = await openTestServer();
    await set(server, { role_limits: { 'tenant-admin': { max_key_days: 10 } } });
    const etl = await createServiceUser(server, { name: 'etl', expires_in_days: 90 });
    await server.owner.call(serviceUsersApi.update, { params: { id: etl.id }, body: { role: 'tenant-admin' } });
    expect(await standingOf(etl.caller)).toBe('api_key_lifetime_refused');
    await server.owner.call(serviceUsersApi.update, { params: { id: etl.id }, body: { role: 'tenant-user' } });
    expect(await standingOf(etl.caller)).toBe('ok');
  });

  test('that ended anyhow are no loss', async () => {
    const server = await openTestServer();
    const gone = await createServiceUser(server, { name: 'gone', expires_in_days: 100 });
    await createServiceUser(server, { name: 'over', expires_in_days: 99 });
    const off = await createServiceUser(server, { name: 'off' });
    await server.owner.call(serviceUsersApi.rotate, { params: { id: gone.id }, body: { expires_in_days: 2 } });
    await server.owner.call(serviceUsersApi.update, { params: { id: off.id }, body: { active: false } });
    server.clock.advance(99 * DAY_MS);
    expect(await set(server, { max_key_days: 1 }, { dry_run: 'true' })).toMatchObject({ affected_key_count: 0 });
  });
});

describe('what a change would refuse', () => {
  test('is counted exactly and listed up to a thousand, newest first, of this tenant alone', async () => {
    const server = await openTestServer();
    const first = await mint(server, server.owner);
    const { deps } = server;
    const row = await deps.db.read
      .selectFrom('tokens')
      .selectAll()
      .where('id', '=', first.id)
      .executeTakeFirstOrThrow();
    const ids = Array.from({ length: 2300 }, () => deps.newId());
    await deps.db.transact(async (tx) => {
      for (let at = 0; at < ids.length; at += 100) {
        const rows = ids.slice(at, at + 100).map((id) => ({ ...row, id, root_id: id }));
        await tx.insertInto('tokens').values(rows).execute();
      }
    });
    const dry = await set(server, { max_token_days: 30 }, { dry_run: 'true' });
    expect(dry.affected_count).toBe(2301);
    expect(dry.affected_tokens.map((one) => one.id)).toEqual([first.id, ...ids].sort().reverse().slice(0, 1000));
    const raised = await set(server, { max_token_days: 400, default_token_days: 10 }, { dry_run: 'true' });
    expect(raised).toMatchObject({ affected_count: 0, affected_tokens: [] });
  });

  test('changed by two at once is a conflict for neither: the second sees what the first did', async () => {
    const server = await openTestServer();
    const other = await openTestServer({ beside: server });
    await Promise.all([
      set(server, { max_token_days: 100 }),
      set(other, { session_hours: 3 }),
      set(server, { max_tokens_per_user: 5 }),
    ]);
    expect(await server.owner.call(settingsApi.get)).toMatchObject({
      max_token_days: 100,
      session_hours: 3,
      max_tokens_per_user: 5,
    });
  });
});
