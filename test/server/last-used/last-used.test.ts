import { serviceUsersApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createServiceUser, mint, openTestServer, standingOf } from '../harness.ts';

describe('the last use', () => {
  test('of a token is written in batches: nothing before, all of it in one commit', async () => {
    const server = await openTestServer();
    const tokens = [];
    for (let i = 0; i < 20; i += 1) tokens.push(await mint(server, server.owner));
    let commits = 0;
    const { transact } = server.deps.db;
    server.deps.db.transact = (...given) => {
      commits += 1;
      return transact(...given);
    };
    server.clock.advance(5_000);
    for (const { caller } of tokens) for (let i = 0; i < 3; i += 1) await standingOf(caller);
    const used = async () => (await server.owner.call(tokensApi.listOwn)).map((one) => one.last_used_at);
    expect(new Set(await used())).toEqual(new Set([null]));
    expect(commits).toBe(0);
    await server.deps.lastUsed.flush();
    expect(commits).toBe(1);
    expect(new Set(await used())).toEqual(new Set(['2026-11-22T12:00:05Z']));
  });

  test('says from where and with what, printable and bounded', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await token.caller.ask(tokensApi.getSelf, { headers: { 'user-agent': `Spark/4.0 \u00e9${'x'.repeat(300)}` } });
    await server.deps.lastUsed.flush();
    const shown = await server.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(shown.last_used_client).toBe(`Spark/4.0 ?${'x'.repeat(189)}`);
    expect(shown.last_used_ip).toBeNull();
  });

  test('of a key is its service user’s as well', async () => {
    const server = await openTestServer();
    const etl = await createServiceUser(server, { name: 'etl' });
    await standingOf(etl.caller);
    await server.deps.lastUsed.flush();
    expect(await server.owner.call(serviceUsersApi.get, { params: { id: etl.id } })).toMatchObject({
      last_used: '2026-11-22T12:00:00Z',
      keys: [{ last_used: '2026-11-22T12:00:00Z' }],
    });
  });

  test('never goes backwards, whichever process writes last', async () => {
    const server = await openTestServer();
    const beside = await openTestServer({ beside: server });
    const token = await mint(server, server.owner);
    await standingOf(token.caller);
    server.clock.advance(10_000);
    await standingOf(beside.bearer(token.token));
    await beside.deps.lastUsed.flush();
    await server.deps.lastUsed.flush();
    const { last_used_at } = await server.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(last_used_at).toBe('2026-11-22T12:00:10Z');
  });

  test('never goes backwards with the clock of the machine', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    server.clock.advance(10_000);
    await standingOf(token.caller);
    server.clock.advance(-5_000);
    await standingOf(token.caller);
    await server.deps.lastUsed.flush();
    const { last_used_at } = await server.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(last_used_at).toBe('2026-11-22T12:00:10Z');
  });

  test('is kept for the next write when one fails, and no request fails for it', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    const { transact } = server.deps.db;
    server.deps.db.transact = () => Promise.reject(new Error('disk full'));
    expect(await standingOf(token.caller)).toBe('ok');
    await server.deps.lastUsed.flush();
    server.deps.db.transact = transact;
    expect(server.logs.join('\n')).toContain('last use not written');
    await server.deps.lastUsed.flush();
    const { last_used_at } = await server.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(last_used_at).toBe('2026-11-22T12:00:00Z');
  });

  test('is written before the files are let go', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await standingOf(token.caller);
    await server.close();
    const later = await openTestServer({ dataDir: server.dataDir });
    const { last_used_at } = await later.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(last_used_at).toBe('2026-11-22T12:00:00Z');
  });
});
