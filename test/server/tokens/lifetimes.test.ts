import { settingsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  HOUR_MS,
  MINUTE_MS,
  mint,
  openTestServer,
  standingOf,
} from '../harness.ts';

describe('a lifetime', () => {
  test('is 90 days unless the policy says otherwise', async () => {
    const server = await openTestServer();
    const first = await mint(server, server.owner);
    expect(first).toMatchObject({ expires_at: '2027-02-20T12:00:00Z', expiry_source: 'policy_default' });
    await server.owner.call(settingsApi.update, { body: { default_token_days: 7 } });
    expect((await mint(server, server.owner)).expires_at).toBe('2026-11-29T12:00:00Z');
  });

  test('is given in days, hours, minutes or as a time, with any offset', async () => {
    const server = await openTestServer();
    const ends = async (body: object) => (await mint(server, server.owner, body)).expires_at;
    expect(await ends({ expires_in_days: 365 })).toBe('2027-11-22T12:00:00Z');
    expect(await ends({ expires_in_hours: 12 })).toBe('2026-11-23T00:00:00Z');
    expect(await ends({ expires_in_minutes: 15 })).toBe('2026-11-22T12:15:00Z');
    expect(await ends({ expires_at: '2026-11-22T14:30:00+02:00' })).toBe('2026-11-22T12:30:00Z');
    expect(await ends({ 'expires-in-days': 1 })).toBe('2026-11-23T12:00:00Z');
  });

  test('above the maximum is refused with 422 naming the limit, never shortened', async () => {
    const server = await openTestServer();
    for (const body of [
      { expires_in_days: 366 },
      { expires_in_hours: 365 * 24 + 1 },
      { expires_in_minutes: 365 * 24 * 60 + 1 },
      { expires_at: '2027-11-22T12:00:01Z' },
      { expires_in_days: Number.MAX_SAFE_INTEGER },
    ]) {
      const problem = await server.owner.refused(tokensApi.create, { body });
      expect(problem).toMatchObject({ status: 422, code: 'policy_refused' });
      expect(problem.detail).toContain('365 days');
      expect(problem.detail).toContain('2027-11-22T12:00:00Z');
    }
    expect((await mint(server, server.owner, { expires_at: '2027-11-22T12:00:00Z' })).expires_at).toBe(
      '2027-11-22T12:00:00Z',
    );
  });

  test('of 0, negative, fractional, not a number, or in the past is invalid, with the name of the field', async () => {
    const server = await openTestServer();
    for (const [field, values] of Object.entries({
      expires_in_days: [0, -1, 1.5, '90', null, 1e300],
      expires_in_hours: [0, -3, 0.5, 'x'],
      expires_in_minutes: [0, -3, 0.5, true],
      expires_at: ['2026-11-22T12:00:00Z', '2020-01-01T00:00:00Z', '2027-02-30T00:00:00Z', 'tomorrow', 1_800_000_000],
    })) {
      for (const value of values) {
        const problem = await server.owner.refused(tokensApi.create, { body: { [field]: value } });
        expect(problem, `${field}: ${value}`).toMatchObject({ status: 400, code: 'invalid_request' });
        expect(problem.errors?.[0]?.field).toBe(field);
      }
    }
  });

  test('is given once', async () => {
    const server = await openTestServer();
    const problem = await server.owner.refused(tokensApi.create, {
      body: { expires_in_days: 1, expires_in_hours: 24 },
    });
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(problem.detail).toMatch(/expires_in_days.*expires_in_hours/);
  });
});

describe('a token minted with a token', () => {
  test('gets what remains of its parent when nothing is asked for', async () => {
    const server = await openTestServer();
    const parent = await mint(server, server.owner, { expires_in_days: 10 });
    server.clock.advance(DAY_MS);
    expect(await mint(server, parent.caller)).toMatchObject({
      expires_at: parent.expires_at,
      expiry_source: 'parent_credential',
    });
  });

  test('is refused with 422 when it would outlive its parent', async () => {
    const server = await openTestServer();
    const parent = await mint(server, server.owner, { expires_in_days: 10 });
    const problem = await parent.caller.refused(tokensApi.create, { body: { expires_in_days: 11 } });
    expect(problem).toMatchObject({ status: 422, code: 'policy_refused' });
    expect(problem.detail).toContain(parent.expires_at);
    expect((await mint(server, parent.caller, { expires_in_days: 10 })).expires_at).toBe(parent.expires_at);
  });

  test('is not minted dead: in its last minute of grace an expired parent is refused', async () => {
    const server = await openTestServer();
    const parent = await mint(server, server.owner, { expires_in_minutes: 5 });
    server.clock.advance(5 * MINUTE_MS + 30_000);
    expect(await standingOf(parent.caller)).toBe('ok');
    expect(await parent.caller.refused(tokensApi.create, { body: {} })).toMatchObject({
      status: 401,
      code: 'token_expired',
    });
  });

  test('never outlives the API key it is minted with', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl', expires_in_days: 5 });
    expect(await mint(server, etl.caller)).toMatchObject({
      expires_at: etl.expires_at,
      expiry_source: 'parent_credential',
    });
    expect(await etl.caller.refused(tokensApi.create, { body: { expires_in_days: 6 } })).toMatchObject({ status: 422 });
  });

  test('may outlive the interactive login it is minted in', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const token = await mint(server, bob.caller, { expires_in_days: 365 });
    server.clock.advance(12 * HOUR_MS + MINUTE_MS);
    expect(await standingOf(bob.caller)).toBe('token_expired');
    expect(await standingOf(token.caller)).toBe('ok');
  });
});

describe('expiry', () => {
  test('is allowed a minute for clocks that differ, and no more', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { expires_in_minutes: 5 });
    server.clock.advance(5 * MINUTE_MS + 59_000);
    expect(await standingOf(token.caller)).toBe('ok');
    server.clock.advance(1_000);
    expect(await standingOf(token.caller)).toBe('token_expired');
  });

  test('is announced on every answer in the last 14 days', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, { expires_in_days: 15 });
    const announced = async () => (await token.caller.ask(tokensApi.getSelf)).headers.get('pangolin-token-expires');
    expect(await announced()).toBeNull();
    server.clock.advance(DAY_MS + 1_000);
    expect(await announced()).toBe(token.expires_at);
    const refusal = await token.caller.ask(tokensApi.create, { body: { name: 7 } });
    expect(refusal.headers.get('pangolin-token-expires')).toBe(token.expires_at);
  });
});
