import { serviceUsersApi, settingsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createLoggedIn, createServiceUser, DAY_MS, HOUR_MS, mint, openTestServer, standingOf } from '../harness.ts';

const limitTo = async (max: number) => {
  const server = await openTestServer();
  await server.owner.call(settingsApi.update, { body: { max_tokens_per_user: max } });
  return server;
};

describe('max_tokens_per_user', () => {
  test('refuses one more with 422, listing the oldest unused ones', async () => {
    const server = await limitTo(3);
    const bob = await createLoggedIn(server, 'bob');
    const tokens = [];
    for (const name of ['first', 'second', 'third']) {
      tokens.push(await mint(server, bob.caller, { name }));
      server.clock.advance(60_000);
    }
    await tokens[0]?.caller.call(tokensApi.getSelf);
    await server.deps.lastUsed.flush();
    const problem = await bob.caller.refused(tokensApi.create, { body: {} });
    expect(problem).toMatchObject({ status: 422, code: 'policy_refused' });
    const [first, second, third] = tokens.map(({ id }) => problem.detail.indexOf(id));
    expect(second).toBeGreaterThan(0);
    expect(third).toBeGreaterThan(second ?? 0);
    expect(first).toBeGreaterThan(third ?? 0);
    expect(problem.detail).toContain('never used');
    expect(problem.hint).toContain(tokens[1]?.id);
  });

  test('counts neither expired nor revoked tokens, nor logins', async () => {
    const server = await limitTo(1);
    const bob = await createLoggedIn(server, 'bob');
    await mint(server, bob.caller, { expires_in_minutes: 5 });
    expect((await bob.caller.refused(tokensApi.create, { body: {} })).status).toBe(422);
    server.clock.advance(5 * 60_000);
    const second = await mint(server, bob.caller);
    await second.caller.call(tokensApi.revokeSelf);
    await mint(server, bob.caller);
    expect((await bob.caller.refused(tokensApi.create, { body: {} })).status).toBe(422);
  });

  test('does not count tokens that ended with the key they were minted with', async () => {
    const server = await limitTo(1);
    const etl = await createServiceUser(server, { name: 'etl' });
    await mint(server, etl.caller);
    const rotated = await server.owner.call(serviceUsersApi.rotate, { params: { id: etl.id } });
    const renewed = server.apiKey(rotated.api_key);
    await mint(server, renewed);
    expect((await renewed.refused(tokensApi.create, { body: {} })).status).toBe(422);
  });

  test('does not count tokens that a lowered maximum refuses', async () => {
    const server = await limitTo(1);
    await mint(server, server.owner, { expires_in_days: 300 });
    await server.owner.call(settingsApi.update, { body: { max_token_days: 90 } });
    await mint(server, server.owner);
  });

  test('is each owner’s own, also when an administrator mints', async () => {
    const server = await limitTo(1);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    await createLoggedIn(server, 'bob');
    await mint(server, eve.caller);
    await mint(server, eve.caller, { username: 'bob' });
    expect((await eve.caller.refused(tokensApi.create, { body: { username: 'bob' } })).detail).toContain('bob has 1');
  });

  test('holds when many ask at once, also in two processes', async () => {
    const server = await limitTo(5);
    const beside = await openTestServer({ beside: server });
    const asked = Array.from({ length: 20 }, (_, i) =>
      (i % 2 ? server : beside).owner.ask(tokensApi.create, { body: {} }),
    );
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses.filter((status) => status === 422)).toHaveLength(15);
  });
});

describe('lowering a maximum', () => {
  test('refuses longer-lived tokens from that moment, and dry_run names them first', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const long = await mint(server, bob.caller, { name: 'long', expires_in_days: 200 });
    const short = await mint(server, bob.caller, { expires_in_days: 20 });
    const dead = await mint(server, bob.caller, { expires_in_days: 200 });
    await dead.caller.call(tokensApi.revokeSelf);
    const body = { max_token_days: 100 };
    const expected = {
      max_token_days: 100,
      affected_count: 1,
      affected_tokens: [{ id: long.id, username: 'bob', name: 'long', expires_at: long.expires_at }],
    };
    expect(await server.owner.call(settingsApi.update, { query: { dry_run: 'true' }, body })).toMatchObject({
      ...expected,
      dry_run: true,
    });
    expect(await standingOf(long.caller)).toBe('ok');
    expect(await server.owner.call(settingsApi.update, { body })).toMatchObject({ ...expected, dry_run: false });
    expect(await standingOf(long.caller)).toBe('token_lifetime_refused');
    expect(await standingOf(short.caller)).toBe('ok');
  });

  test('of logins refuses the longer ones', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    await server.owner.call(settingsApi.update, { body: { session_hours: 11 } });
    expect(await standingOf(bob.caller)).toBe('token_lifetime_refused');
  });

  test('is not got around by waiting until less than the maximum remains', async () => {
    const server = await openTestServer();
    const long = await mint(server, server.owner, { expires_in_days: 100 });
    server.clock.advance(95 * DAY_MS);
    await server.owner.call(settingsApi.update, { body: { max_token_days: 30 } });
    server.clock.advance(HOUR_MS);
    expect(await standingOf(long.caller)).toBe('token_lifetime_refused');
  });
});
