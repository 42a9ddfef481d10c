import { auditApi, catalogsApi, tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { readAuditChain } from '../audit-chain.ts';
import { createLoggedIn, createServiceUser, mint, openTestServer, UNKNOWN_ID } from '../harness.ts';
import { insertSecondTenant } from '../second-tenant.ts';

describe('the audit list', () => {
  test('says who did what, from where and with which credential, newest first', async () => {
    const server = await openTestServer();
    const { id } = await server.owner.call(catalogsApi.create, {
      body: { name: 'sales' },
      headers: { 'user-agent': 'test/1.0' },
    });
    await server.owner.call(catalogsApi.create, { body: { name: 'stock' } });
    const [last, created, ...rest] = await server.owner.call(auditApi.list);
    expect(rest).toEqual([]);
    expect(last).toMatchObject({ seq: 2, resource_name: 'stock', previous_hash: created?.hash });
    expect(created).toMatchObject({
      seq: 1,
      previous_hash: '0'.repeat(64),
      chain: server.deps.installation.defaultTenantId,
      tenant_id: server.deps.installation.defaultTenantId,
      time: '2026-11-22T12:00:00Z',
      user_id: server.deps.installation.ownerId,
      username: 'ada',
      action: 'catalog.created',
      resource_type: 'catalog',
      resource_id: id,
      resource_name: 'sales',
      result: 'success',
      ip: null,
      credential_type: 'owner',
      credential_id: null,
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test('has what belongs to no tenant in a chain of its own, which only root can read', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    const [first, ...rest] = await server.owner.call(auditApi.list, { query: { chain: 'system' } });
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ seq: 1, chain: 'system', action: 'installation.created', user_id: null });
    expect(await eve.caller.refused(auditApi.list, { query: { chain: 'system' } })).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  });

  test('filters by user, action, kind of resource, result and time', async () => {
    const server = await openTestServer();
    const eve = await createLoggedIn(server, 'eve', 'tenant-admin');
    server.clock.advance(1_000);
    const token = await mint(server, eve.caller);
    server.clock.advance(1_000);
    await eve.caller.call(tokensApi.revoke, { params: { jti: token.id } });
    const actions = async (query: Record<string, string>) =>
      (await server.owner.call(auditApi.list, { query })).map(({ action }) => action);
    expect(await actions({ user_id: eve.id })).toEqual(['token.revoked', 'token.created', 'user.logged_in']);
    expect(await actions({ 'user-id': UNKNOWN_ID })).toEqual([]);
    expect(await actions({ action: 'token.created' })).toEqual(['token.created']);
    expect(await actions({ resource_type: 'user', user_id: eve.id })).toEqual(['user.logged_in']);
    expect(await actions({ result: 'failure' })).toEqual([]);
    expect(await actions({ since: '2026-11-22T12:00:01Z' })).toEqual(['token.revoked', 'token.created']);
    expect(await actions({ since: '2026-11-22T12:00:01Z', until: '2026-11-22T12:00:02Z' })).toEqual(['token.created']);
    expect(await actions({ since: '2026-11-22T14:00:02+02:00' })).toEqual(['token.revoked']);
  });

  test('pages to the end, each event once, whatever is added meanwhile', async () => {
    const server = await openTestServer();
    for (let i = 0; i < 6; i += 1) await mint(server, server.owner);
    const seen: number[] = [];
    let path: string | undefined = '/api/v1/audit?limit=2&count=true';
    while (path !== undefined) {
      const page = await server.owner.send('GET', path);
      seen.push(...(page.json as { seq: number }[]).map(({ seq }) => seq));
      path = /^<(.+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
      await mint(server, server.owner);
    }
    expect(seen).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test('refuses filters that are none, by name', async () => {
    const server = await openTestServer();
    for (const [field, value] of [
      ['user_id', 'ada'],
      ['result', 'maybe'],
      ['since', 'yesterday'],
      ['until', '2026-11-22'],
      ['limit', '0'],
      ['cursor', Buffer.from('"x"').toString('base64url')],
      ['colour', 'red'],
    ] as const) {
      const problem = await server.owner.refused(auditApi.list, { query: { [field]: value } });
      expect(problem, field).toMatchObject({ status: 400, code: 'invalid_request' });
      expect(problem.errors?.[0]?.field).toBe(field);
    }
  });

  test('is for administrators, and shows them their own tenant', async () => {
    const server = await openTestServer();
    const other = await insertSecondTenant(server);
    const bob = await createLoggedIn(server, 'bob');
    const narrow = await mint(server, server.owner, { roles: ['root'], scopes: ['catalog'] });
    expect(await bob.caller.refused(auditApi.list)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await narrow.caller.refused(auditApi.list)).toMatchObject({ status: 403, code: 'insufficient_scope' });
    const headers = { 'x-pangolin-tenant': other.tenantId };
    await server.owner.call(catalogsApi.create, { headers, body: { name: 'sales' } });
    const theirs = await server.owner.call(auditApi.list, { headers });
    expect(theirs).toMatchObject([{ seq: 1, action: 'catalog.created', tenant_id: other.tenantId }]);
    expect((await readAuditChain(server)).some(({ action }) => action === 'catalog.created')).toBe(false);
  });
});

describe('the chain', () => {
  test('has one event for every change, in order, when many processes write at once', async () => {
    const server = await openTestServer();
    const beside = await openTestServer({ beside: server });
    const before = (await readAuditChain(server)).length;
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => createServiceUser(i % 2 ? server : beside, { name: `etl-${i}` })),
    );
    expect(await readAuditChain(server)).toHaveLength(before + 30);
  });

  test('has nothing of a change that failed', async () => {
    const server = await openTestServer();
    await createServiceUser(server, { name: 'etl' });
    const before = await readAuditChain(server);
    await server.owner.ask(catalogsApi.create, { body: { name: 'default' } });
    await server.owner.ask(tokensApi.create, { body: { expires_in_days: 1000 } });
    expect(await readAuditChain(server)).toEqual(before);
  });

  test('shows when somebody changes what happened', async () => {
    const server = await openTestServer();
    await mint(server, server.owner, { name: 'first' });
    await mint(server, server.owner, { name: 'second' });
    await server.deps.db.transact((tx) =>
      tx.updateTable('audit_events').set({ resource_name: 'innocent' }).where('seq', '=', 2).execute(),
    );
    await expect(readAuditChain(server)).rejects.toThrow();
  });
});
