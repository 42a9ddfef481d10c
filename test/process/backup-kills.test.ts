import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { bearer, isAccepted, request } from './request.ts';
import { type Server, startServer } from './start-server.ts';

const ROUNDS = 12;
/** As many are to be killed, however many rounds it takes: how long a command lives was measured only once. */
const KILLED = 3;

let box: Box;
let server: Server;
let backups: string;
/** Minted before the backup that is restored, and good until a restore has happened. */
let before: string;
let full: string;

beforeAll(async () => {
  box = await openBox();
  backups = `${box.home}/backups`;
  await mkdir(backups);
  before = (await box.user(['get-token', '--role', 'tenant-admin'])).stdout.trim();
  for (let n = 0; n < 5; n += 1) await box.admin(['create-catalog', `lake-${n}`]);
  server = await startServer(box, ['--quiet']);
  full = `${backups}/full.tar`;
  expect(await box.admin(['backup', full])).toMatchObject({ code: 0 });
}, 60_000);
afterAll(() => box.remove());

const openDatabase = () => new DatabaseSync(`${box.dataDir}/pangolin.db`, { readOnly: true });

function checkDatabase(): void {
  const db = openDatabase();
  expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
  expect(db.prepare('pragma foreign_key_check').all()).toEqual([]);
  db.close();
}

/** Names of catalogs, and how many restores the audit log knows of. */
function readState(): { catalogs: string[]; restores: number } {
  const db = openDatabase();
  const catalogs = db.prepare('select name from catalogs order by name').all() as { name: string }[];
  const { n } = db.prepare("select count(*) as n from audit_events where action = 'installation.restored'").get() as {
    n: number;
  };
  db.close();
  return { catalogs: catalogs.map(({ name }) => name), restores: n };
}

/** Runs a command, and kills it at a random moment of its life; answers whether it was killed. */
async function killAtRandom(argv: string[], lifeMs: number): Promise<boolean> {
  const running = box.start('pangolin-admin', argv);
  const timer = setTimeout(() => running.child.kill('SIGKILL'), Math.random() * lifeMs);
  const { code } = await running.ended;
  clearTimeout(timer);
  return code === 137;
}

async function lifeOf(argv: string[]): Promise<number> {
  const start = performance.now();
  expect(await box.admin(argv)).toMatchObject({ code: 0 });
  return performance.now() - start;
}

describe('a backup that is killed at any moment, while a server is written to', () => {
  test('is whole or not there, and the next one clears up', { timeout: 300_000 }, async () => {
    let stop = false;
    const writing = (async () => {
      while (!stop) {
        await request(`${server.origin}/api/v1/tokens`, { headers: bearer(before), json: {} });
        await sleep(5);
      }
    })();
    const lifeMs = await lifeOf(['backup', `${backups}/first.tgz`]);
    let killed = 0;
    const whole: string[] = [];
    for (let round = 0; round < ROUNDS || killed < KILLED; round += 1) {
      const file = `${backups}/${round}.tgz`;
      if (await killAtRandom(['backup', file], lifeMs)) killed += 1;
      if (await stat(file).catch(() => null)) whole.push(file);
    }
    stop = true;
    await writing;
    await lifeOf(['backup', `${backups}/last.tgz`]);
    expect((await readdir(backups)).filter((name) => name.startsWith('.'))).toEqual([]);
    for (const file of [...whole, `${backups}/last.tgz`]) {
      const dataDir = `${box.home}/tried`;
      const argv = ['restore', file, '--data-dir', dataDir, '--master-key-file', `${box.dataDir}/master.key`];
      expect(await box.admin(argv)).toMatchObject({ code: 0 });
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      await rm(dataDir, { recursive: true });
    }
  });
});

describe('a restore that is killed at any moment, under a server', () => {
  test('has happened, or has not: the data, the credentials and the audit log agree', {
    timeout: 180_000,
  }, async () => {
    const atBackup = ['default', 'lake-0', 'lake-1', 'lake-2', 'lake-3', 'lake-4'];
    const lifeMs = await lifeOf(['restore', full]);
    let { restores } = readState();
    let killed = 0;
    for (let round = 0; round < ROUNDS || killed < KILLED; round += 1) {
      const { stdout } = await box.user(['get-token', '--role', 'tenant-admin']);
      const token = stdout.trim();
      expect(await box.admin(['create-catalog', `later-${round}`])).toMatchObject({ code: 0 });
      const earlier = readState().catalogs;
      if (await killAtRandom(['restore', full], lifeMs)) killed += 1;
      checkDatabase();
      const after = readState();
      const happened = after.restores > restores;
      expect(after.catalogs).toEqual(happened ? atBackup : earlier);
      expect(await isAccepted(server.origin, token)).toBe(!happened);
      expect(await isAccepted(server.origin, before)).toBe(false);
      restores = after.restores;
    }
    expect(await box.admin(['restore', full])).toMatchObject({ code: 0 });
    expect((await readdir(box.dataDir)).filter((name) => name.startsWith('.pangolin-'))).toEqual([]);
    expect(readState().catalogs).toEqual(atBackup);
  });

  test('into a new directory leaves one that the next restore completes', { timeout: 300_000 }, async () => {
    const keyFile = `${box.dataDir}/master.key`;
    const argv = (dataDir: string) => ['restore', full, '--data-dir', dataDir, '--master-key-file', keyFile];
    const lifeMs = await lifeOf(argv(`${box.home}/new`));
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const dataDir = `${box.home}/new-${round}`;
      await killAtRandom(argv(dataDir), lifeMs);
      expect(await box.admin(argv(dataDir))).toMatchObject({ code: 0 });
      const env = { PANGOLIN_DATA_DIR: dataDir };
      const { stdout, code } = await box.admin(['list-catalogs', '--json'], { env });
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toHaveLength(6);
      expect(await readdir(dataDir)).toEqual(expect.arrayContaining(['master.key', 'pangolin.db']));
    }
  });
});

describe('migrate-data that is killed at any moment', () => {
  test('leaves an empty target or a whole one, and the source as it was', { timeout: 300_000 }, async () => {
    const argv = (file: string) => ['migrate-data', '--to', `sqlite:${file}`];
    const lifeMs = await lifeOf(argv(`${box.home}/copy.db`));
    const count = (file: string): number => {
      const db = new DatabaseSync(file, { readOnly: true });
      const { n } = db.prepare('select count(*) as n from tokens').get() as { n: number };
      db.close();
      return n;
    };
    const all = count(`${box.home}/copy.db`);
    for (let round = 0; round < ROUNDS / 2; round += 1) {
      const file = `${box.home}/copy-${round}.db`;
      const wasKilled = await killAtRandom(argv(file), lifeMs);
      const rows = (await stat(file).catch(() => null))?.size ? await rowsIn(file, count) : 0;
      if (wasKilled) expect([0, all]).toContain(rows);
      checkDatabase();
      expect(await box.admin(argv(file))).toMatchObject({ code: 0 });
      expect(count(file)).toBe(all);
      expect((await box.user(['whoami'])).code).toBe(0);
    }
  });
});

/** A database may not even have its tables yet. */
async function rowsIn(file: string, count: (file: string) => number): Promise<number> {
  try {
    return count(file);
  } catch (error) {
    expect(String(error)).toContain('no such table');
    return 0;
  }
}
