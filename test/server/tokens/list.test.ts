import { tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { pruneExpiredTokens } from '../../../packages/server/src/tokens/tokens.ts';
import { createLoggedIn, createServiceUser, DAY_MS, mint, openTestServer } from '../harness.ts';

describe('a list of tokens', () => {
  test("shows one's own, newest first, with everything but the token", async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    await mint(server, server.owner);
    server.clock.advance(1_000);
    const token = await mint(server, bob.caller, { name: 'ci', scopes: ['catalog:read'], expires_in_days: 1 });
    const [first, session, ...rest] = await bob.caller.call(tokensApi.listOwn);
    expect(rest).toEqual([]);
    expect(session).toMatchObject({ kind: 'session', username: 'bob' });
    expect(first).toEqual({
      id: token.id,
      token_id: token.id,
      kind: 'personal',
      name: 'ci',
      description: null,
      user_id: bob.id,
      username: 'bob',
      role: 'tenant-user',
      tenant_id: bob.tenant_id,
      scopes: ['catalog:read'],
      created_at: '2026-11-22T12:00:01Z',
      created_by_id: bob.id,
      created_by: 'bob',
      expires_at: '2026-11-23T12:00:01Z',
      last_used_at: null,
      last_used_ip: null,
      last_used_client: null,
      is_valid: true,
      revoked_at: null,
      revoked_reason: null,
    });
  });

  test("of somebody else is an administrator's", async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const mallory = await createLoggedIn(server, 'mallory');
    const params = { id: bob.id };
    expect(await mallory.caller.refused(tokensApi.listOfUser, { params })).toMatchObject({ status: 403 });
    expect(await bob.caller.call(tokensApi.listOfUser, { params })).toHaveLength(1);
    expect(await server.owner.call(tokensApi.listOfUser, { params })).toHaveLength(1);
  });

  test('takes the scope tokens:read', async () => {
    const server = await openTestServer();
    const reader = await mint(server, server.owner, { scopes: ['tokens:read'] });
    expect(await reader.caller.call(tokensApi.listOwn)).toHaveLength(1);
    expect((await reader.caller.call(tokensApi.get, { params: { id: reader.id } })).id).toBe(reader.id);
    const writer = await mint(server, server.owner, { scopes: ['tokens:write'] });
    expect((await writer.caller.refused(tokensApi.listOwn)).code).toBe('insufficient_scope');
    expect((await writer.caller.refused(tokensApi.get, { params: { id: writer.id } })).code).toBe('insufficient_scope');
    expect((await writer.caller.call(tokensApi.getSelf)).id).toBe(writer.id);
  });

  test('filters by what a token is now', async () => {
    const server = await openTestServer();
    const expired = await mint(server, server.owner, { expires_in_minutes: 1 });
    const revoked = await mint(server, server.owner);
    const etl = await createServiceUser(server, { name: 'etl' });
    const valid = await mint(server, server.owner);
    await revoked.caller.call(tokensApi.revokeSelf);
    server.clock.advance(60_000);
    const ids = async (status: string) =>
      (await server.owner.call(tokensApi.listOwn, { query: { status } })).map(({ id }) => id);
    expect(await ids('valid')).toEqual([valid.id]);
    expect(await ids('expired')).toEqual([expired.id]);
    expect(await ids('revoked')).toEqual([revoked.id]);
    expect(await server.owner.call(tokensApi.listOfUser, { params: { id: etl.id } })).toEqual([]);
    expect((await server.owner.refused(tokensApi.listOwn, { query: { status: 'lost' } })).errors?.[0]?.field).toBe(
      'status',
    );
  });

  test('keeps expired and revoked tokens until 30 days after their expiry, and then no longer', async () => {
    const server = await openTestServer();
    const expired = await mint(server, server.owner, { expires_in_days: 1 });
    const revoked = await mint(server, server.owner, { expires_in_days: 1 });
    await revoked.caller.call(tokensApi.revokeSelf);
    const listed = async () => {
      await pruneExpiredTokens(server.deps);
      return (await server.owner.call(tokensApi.listOwn)).map(({ id }) => id).sort();
    };
    server.clock.advance(31 * DAY_MS);
    expect(await listed()).toEqual([expired.id, revoked.id].sort());
    server.clock.advance(1);
    expect(await listed()).toEqual([]);
  });
});

describe('paging', () => {
  const openWithTokens = async (count: number) => {
    const server = await openTestServer();
    for (let i = 0; i < count; i += 1) {
      await mint(server, server.owner, { name: `token-${i}` });
      server.clock.advance(1_000);
    }
    return server;
  };

  test('follows Link to the end, each token once, in order', async () => {
    const server = await openWithTokens(7);
    const names: (string | null)[] = [];
    let path: string | undefined = '/api/v1/users/me/tokens?limit=3&count=true&status=valid';
    let pages = 0;
    while (path !== undefined) {
      const page = await server.owner.send('GET', path);
      expect(page.headers.get('x-total-count')).toBe('7');
      names.push(...(page.json as { name: string }[]).map(({ name }) => name));
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      pages += 1;
    }
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((i) => `token-${i}`));
    expect(pages).toBe(3);
  });

  test('skips by offset, and counts only when asked', async () => {
    const server = await openWithTokens(4);
    const page = await server.owner.ask(tokensApi.listOwn, { query: { limit: 2, offset: 1 } });
    expect((page.json as { name: string }[]).map(({ name }) => name)).toEqual(['token-2', 'token-1']);
    expect(page.headers.get('x-total-count')).toBeNull();
    const last = await server.owner.ask(tokensApi.listOwn, { query: { limit: 2, offset: 2 } });
    expect(last.headers.get('link')).toBeNull();
  });

  test('refuses limits, offsets and cursors that are none, by name', async () => {
    const server = await openTestServer();
    for (const [field, values] of Object.entries({
      limit: ['0', '1001', '-1', '1.5', 'many', ''],
      offset: ['-1', '10001', 'x'],
      cursor: ['nonsense', Buffer.from('7').toString('base64url'), 'a'.repeat(501)],
      count: ['yes'],
      colour: ['red'],
    })) {
      for (const value of values) {
        const problem = await server.owner.refused(tokensApi.listOwn, { query: { [field]: value } });
        expect(problem, `${field}=${value}`).toMatchObject({ status: 400, code: 'invalid_request' });
        expect(problem.errors?.[0]?.field).toBe(field);
      }
    }
  });
});
