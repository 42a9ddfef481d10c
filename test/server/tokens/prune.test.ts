import { oauthApi, serviceUsersApi, tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain, readLastAudit } from '../audit-chain.ts';
import {
  createLoggedIn,
  createServiceUser,
  DAY_MS,
  mint,
  openTestServer,
  standingOf,
  type TestServer,
} from '../harness.ts';
import { TOKEN_EXCHANGE } from '../oauth/ask-oauth.ts';
import { insertSecondTenant } from '../second-tenant.ts';

const prune = (server: TestServer, body: object = { unused_for_days: 90 }) =>
  server.owner.call(tokensApi.prune, { body });
const idsOf = (tokens: { id: string }[]) => tokens.map((one) => one.id);
const YEAR = { expires_in_days: 365 };

describe('pruning tokens', () => {
  test('revokes those that nobody used, never-used ones since their creation, and says why', async () => {
    const server = await openTestServer();
    const never = await mint(server, server.owner, { ...YEAR, name: 'never' });
    const once = await mint(server, server.owner, YEAR);
    const used = await mint(server, server.owner, YEAR);
    await once.caller.call(usersApi.me);
    server.clock.advance(50 * DAY_MS);
    await used.caller.call(usersApi.me);
    server.clock.advance(50 * DAY_MS);
    const young = await mint(server, server.owner, YEAR);
    const dry = await prune(server, { unused_for_days: 90, dry_run: true });
    expect(dry).toMatchObject({
      dry_run: true,
      unused_since: '2026-12-02T12:00:00Z',
      count: 2,
      revoked_count: 0,
      next_cursor: null,
    });
    // Made in the same millisecond: either may come first.
    expect(dry.tokens).toHaveLength(2);
    expect(dry.tokens).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: once.id, last_used_at: '2026-11-22T12:00:00Z' }),
        expect.objectContaining({ id: never.id, name: 'never', username: 'ada', kind: 'personal', last_used_at: null }),
      ]),
    );
    for (const one of [never, once]) expect((await get(server, one.id)).is_valid).toBe(true);
    expect(await prune(server)).toMatchObject({ dry_run: false, count: 2, revoked_count: 2 });
    expect(await readLastAudit(server)).toMatchObject({
      action: 'tokens.pruned',
      details: { unused_since: '2026-12-02T12:00:00Z', count: 2, revoked_with_them: 0 },
    });
    for (const one of [never, once]) {
      expect(await standingOf(one.caller)).toBe('token_revoked');
      expect(await get(server, one.id)).toMatchObject({ revoked_reason: 'not used since 2026-12-02T12:00:00Z' });
    }
    for (const one of [used, young]) expect(await standingOf(one.caller)).toBe('ok');
    const events = (await readAuditChain(server)).length;
    expect(await prune(server)).toMatchObject({ count: 0, tokens: [] });
    expect(await readAuditChain(server)).toHaveLength(events);
  });

  test('knows of uses that are not written yet', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner, YEAR);
    server.clock.advance(100 * DAY_MS);
    await token.caller.call(usersApi.me);
    expect(await prune(server)).toMatchObject({ count: 0 });
    expect(await standingOf(token.caller)).toBe('ok');
  });

  test('leaves a token whose descendants are in use, however far down, and ends a family that is not', async () => {
    const server = await openTestServer();
    const busy = await mint(server, server.owner, YEAR);
    const idle = await mint(server, server.owner, YEAR);
    const child = await mint(server, busy.caller, YEAR);
    const idleChild = await mint(server, idle.caller, YEAR);
    const grandchild = await mint(server, child.caller, YEAR);
    server.clock.advance(100 * DAY_MS);
    const body = { grant_type: TOKEN_EXCHANGE, subject_token: grandchild.token };
    const { access_token } = await server.nobody.call(oauthApi.token, { body });
    server.clock.advance(DAY_MS / 48);
    await server.bearer(access_token).call(usersApi.me);
    const dry = await prune(server, { unused_for_days: 90, dry_run: true });
    expect(idsOf(dry.tokens).sort()).toEqual([idleChild.id, idle.id].sort());
    expect(await prune(server)).toMatchObject({ count: 2, revoked_count: 2 });
    for (const one of [busy, child, grandchild]) expect(await standingOf(one.caller)).toBe('ok');
  });

  test('counts tokens that have no expiry, and no token that has ended already', async () => {
    const server = await openTestServer();
    await server.owner.call(tokensApi.create, { body: { expires_in_days: 10 } });
    const revoked = await mint(server, server.owner, YEAR);
    await server.owner.call(tokensApi.delete, { params: { id: revoked.id } });
    const gone = await createLoggedIn(server, 'gone');
    await mint(server, gone.caller, YEAR);
    await server.owner.call(usersApi.update, { params: { id: gone.id }, body: { active: false } });
    server.clock.advance(100 * DAY_MS);
    expect(await prune(server)).toMatchObject({ count: 0 });
  });

  test('is for who manages access tokens, with a credential that is not narrowed', async () => {
    const server = await openTestServer();
    const bob = await createLoggedIn(server, 'bob');
    const narrow = await mint(server, server.owner, { roles: ['root'], scopes: ['tokens:write'] });
    const body = { unused_for_days: 90 };
    expect(await bob.caller.refused(tokensApi.prune, { body })).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await narrow.caller.refused(tokensApi.prune, { body })).toMatchObject({ code: 'insufficient_scope' });
  });

  test('reaches neither those above the caller nor another tenant', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    await server.deps.db.transact((tx) =>
      tx
        .updateTable('tokens')
        .set({ expires_at: server.clock.nowMs + 365 * DAY_MS })
        .where('id', '=', other.tokenId)
        .execute(),
    );
    const rootsOwn = await mint(server, server.owner, { ...YEAR, roles: ['tenant-user'] });
    const bob = await createLoggedIn(server, 'bob');
    const bobs = await mint(server, bob.caller, YEAR);
    server.clock.advance(100 * DAY_MS);
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const pruned = await eve.caller.call(tokensApi.prune, { body: { unused_for_days: 90 } });
    expect(idsOf(pruned.tokens)).toEqual([bobs.id]);
    expect(await standingOf(rootsOwn.caller)).toBe('ok');
    const headers = { 'x-pangolin-tenant': other.tenantId };
    const theirs = await server.owner.call(tokensApi.prune, { headers, body: { unused_for_days: 90, dry_run: true } });
    expect(idsOf(theirs.tokens)).toEqual([other.tokenId]);
  });

  test('refuses what is invalid, by the name of the field', async () => {
    const server = await openTestServer();
    for (const [body, field] of [
      [{}, 'unused_for_days'],
      [{ unused_for_days: 0 }, 'unused_for_days'],
      [{ unused_for_days: 3651 }, 'unused_for_days'],
      [{ unused_for_days: '90' }, 'unused_for_days'],
      [{ unused_for_days: 90, unused_since: '2026-01-01T00:00:00Z' }, 'unused_for_days'],
      [{ unused_since: '2026-11-22T11:00:00Z' }, 'unused_since'],
      [{ unused_since: 'long ago' }, 'unused_since'],
      [{ unused_for_days: 90, dry_run: 'true' }, 'dry_run'],
      [{ unused_for_days: 90, cursor: 'x' }, 'cursor'],
    ] as const) {
      const problem = await server.owner.refused(tokensApi.prune, { body });
      expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.[0]?.field).toBe(field);
    }
  });

  test('of very many comes in parts, each of which says where to go on', async () => {
    const server = await openTestServer();
    const first = await mint(server, server.owner, YEAR);
    const { deps } = server;
    const row = await deps.db.read
      .selectFrom('tokens')
      .selectAll()
      .where('id', '=', first.id)
      .executeTakeFirstOrThrow();
    const ids = Array.from({ length: 7000 }, () => deps.newId());
    await deps.db.transact(async (tx) => {
      for (let at = 0; at < ids.length; at += 200) {
        const rows = ids.slice(at, at + 200).map((id) => ({ ...row, id, root_id: id }));
        await tx.insertInto('tokens').values(rows).execute();
      }
    });
    server.clock.advance(100 * DAY_MS);
    const counts: number[] = [];
    let cursor: string | null = null;
    let since = '';
    do {
      const body = cursor === null ? { unused_for_days: 90 } : { unused_since: since, cursor };
      const part: Awaited<ReturnType<typeof prune>> = await prune(server, body);
      expect(part.tokens.length).toBe(Math.min(1000, part.count));
      counts.push(part.count);
      cursor = part.next_cursor;
      since = part.unused_since;
    } while (cursor !== null);
    expect(counts).toEqual([5000, 2001]);
    const events = (await readAuditChain(server)).filter((event) => event.action === 'tokens.pruned');
    expect(events.length).toBeGreaterThanOrEqual(70);
  }, 60_000);
});

describe('service users that nobody used', () => {
  test('are listed by their last use, or their creation where there was none, and counted', async () => {
    const server = await openTestServer();
    const used = await createServiceUser(server, { name: 'used' });
    await createServiceUser(server, { name: 'never' });
    const once = await createServiceUser(server, { name: 'once' });
    await once.caller.call(usersApi.me);
    server.clock.advance(100 * DAY_MS);
    await createServiceUser(server, { name: 'young' });
    // By a token of its own, and not written yet.
    await (await mint(server, used.caller)).caller.call(usersApi.me);
    const query = { unused_for_days: 90, count: 'true' };
    const { json, headers } = await server.owner.ask(serviceUsersApi.list, { query });
    expect((json as { name: string }[]).map((one) => one.name)).toEqual(['never', 'once']);
    expect(headers.get('x-total-count')).toBe('2');
    for (const wrong of ['0', '-1', '1.5', '3651', 'x']) {
      const problem = await server.owner.refused(serviceUsersApi.list, { query: { unused_for_days: wrong } });
      expect(problem.errors?.[0]?.field).toBe('unused_for_days');
    }
  });
});

const get = (server: TestServer, id: string) => server.owner.call(tokensApi.get, { params: { id } });
