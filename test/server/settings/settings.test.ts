import { publicApi, settingsApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import { createLoggedIn, mint, openTestServer, standingOf } from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

const DEFAULTS = {
  default_token_days: 90,
  max_token_days: 365,
  default_key_days: null,
  max_key_days: null,
  max_tokens_per_user: null,
  allow_non_expiring_tokens: false,
  session_hours: 12,
  role_limits: {},
  allowed_networks: [],
  allowed_token_durations: [],
};

describe('settings', () => {
  test('begin with the defaults, and everybody in the tenant may see them', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    expect(await bob.caller.call(settingsApi.get)).toEqual(DEFAULTS);
  });

  test('are changed in part, on record with what they were', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const body = { 'max-tokens-per-user': 5, session_hours: 24 };
    const after = { ...DEFAULTS, max_tokens_per_user: 5, session_hours: 24 };
    expect(await eve.caller.call(settingsApi.update, { body })).toMatchObject({ ...after, dry_run: false });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'settings.updated',
      username: 'eve',
      details: { before: DEFAULTS, after },
    });
    await eve.caller.call(settingsApi.update, { body: { max_tokens_per_user: null } });
    expect(await eve.caller.call(settingsApi.get)).toEqual({ ...DEFAULTS, session_hours: 24 });
    expect((await server.nobody.call(publicApi.appConfig)).token_policy.max_per_user).toBeNull();
  });

  test('of a role are nobody’s to change who is below it', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    for (const root of [{ max_token_days: 1 }, null]) {
      const { code } = await eve.caller.refused(settingsApi.update, { body: { role_limits: { root } } });
      expect(code).toBe('forbidden');
    }
    const own = { 'tenant-admin': { max_token_days: 30 } };
    await eve.caller.call(settingsApi.update, { body: { role_limits: own } });
    expect((await eve.caller.call(settingsApi.get)).role_limits).toEqual(own);
  });

  test('list the durations of DataHub’s API that are offered, each once and in their order, whole', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const offer = async (...allowed_token_durations: string[]) =>
      (await eve.caller.call(settingsApi.update, { body: { allowed_token_durations } })).allowed_token_durations;
    expect(await offer('ONE_DAY', 'ONE_HOUR', 'ONE_DAY')).toEqual(['ONE_HOUR', 'ONE_DAY']);
    expect(await readLastAudit(server)).toMatchObject({
      action: 'settings.updated',
      details: { before: { allowed_token_durations: [] }, after: { allowed_token_durations: ['ONE_HOUR', 'ONE_DAY'] } },
    });
    await eve.caller.call(settingsApi.update, { body: { session_hours: 13 } });
    expect((await eve.caller.call(settingsApi.get)).allowed_token_durations).toEqual(['ONE_HOUR', 'ONE_DAY']);
    expect(await offer('NO_EXPIRY')).toEqual(['NO_EXPIRY']);
    expect(await offer()).toEqual([]);
  });

  test('of durations choose what DataHub’s API offers, not what other ways may ask for', async () => {
    const server = await openTestServer();
    const before = await mint(server, server.owner, { expires_in_days: 2 });
    const change = await server.owner.call(settingsApi.update, { body: { allowed_token_durations: ['ONE_HOUR'] } });
    expect(change).toMatchObject({ affected_count: 0, affected_key_count: 0 });
    expect(await standingOf(before.caller)).toBe('ok');
    await mint(server, server.owner, { expires_in_days: 2 });
  });

  test('never show a default above the maximum: lowering the one lowers the other', async () => {
    const server = await openTestServer();
    const lowered = await server.owner.call(settingsApi.update, { body: { max_token_days: 30 } });
    expect(lowered).toMatchObject({ default_token_days: 30, max_token_days: 30 });
    expect((await server.nobody.call(publicApi.appConfig)).token_policy).toMatchObject({
      default_days: 30,
      max_days: 30,
    });
  });

  test('are left alone by a dry run', async () => {
    const server = await openTestServer();
    const before = (await readAuditChain(server)).length;
    for (const query of [{ dry_run: 'true' }, { 'dry-run': 'true' }]) {
      await server.owner.call(settingsApi.update, { query, body: { max_token_days: 1 } });
    }
    expect(await server.owner.call(settingsApi.get)).toEqual(DEFAULTS);
    expect(await readAuditChain(server)).toHaveLength(before);
  });

  test('refuse what is invalid, by the name of the field', async () => {
    const server = await openTestServer();
    for (const [field, values] of Object.entries({
      default_token_days: [0, -1, 1.5, 3651, '7', null, 366],
      max_token_days: [0, 3651, null],
      max_tokens_per_user: [0, -1, 1_000_001, 'many'],
      session_hours: [0, 8761, 0.5],
      allowed_token_durations: [null, 'ONE_HOUR', Array(9).fill('ONE_HOUR')],
    })) {
      for (const value of values) {
        const problem = await server.owner.refused(settingsApi.update, { body: { [field]: value } });
        expect(problem, `${field}: ${value}`).toMatchObject({ status: 400, code: 'invalid_request' });
        expect(problem.errors?.[0]?.field).toBe(field);
      }
    }
    for (const wrong of ['TWO_HOURS', 'one_hour', 'PT1H', '', 7]) {
      const body = { allowed_token_durations: ['ONE_HOUR', wrong] };
      const problem = await server.owner.refused(settingsApi.update, { body });
      expect(problem, `${wrong}`).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.[0]?.field).toBe('allowed_token_durations.1');
      expect(problem.errors?.[0]?.message).toContain('NO_EXPIRY');
    }
    const query = { dry_run: 'perhaps' };
    expect((await server.owner.refused(settingsApi.update, { query, body: {} })).errors?.[0]?.field).toBe('dry_run');
  });

  test('are changed by administrators with credentials that are not narrowed', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const narrow = await mint(server, server.owner, { roles: ['root'], scopes: ['tokens:read'] });
    const body = { session_hours: 1 };
    expect(await bob.caller.refused(settingsApi.update, { body })).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await narrow.caller.refused(settingsApi.update, { body })).toMatchObject({ code: 'insufficient_scope' });
    expect(await narrow.caller.refused(settingsApi.get)).toMatchObject({ code: 'insufficient_scope' });
  });

  test('are each tenant’s own', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const headers = { 'x-pangolin-tenant': other.tenantId };
    await server.owner.call(settingsApi.update, { headers, body: { session_hours: 1 } });
    expect(await server.owner.call(settingsApi.get)).toEqual(DEFAULTS);
    expect(await server.owner.call(settingsApi.get, { headers })).toMatchObject({ session_hours: 1 });
  });
});
