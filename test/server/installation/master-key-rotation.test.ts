import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { auditApi, signingKeysApi } from '@pangolin/shared/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { unseal } from '../../../packages/server/src/signing-keys/sealing.ts';
import { mint, openTestServer, standingOf, type TestServer } from '../harness.ts';
import { countStates, rotate } from '../signing-keys/keys.ts';

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

const reseal = (by: TestServer) => by.owner.call(signingKeysApi.reseal);

const readFileKeys = async ({ dataDir }: TestServer): Promise<string[]> =>
  (await readFile(join(dataDir, 'master.key'), 'utf8')).trimEnd().split('\n');

const readSealed = ({ deps }: TestServer) =>
  deps.db.read.selectFrom('signing_keys').select(['kid', 'private_key']).where('private_key', '<>', '').execute();

/** Whether one line of the file opens every private part. */
async function opensEverything(by: TestServer, line: string | undefined): Promise<boolean> {
  const key = Buffer.from(line ?? '', 'base64url');
  return (await readSealed(by)).every((row) => unseal([key], row.kid, row.private_key) !== undefined);
}

/** What must hold whatever was killed when: everything opens, for processes that run and for new ones. */
async function expectSound(running: TestServer[]): Promise<void> {
  for (const one of [...running, await openTestServer({ beside: server })]) {
    const { caller } = await mint(one, one.owner);
    expect(await standingOf(caller)).toBe('ok');
    // A key that is opened now, not from memory.
    await rotate(one);
    expect(await standingOf((await mint(one, one.owner)).caller)).toBe('ok');
  }
  expect(await countStates(server)).toMatchObject({ active: 1, next: 1 });
}

/** What must hold after a start: the file holds one key, and it is the one everything is sealed with. */
async function expectTidy(): Promise<void> {
  const lines = await readFileKeys(server);
  expect(lines).toHaveLength(1);
  expect(await opensEverything(server, lines[0])).toBe(true);
  expect((await readdir(server.dataDir)).filter((name) => name.startsWith('.'))).toEqual([]);
}

describe('POST /api/v1/signing-keys/reseal', () => {
  test('makes a new master key, seals everything with it, and takes the old one away', async () => {
    const { caller } = await mint(server, server.owner);
    const [old] = await readFileKeys(server);
    expect(await reseal(server)).toEqual({ source: 'data-directory', replaced: true, resealed: 2 });
    expect((await readFileKeys(server))[0]).not.toBe(old);
    expect(await opensEverything(server, old)).toBe(false);
    await expectTidy();
    expect((await stat(join(server.dataDir, 'master.key'))).mode & 0o777).toBe(0o600);
    expect(await standingOf(caller)).toBe('ok');
    await expectSound([server]);
  });

  test('is recorded in the chain of what belongs to no tenant, without any key', async () => {
    await reseal(server);
    const [event] = await server.owner.call(auditApi.list, { query: { chain: 'system', limit: 1 } });
    expect(event).toMatchObject({
      action: 'master_key.rotated',
      resource_type: 'master_key',
      username: 'ada',
      details: { source: 'data-directory', resealed: 2 },
    });
    const [key = ''] = await readFileKeys(server);
    expect(JSON.stringify(event)).not.toContain(key);
  });

  test('goes unnoticed by servers that run beside it', async () => {
    const other = await openTestServer({ beside: server });
    const token = await mint(other, other.owner);
    for (const by of [server, other, server]) await reseal(by);
    expect(await standingOf(other.bearer(token.token))).toBe('ok');
    await expectSound([server, other]);
    await expectTidy();
  });

  test('at once, and beside rotations of the signing key, in one process and in several, loses nothing', async () => {
    const other = await openTestServer({ beside: server });
    const { caller } = await mint(server, server.owner);
    const work = [server, other, server, other].flatMap((one) => [
      reseal(one),
      rotate(one),
      reseal(one),
      mint(one, one.owner),
    ]);
    await Promise.all(work);
    expect(await standingOf(caller)).toBe('ok');
    await expectSound([server, other]);
    await reseal(server);
    await expectTidy();
  });
});

