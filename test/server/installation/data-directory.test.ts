import { chmod, chown, lstat, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tokensApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { openEmbedded, openServer } from '../../../packages/server/src/embedded.ts';
import { createFolder, mint, openTestServer, standingOf, type TestServer } from '../harness.ts';

const open = (dataDir: string, create = true) => openServer({ dataDir, create, ownerName: 'ada' });
const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

describe('a new data directory', () => {
  test('is its owner’s alone: 0700, and every file in it 0600', async () => {
    const dataDir = join(await createFolder(), 'deep', 'data');
    const umask = process.umask(0);
    const server = await openTestServer({ dataDir }).finally(() => process.umask(umask));
    await mint(server, server.owner);
    expect(await modeOf(dataDir)).toBe(0o700);
    const files = await readdir(dataDir);
    expect(files.sort()).toEqual(['master.key', 'pangolin.db', 'pangolin.db-shm', 'pangolin.db-wal']);
    for (const file of files) expect({ file, mode: await modeOf(join(dataDir, file)) }).toEqual({ file, mode: 0o600 });
  });

  test('is made only when that was asked for', async () => {
    const folder = await createFolder();
    const dataDir = join(folder, 'data');
    for (const none of [dataDir, folder]) {
      const refused = await open(none, false).catch((error) => error);
      expect(refused).toMatchObject({ code: 'no_server', message: expect.stringContaining(none) });
      expect(refused.hint).toContain('PANGOLIN_URL');
    }
    expect(await readdir(folder)).toEqual([]);
  });

  test('opened by many at once is one installation', async () => {
    const dataDir = join(await createFolder(), 'data');
    const opened = await Promise.all(Array.from({ length: 6 }, () => openTestServer({ dataDir })));
    const first = opened[0] as TestServer;
    expect(new Set(opened.map(({ deps }) => deps.installation.id)).size).toBe(1);
    const { token } = (await opened[1]?.owner.call(tokensApi.create, { body: {} })) ?? { token: '' };
    for (const server of opened) expect(await standingOf(server.bearer(token))).toBe('ok');
    expect(await first.deps.db.read.selectFrom('signing_keys').select('state').execute()).toEqual([
      { state: 'active' },
      { state: 'next' },
    ]);
    expect((await readdir(dataDir)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});

describe('a data directory is refused', () => {
  test('when others can use it, or a file in it, saying how to mend that', async () => {
    const { dataDir, close } = await openTestServer();
    await close();
    for (const [path, mode, mended] of [
      [dataDir, 0o750, 0o700],
      [dataDir, 0o701, 0o700],
      [join(dataDir, 'pangolin.db'), 0o640, 0o600],
      [join(dataDir, 'master.key'), 0o604, 0o600],
    ] as const) {
      await chmod(path, mode);
      const refused = await open(dataDir).catch((error) => error);
      expect(refused).toMatchObject({ code: 'data_directory_refused' });
      expect(refused.hint).toContain(`chmod ${mended.toString(8)} '${path}'`);
      await chmod(path, mended);
    }
    await (await open(dataDir)).close();
  });

  test('when it belongs to another user', async () => {
    const { dataDir, close } = await openTestServer();
    await close();
    if (process.geteuid?.() === 0) {
      await chown(dataDir, 12_345, 12_345);
      const refused = await open(dataDir).catch((error) => error);
      expect(refused).toMatchObject({ code: 'data_directory_refused', message: expect.stringContaining('12345') });
    } else {
      // Whoever cannot give a directory away still finds one: the root directory is root's.
      expect((await lstat('/')).uid).toBe(0);
      await expect(open('/')).rejects.toMatchObject({ code: 'data_directory_refused' });
    }
  });

  test('when it is a file', async () => {
    const file = join(await createFolder(), 'data');
    await writeFile(file, 'not a directory');
    await expect(open(file)).rejects.toMatchObject({ code: 'data_directory_refused' });
    await expect(open(join(file, 'deeper'))).rejects.toMatchObject({ code: 'data_directory_refused' });
  });

  test('when its database is none', async () => {
    const dataDir = await createFolder();
    await writeFile(join(dataDir, 'master.key'), Buffer.alloc(32, 7).toString('base64url'), { mode: 0o600 });
    await writeFile(join(dataDir, 'pangolin.db'), 'this is no database'.repeat(500), { mode: 0o600 });
    await expect(open(dataDir)).rejects.toMatchObject({ code: 'storage_damaged', status: 503 });
  });

  test('when its database was written by a newer release, and is left as it is', async () => {
    const server = await openTestServer();
    const insertMigration = {
      sql: 'insert into kysely_migration (name, timestamp) values (?, ?)',
      parameters: ['0099-of-tomorrow', '2030-01-01'],
    };
    await server.deps.db.transact(async (tx) => {
      const compiled = tx.selectFrom('tenants').selectAll().compile();
      await tx.executeQuery({ ...compiled, ...insertMigration });
    });
    await server.close();
    const refused = await open(server.dataDir).catch((error) => error);
    expect(refused).toMatchObject({ code: 'database_too_new', message: expect.stringContaining('0099-of-tomorrow') });
    expect(refused.hint).toContain('@latest');
  });
});

describe('the master key', () => {
  test('that is missing stops everything, and no other is made', async () => {
    const { dataDir, close } = await openTestServer();
    await close();
    const key = join(dataDir, 'master.key');
    await rename(key, `${dataDir}.key`);
    for (const create of [true, false]) {
      const refused = await open(dataDir, create).catch((error) => error);
      expect(refused).toMatchObject({ code: 'master_key_missing', message: expect.stringContaining(key) });
      expect(refused.hint).toContain('backup');
    }
    expect(await readdir(dataDir)).not.toContain('master.key');
    await rename(`${dataDir}.key`, key);
    await (await open(dataDir)).close();
  });

  test('of another installation stops everything, and says so', async () => {
    const [mine, other] = [await openTestServer(), await openTestServer()];
    await mine.close();
    await other.close();
    await rm(join(mine.dataDir, 'master.key'));
    await rename(join(other.dataDir, 'master.key'), join(mine.dataDir, 'master.key'));
    const refused = await openTestServer({ dataDir: mine.dataDir }).catch((error) => error);
    expect(refused).toMatchObject({ code: 'master_key_missing', message: expect.stringContaining(mine.dataDir) });
  });

  test('that is no key is refused', async () => {
    const { dataDir, close } = await openTestServer();
    await close();
    for (const text of ['', 'short', 'x'.repeat(100)]) {
      await writeFile(join(dataDir, 'master.key'), text, { mode: 0o600 });
      await expect(open(dataDir)).rejects.toMatchObject({ code: 'master_key_missing' });
    }
  });

  test('is used from where it lies before there is a database', async () => {
    const dataDir = join(await createFolder(), 'data');
    await mkdir(dataDir, { mode: 0o700 });
    await writeFile(join(dataDir, 'master.key'), Buffer.alloc(32, 7).toString('base64url'), { mode: 0o600 });
    const server = await openTestServer({ dataDir });
    await mint(server, server.owner);
  });
});

test('the embedded server answers requests as the owner, whatever credentials they bring', async () => {
  const dataDir = join(await createFolder(), 'data');
  const embedded = await openEmbedded({ dataDir, create: true, ownerName: 'ada' });
  const headers = { authorization: 'Bearer expired', 'x-request-id': 'mine' };
  const answer = await embedded.send({ method: 'GET', path: '/api/v1/users/me', headers });
  expect(JSON.parse(answer.text)).toMatchObject({ kind: 'owner', username: 'ada' });
  await embedded.close();
});
