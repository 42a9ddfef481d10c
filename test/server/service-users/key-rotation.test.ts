import { serviceUsersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readLastAudit } from '../audit-chain.ts';
import { createServiceUser, DAY_MS, HOUR_MS, mint, openTestServer, standingOf, type TestServer } from '../harness.ts';

async function rotate(server: TestServer, id: string, body?: object) {
  const key = await server.owner.call(serviceUsersApi.rotate, { params: { id }, ...(body ? { body } : {}) });
  return { ...key, caller: server.apiKey(key.api_key) };
}

describe('rotating a key', () => {
  test('without grace stops the old one, and everything obtained with it, with the answer', async () => {
    const server = await openTestServer();
    const old = await createServiceUser(server, { name: 'etl', description: 'nightly' });
    const token = await mint(server, old.caller);
    server.clock.advance(HOUR_MS);
    const renewed = await rotate(server, old.id);
    expect(renewed).toMatchObject({ id: old.id, name: 'etl', description: 'nightly', active: true, expires_at: null });
    expect(renewed.created_at).toBe('2026-11-22T13:00:00Z');
    expect(renewed.key_id).not.toBe(old.key_id);
    expect(await standingOf(old.caller)).toBe('api_key_revoked');
    expect(await standingOf(token.caller)).toBe('token_revoked');
    expect(await standingOf(renewed.caller)).toBe('ok');
    expect(await readLastAudit(server)).toMatchObject({
      action: 'service_user.key_rotated',
      resource_id: old.id,
      details: { key_id: renewed.key_id, old_key_id: old.key_id, grace_hours: 0 },
    });
  });

  test('with grace lets both work until it ends, to the second', async () => {
    const server = await openTestServer();
    const old = await createServiceUser(server, { name: 'etl' });
    const token = await mint(server, old.caller, { expires_in_days: 30 });
    const renewed = await rotate(server, old.id, { 'grace-hours': 24 });
    const shown = await server.owner.call(serviceUsersApi.get, { params: { id: old.id } });
    expect(shown.keys.map(({ id, expires_at }) => [id, expires_at])).toEqual([
      [renewed.key_id, null],
      [old.key_id, '2026-11-23T12:00:00Z'],
    ]);
    server.clock.advance(DAY_MS - 1);
    for (const caller of [old.caller, token.caller, renewed.caller]) expect(await standingOf(caller)).toBe('ok');
    server.clock.advance(1);
    expect(await standingOf(old.caller)).toBe('api_key_expired');
    expect(await standingOf(token.caller)).toBe('token_expired');
    expect(await standingOf(renewed.caller)).toBe('ok');
    expect((await server.owner.call(serviceUsersApi.get, { params: { id: old.id } })).keys).toHaveLength(1);
  });

  test('without grace ends earlier graces too', async () => {
    const server = await openTestServer();
    const first = await createServiceUser(server, { name: 'etl' });
    const second = await rotate(server, first.id, { grace_hours: 100 });
    const third = await rotate(server, first.id, { grace_hours: 100 });
    for (const one of [first, second, third]) expect(await standingOf(one.caller)).toBe('ok');
    await rotate(server, first.id);
    for (const one of [first, second, third]) expect(await standingOf(one.caller)).toBe('api_key_revoked');
  });

  test('never lengthens the old key: not past its own end', async () => {
    const server = await openTestServer();
    const first = await createServiceUser(server, { name: 'etl' });
    const second = await rotate(server, first.id, { expires_in_days: 2 });
    expect(second.expires_at).toBe('2026-11-24T12:00:00Z');
    await rotate(server, first.id, { grace_hours: 168 });
    server.clock.advance(2 * DAY_MS);
    expect(await standingOf(second.caller)).toBe('api_key_expired');
  });

  test('never lengthens the old key: not past the end its service user had', async () => {
    const server = await openTestServer();
    const old = await createServiceUser(server, { name: 'etl', expires_in_days: 1 });
    const renewed = await rotate(server, old.id, { grace_hours: 168, expires_in_days: 90 });
    expect(renewed.expires_at).toBe('2027-02-20T12:00:00Z');
    server.clock.advance(DAY_MS);
    expect(await standingOf(old.caller)).toBe('api_key_expired');
    expect(await standingOf(renewed.caller)).toBe('ok');
  });

  test('never revives an expired key', async () => {
    const server = await openTestServer();
    const old = await createServiceUser(server, { name: 'etl', expires_in_days: 1 });
    server.clock.advance(2 * DAY_MS);
    const renewed = await rotate(server, old.id, { grace_hours: 24, expires_in_days: 90 });
    expect(await standingOf(renewed.caller)).toBe('ok');
    expect(await standingOf(old.caller)).toBe('api_key_expired');
  });

  test('takes 0 to 168 hours of grace', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl' });
    for (const grace_hours of [-1, 168.5, 1000, '24', null]) {
      const problem = await server.owner.refused(serviceUsersApi.rotate, { params: { id }, body: { grace_hours } });
      expect(problem).toMatchObject({ status: 400, errors: [{ field: 'grace_hours' }] });
    }
    await rotate(server, id, { grace_hours: 168 });
    await rotate(server, id, { grace_hours: 0.5 });
  });

  test('of another key than the expected one is a conflict, and changes nothing', async () => {
    const server = await openTestServer();
    const old = await createServiceUser(server, { name: 'etl' });
    const renewed = await rotate(server, old.id, { expected_key_id: old.key_id });
    const problem = await server.owner.refused(serviceUsersApi.rotate, {
      params: { id: old.id },
      body: { expected_key_id: old.key_id },
    });
    expect(problem).toMatchObject({ status: 409, code: 'conflict' });
    expect(await standingOf(renewed.caller)).toBe('ok');
  });

  test.each([
    ['the expected key named', true],
    ['nothing expected', false],
  ])('twice at once, in two processes, leaves exactly one new key: %s', async (_, named) => {
    const server = await openTestServer();
    const beside = await openTestServer({ beside: server });
    const old = await createServiceUser(server, { name: 'etl' });
    const body = named ? { expected_key_id: old.key_id } : {};
    const outcomes = await Promise.all(
      [server, beside, server].map((one) => one.owner.ask(serviceUsersApi.rotate, { params: { id: old.id }, body })),
    );
    const made = outcomes.filter(({ status }) => status === 200).map(({ json }) => json as { api_key: string });
    if (named) expect(outcomes.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
    const working = await Promise.all(made.map(({ api_key }) => standingOf(server.apiKey(api_key))));
    expect(working.filter((standing) => standing === 'ok')).toHaveLength(1);
    expect(await standingOf(old.caller)).toBe('api_key_revoked');
  });

  test('of a deactivated or expired service user is a conflict that says what to do', async () => {
    const server = await openTestServer();
    const { id } = await createServiceUser(server, { name: 'etl', expires_in_days: 1 });
    await server.owner.call(serviceUsersApi.update, { params: { id }, body: { active: false } });
    const inactive = await server.owner.refused(serviceUsersApi.rotate, { params: { id } });
    expect(inactive).toMatchObject({ status: 409, code: 'conflict' });
    expect(inactive.hint).toContain('--active true');
    await server.owner.call(serviceUsersApi.update, { params: { id }, body: { active: true } });
    server.clock.advance(DAY_MS);
    const expired = await server.owner.refused(serviceUsersApi.rotate, { params: { id } });
    expect(expired).toMatchObject({ status: 409, code: 'conflict' });
    expect(expired.hint).toContain('--expires-in-days');
  });

  test('is possible with the key itself, for an administrator', async () => {
    const server = await openTestServer();
    const bot = await createServiceUser(server, { name: 'bot', role: 'tenant-admin' });
    const { api_key } = await bot.caller.call(serviceUsersApi.rotate, { params: { id: bot.id } });
    expect(await standingOf(bot.caller)).toBe('api_key_revoked');
    expect(await standingOf(server.apiKey(api_key))).toBe('ok');
    expect(await readLastAudit(server)).toMatchObject({ credential_type: 'api_key', credential_id: bot.key_id });
  });
});
