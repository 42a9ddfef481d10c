import { auditApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { mint, openTestServer } from '../harness.ts';
import { createCatalogCaller, createTestTable } from './catalog-caller.ts';

const tbl = 'namespaces/ns/tables/tbl';

async function open() {
  const server = await openTestServer();
  const catalog = createCatalogCaller((await mint(server, server.owner)).caller);
  await createTestTable(catalog);
  return { server, catalog };
}

describe('what one client may ask of everybody’s server', () => {
  test('is bounded in size, by what it asks for', async () => {
    const { catalog } = await open();
    const long = JSON.stringify({ namespace: ['x'], properties: { a: 'x'.repeat(1024 * 1024) } });
    expect(await catalog.refused('POST', 'namespaces', long)).toMatch(/^413 BadRequestException .* 1 MiB/);
    const body = (mebibytes: number) => ({
      updates: [{ action: 'set-properties', updates: { a: 'x'.repeat(mebibytes * 1024 * 1024) } }],
    });
    await catalog.ok('POST', tbl, body(2));
    expect(await catalog.refused('POST', tbl, body(32))).toMatch(/^413 BadRequestException .* 32 MiB/);
    const dense = `{"updates":[],"x":[${'{},'.repeat(1_000_001)}0]}`;
    expect(await catalog.refused('POST', tbl, dense)).toMatch(
      /^400 BadRequestException The body has more than 1000000 values/,
    );
    expect((await catalog.send('POST', `${tbl}/metrics`, dense)).status).toBe(204);
  });

  test('is little where little is sent, also of a length that nobody announced', async () => {
    const { server, catalog } = await open();
    const { caller } = await mint(server, server.owner);
    // All of them are on their way before the first one ends.
    let end = () => {};
    const all = new Promise<void>((resolve) => {
      end = resolve;
    });
    const commits = Array.from({ length: 40 }, (_, i) => {
      const body = new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode('{"updates":[{"action":"set-properties",'));
          await all;
          controller.enqueue(new TextEncoder().encode(`"updates":{"p${i}":"x"}}]}`));
          controller.close();
        },
      });
      return caller.send('POST', `/v1/default/v1/${tbl}`, { body, headers: { 'content-type': 'application/json' } });
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    end();
    expect(new Set((await Promise.all(commits)).map(({ status }) => status))).toEqual(new Set([200]));
    await catalog.ok('GET', tbl);
  });

  test('is bounded in number', async () => {
    const { catalog } = await open();
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, 'x']));
    const updates = Array.from({ length: 10_001 }, () => ({ action: 'remove-properties', removals: ['x'] }));
    expect(await catalog.refused('POST', tbl, { updates })).toMatch(/^400 .*at most 10000 updates/);
    const change = { identifier: { namespace: ['ns'], name: 'tbl' } };
    const changes = { 'table-changes': Array.from({ length: 501 }, () => change) };
    expect(await catalog.refused('POST', 'transactions/commit', changes)).toMatch(/^400 .*at most 500 changes/);
    expect(await catalog.refused('POST', 'namespaces/ns/properties', { updates: many(1_001) })).toMatch(
      /^400 .*at most 1000/,
    );
    await catalog.ok('POST', 'namespaces/ns/properties', { updates: many(1_000) });
    expect(await catalog.refused('POST', 'namespaces/ns/properties', { updates: { more: 'x' } })).toMatch(/^400 /);
    const longName = { updates: { ['x'.repeat(1_001)]: 'x' } };
    expect(await catalog.refused('POST', 'namespaces/ns/properties', longName)).toMatch(
      /^400 .*at most 1000 characters/,
    );
  });

  test('leaves rows of bounded size in the audit trail', async () => {
    const { server, catalog } = await open();
    const updates = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`${'x'.repeat(900)}${i}`, 'y']));
    await catalog.ok('POST', 'namespaces/ns/properties', { updates });
    const [event] = await server.owner.call(auditApi.list, { query: { limit: 1 } });
    expect(event).toMatchObject({ action: 'namespace.updated', details: { truncated: true } });
  });
});

describe('a property that keeps files', () => {
  test('keeps them however it is spelled', async () => {
    const { catalog } = await open();
    for (const value of ['False', 'FALSE', ' false ']) {
      await catalog.ok('POST', tbl, { updates: [{ action: 'set-properties', updates: { 'gc.enabled': value } }] });
      expect(await catalog.refused('DELETE', `${tbl}?purgeRequested=true`), value).toMatch(/^400 .*gc\.enabled/);
    }
  });
});

describe('a path that may be read in several ways', () => {
  test('does not tell which of them exists to those who may not know', async () => {
    const { server, catalog } = await open();
    for (const name of ['b', 'secret x']) await catalog.ok('POST', 'namespaces', { namespace: [name] });
    const narrowed = createCatalogCaller(
      (await mint(server, server.owner, { scopes: ['catalog:read:default.a'] })).caller,
    );
    const refusal = async (path: string, name: string) =>
      (await narrowed.refused('GET', path)).replaceAll(name, 'NAME');
    expect(await refusal('namespaces/secret+x', 'secret+x')).toBe(await refusal('namespaces/secret+y', 'secret+y'));
    expect(await refusal('namespaces?parent=%2562', '%2562')).toBe(await refusal('namespaces?parent=%2563', '%2563'));
  });
});