describe('a rotation of the master key that is killed', () => {
  const killed = new Error('killed');

  /** Runs a rotation that ends at a point, as if the process had; `at` is which replacement of the file it is about. */
  async function killAt(point: 'before' | 'after', at: number): Promise<void> {
    const { masterKey } = server.deps;
    let replacements = 0;
    server.deps.masterKey = {
      ...masterKey,
      replace(keys) {
        replacements += 1;
        if (replacements === at && point === 'before') throw killed;
        masterKey.replace?.(keys);
        if (replacements === at && point === 'after') throw killed;
      },
    };
    const { status } = await server.owner.ask(signingKeysApi.reseal);
    expect(status).toBe(500);
    server.deps.masterKey = masterKey;
  }

  test.each([
    ['before the file is touched', () => killAt('before', 1), 1],
    ['when the file has both keys, and the database is sealed with the old one', () => killAt('after', 1), 2],
    ['when all is sealed and committed, and the file has both keys', () => killAt('before', 2), 2],
    ['when the old key has just gone', () => killAt('after', 2), 1],
  ])('%s leaves everything open, and the next start tidies up', async (_, kill, lines) => {
    const other = await openTestServer({ beside: server });
    const { caller } = await mint(server, server.owner);
    await kill();
    expect(await readFileKeys(server)).toHaveLength(lines);
    expect(await standingOf(caller)).toBe('ok');
    await expectSound([other, server]);
    await expectTidy();
  });

  test('at any of them is followed by another one that goes through', async () => {
    for (const kill of [() => killAt('after', 1), () => killAt('after', 1), () => killAt('before', 2)]) {
      await kill();
      expect((await readFileKeys(server)).length).toBeLessThanOrEqual(3);
      expect((await reseal(server)).resealed).toBe(2);
      await expectTidy();
    }
    await expectSound([server]);
  });

  test('while the new file was written leaves the old one, and what was begun is cleared away', async () => {
    const [before] = await readFileKeys(server);
    await writeFile(join(server.dataDir, '.master.key.new'), 'half of a k', { mode: 0o600 });
    await openTestServer({ beside: server });
    expect(await readFileKeys(server)).toEqual([before]);
    await expectTidy();
    await writeFile(join(server.dataDir, '.master.key.new'), 'half of a k', { mode: 0o600 });
    await reseal(server);
    await expectTidy();
  });

  test('in its commit has both keys in the file, and what is committed stays open', async () => {
    const { db } = server.deps;
    const other = await openTestServer({ beside: server });
    server.deps.db = {
      ...db,
      transact: (unit, options) =>
        db.transact(async (tx) => {
          await unit(tx);
          throw killed;
        }, options),
    };
    expect((await server.owner.ask(signingKeysApi.reseal)).status).toBe(500);
    server.deps.db = db;
    const lines = await readFileKeys(server);
    expect(lines).toHaveLength(2);
    expect(await opensEverything(server, lines[1])).toBe(true);
    expect(await opensEverything(server, lines[0])).toBe(false);
    await expectSound([other, server]);
    await expectTidy();
  });
});

describe('two rotations in one commit that is undone', () => {
  /**
   * Takes what a rotation does in a transaction out of the commit queue, after letting the first `through` of them pass, so
   * that it can share a commit with others.
   */
  async function takeUnit(through: number) {
    const { db } = server.deps;
    return new Promise<Parameters<typeof db.transact>[0]>((resolve) => {
      let passed = 0;
      server.deps.db = {
        ...db,
        transact(unit, options) {
          passed += 1;
          if (passed <= through) return db.transact(unit, options);
          resolve(unit);
          return new Promise(() => {});
        },
      };
      void server.owner.ask(signingKeysApi.reseal);
    }).finally(() => {
      server.deps.db = db;
    });
  }

  test.each([
    ['that both seal anew', [0, 0]],
    ['of which one takes the old key away, while the other seals anew', [1, 0]],
  ])('%s lose no key: what is committed stays open', async (_, throughs) => {
    const { caller } = await mint(server, server.owner);
    const units: Awaited<ReturnType<typeof takeUnit>>[] = [];
    for (const through of throughs) units.unshift(await takeUnit(through));
    const undone = server.deps.db.transact(async (tx) => {
      for (const unit of units) await unit(tx);
      throw new Error('the disk is full');
    });
    await expect(undone).rejects.toThrow('the disk is full');
    expect(await standingOf(caller)).toBe('ok');
    await expectSound([server]);
    await expectTidy();
  });
});
