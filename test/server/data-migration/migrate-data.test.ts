import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { catalogsApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { moveData } from '../../../packages/server/src/operations.ts';
import { createFolder, createServiceUser, mint, openTestServer, standingOf, type TestServer } from '../harness.ts';

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

/** A new data directory with the master key of another, and where its database would be. */
async function createTarget(server: TestServer): Promise<{ dataDir: string; to: string }> {
  const dataDir = await createFolder();
  await copyFile(join(server.dataDir, 'master.key'), join(dataDir, 'master.key'));
  return { dataDir, to: `sqlite:${join(dataDir, 'pangolin.db')}` };
}

describe('moving the data to another database', () => {
  test('takes everything along: credentials, catalogs and the audit log go on', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    const key = await createServiceUser(server, { name: 'etl' });
    await server.owner.call(catalogsApi.create, { body: { name: 'lake' } });
    const { dataDir, to } = await createTarget(server);
    const { tables } = await move(server, to);
    expect(tables.find(({ table }) => table === 'tokens')).toMatchObject({ rows: 1 });
    expect(tables.find(({ table }) => table === 'catalogs')).toMatchObject({ rows: 2 });
    const moved = await openTestServer({ dataDir });
    expect(await standingOf(moved.bearer(token.token))).toBe('ok');
    expect(await standingOf(moved.apiKey(key.api_key))).toBe('ok');
    expect(moved.deps.installation).toEqual(server.deps.installation);
    const system = moved.deps.db.read.selectFrom('audit_events').select('action').where('chain', '=', 'system');
    expect(await system.execute()).toEqual([{ action: 'installation.created' }, { action: 'installation.migrated' }]);
  });

  test('can be repeated, and takes along what happened since', async () => {
    const server = await openTestServer();
    const { dataDir, to } = await createTarget(server);
    await move(server, to);
    const token = await mint(server, server.owner);
    await move(server, to);
    const moved = await openTestServer({ dataDir });
    expect(await standingOf(moved.bearer(token.token))).toBe('ok');
  });

  test('is refused once somebody uses the copy, unless that is to be lost', async () => {
    const server = await openTestServer();
    const { dataDir, to } = await createTarget(server);
    await move(server, to);
    const moved = await openTestServer({ dataDir });
    const token = await mint(moved, moved.owner);
    await expect(move(server, to)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/changed since/),
    });
    expect(await standingOf(token.caller)).toBe('ok');
    await move(server, to, { overwrite: true });
    expect(await standingOf(token.caller)).toBe('token_unknown');
  });

  test('never replaces another installation', async () => {
    const server = await openTestServer();
    const other = await openTestServer();
    const to = `sqlite:${join(other.dataDir, 'pangolin.db')}`;
    for (const overwrite of [false, true]) {
      await expect(move(server, to, { overwrite })).rejects.toMatchObject({ code: 'conflict' });
    }
    expect((await other.owner.call(usersApi.me)).username).toBe('ada');
  });

  test('refuses a source that is not there, and a target that is none', async () => {
    const server = await openTestServer();
    await expect(move(server, 'mysql://db')).rejects.toMatchObject({ code: 'invalid_argument' });
    await expect(move(server, `sqlite:${join(server.dataDir, 'pangolin.db')}`)).rejects.toMatchObject({
      code: 'invalid_argument',
    });
    const nowhere = { ...server, dataDir: '/nowhere' };
    await expect(move(nowhere, 'sqlite:/tmp/x.db')).rejects.toMatchObject({ code: 'no_server' });
  });
});
