import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogsApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { moveData } from '../../../packages/server/src/operations.ts';
import { createFolder, createServiceUser, mint, openTestServer, standingOf, type TestServer } from '../harness.ts';
import { createTestDatabase } from '../test-database.ts';

const move = (server: TestServer, to: string, options: { overwrite?: boolean } = {}) =>
  moveData({
    ownerName: 'ada',
    client: 'test',
    now: () => server.clock.nowMs,
    from: server.dataDir,
    to,
    overwrite: options.overwrite ?? false,
    onProgress: () => {},
  });

interface Target {
  to: string;
  open(): Promise<TestServer>;
}

/** An empty place for the data, and a server that finds it there. */
const TARGETS: Record<string, (server: TestServer) => Promise<Target>> = {
  async 'another SQLite file'(server) {
    const dataDir = await createFolder();
    await copyFile(join(server.dataDir, 'master.key'), join(dataDir, 'master.key'));
    return {
      to: `sqlite:${join(dataDir, 'pangolin.db')}`,
      open: () => openTestServer({ dataDir, databaseUrl: null }),
    };
  },
};
if (process.env.PANGOLIN_TEST_DATABASE_URL !== undefined) {
  TARGETS.PostgreSQL = async ({ dataDir }) => {
    const databaseUrl = await createTestDatabase();
    return { to: databaseUrl, open: () => openTestServer({ dataDir, databaseUrl }) };
  };
}

describe.each(Object.entries(TARGETS))('moving the data to %s', (_, createTarget) => {
  test('takes everything along: credentials, catalogs and the audit log go on', async () => {
    const server = await openTestServer({ databaseUrl: null });
    const token = await mint(server, server.owner);
    const key = await createServiceUser(server, { name: 'etl' });
    await server.owner.call(catalogsApi.create, { body: { name: 'lake' } });
    const { to, open } = await createTarget(server);
    const { tables } = await move(server, to);
    expect(tables.find(({ table }) => table === 'tokens')).toMatchObject({ rows: 1 });
    expect(tables.find(({ table }) => table === 'catalogs')).toMatchObject({ rows: 2 });
    const moved = await open();
    expect(await standingOf(moved.bearer(token.token))).toBe('ok');
    expect(await standingOf(moved.apiKey(key.api_key))).toBe('ok');
    expect(moved.deps.installation).toEqual(server.deps.installation);
    const system = moved.deps.db.read.selectFrom('audit_events').select('action').where('chain', '=', 'system');
    expect(await system.execute()).toEqual([{ action: 'installation.created' }, { action: 'installation.migrated' }]);
  });

  test('can be repeated, and takes along what happened since', async () => {
    const server = await openTestServer({ databaseUrl: null });
    const { to, open } = await createTarget(server);
    await move(server, to);
    const token = await mint(server, server.owner);
    await move(server, to);
    const moved = await open();
    expect(await standingOf(moved.bearer(token.token))).toBe('ok');
  });

  test('is refused once somebody uses the copy, unless that is to be lost', async () => {
    const server = await openTestServer({ databaseUrl: null });
    const { to, open } = await createTarget(server);
    await move(server, to);
    const moved = await open();
    const token = await mint(moved, moved.owner);
    await expect(move(server, to)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/changed since/),
    });
    expect(await standingOf(token.caller)).toBe('ok');
    await move(server, to, { overwrite: true });
    // On PostgreSQL a server knows within a second.
    moved.shared.leapMs += 1_000;
    expect(await standingOf(token.caller)).toBe('token_unknown');
  });
});

describe('moving the data', () => {
  test('never replaces another installation', async () => {
    const server = await openTestServer({ databaseUrl: null });
    const other = await openTestServer({ databaseUrl: null });
    const to = `sqlite:${join(other.dataDir, 'pangolin.db')}`;
    for (const overwrite of [false, true]) {
      await expect(move(server, to, { overwrite })).rejects.toMatchObject({ code: 'conflict' });
    }
    expect((await other.owner.call(usersApi.me)).username).toBe('ada');
  });

  test('refuses a source that is not there, and a target that is none', async () => {
    const server = await openTestServer({ databaseUrl: null });
    await expect(move(server, 'mysql://db')).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(move(server, `sqlite:${join(server.dataDir, 'pangolin.db')}`)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const nowhere = { ...server, dataDir: '/nowhere' };
    await expect(move(nowhere, 'sqlite:/tmp/x.db')).rejects.toMatchObject({ code: 'no_server' });
  });
});
