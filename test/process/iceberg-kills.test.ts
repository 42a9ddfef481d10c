import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { appendTo, createIcebergClient, type IcebergClient, readHistory, setProperties } from './iceberg-client.ts';
import { type Answer, bearer } from './request.ts';
import { type Server, startServer } from './start-server.ts';

const LOAD_MS = 8_000;
/** A slow machine takes longer until there is enough to survive. */
const LONGEST_MS = 120_000;
const ROUNDS = 3;
/** Writers of the database are made to wait for so long at most: less than they have patience for. */
const PATIENCE_MS = 4_000;
const TABLES = ['alone', 'left', 'right'];

let box: Box;
let server: Server;
let client: IcebergClient;
let token: string;
beforeAll(async () => {
  box = await openBox();
  token = (await box.user(['get-token', '--role', 'tenant-admin'])).stdout.trim();
  server = await startServer(box, ['--quiet']);
  client = createIcebergClient(() => server.origin, token);
  expect((await client.createNamespace()).status).toBe(200);
  for (const table of TABLES) expect((await client.createTable(table)).status).toBe(200);
});
afterAll(() => box.remove());

/** Null where the server was killed under the request: nothing was answered, nothing is promised. */
const whileServerLives = (asked: Promise<Answer>): Promise<Answer | null> => asked.catch(() => null);

async function killServer(): Promise<void> {
  await server.stop('SIGKILL');
}

async function restart(): Promise<void> {
  server = await startServer(box, ['--quiet']);
}

/** Makes every writer of the database wait, as another process's transaction does. */
function holdDatabase(): () => void {
  const db = new DatabaseSync(`${box.dataDir}/pangolin.db`);
  db.exec('pragma busy_timeout = 4000; begin immediate');
  return () => {
    db.exec('rollback');
    db.close();
  };
}

const metadataFolder = (table: string) => `${box.dataDir}/warehouse/default/kills/${table}/metadata`;

/** The names of a table's metadata files that are whole; none before there is a folder. */
const listFiles = async (table: string): Promise<string[]> =>
  (await readdir(metadataFolder(table)).catch(() => [])).filter((name) => /^\d+-.*\.metadata\.json$/.test(name));

const countFiles = async (tables: readonly string[]): Promise<number[]> =>
  Promise.all(tables.map(async (table) => (await listFiles(table)).length));

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await isSo())) {
    expect(performance.now()).toBeLessThan(deadline);
    await sleep(2);
  }
}

/** Sends commits of all kinds while the database is held, until all their files are written and no pointer is swapped. */
async function commitUpToTheSwap(round: string) {
  const created = `new-${round}`;
  const touched = [...TABLES, created];
  const before = await countFiles(touched);
  const release = holdDatabase();
  const updates = [setProperties({ [round]: 'one', [`${round}-twin`]: 'two' })];
  const answers = [
    client.commit({ table: 'alone', updates }),
    client.commit({ table: 'alone', updates: [setProperties({ [`${round}-later`]: 'three' })] }),
    client.commitTogether(['left', 'right'].map((table) => ({ table, updates }))),
    client.createTable(created),
  ].map(whileServerLives);
  await until(async () => (await countFiles(touched)).every((count, index) => count > (before[index] ?? 0)));
  return { created, answers, release };
}

/** What a pointer is in the database file, as another process sees it. */
function readPointers(): Map<string, string> {
  const db = new DatabaseSync(`${box.dataDir}/pangolin.db`, { readOnly: true });
  const rows = db.prepare('select name, metadata_location from catalog_objects').all() as PointerRow[];
  db.close();
  return new Map(rows.map((row) => [row.name, row.metadata_location]));
}

describe('kill -9 at the swap of the pointer', () => {
  test('between the file and the swap: nothing of the commit is there, and the next one goes on', {
    timeout: 90_000,
  }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const before = await Promise.all(TABLES.map(client.readSound));
      const { created, answers, release } = await commitUpToTheSwap(`lost-${round}`);
      await killServer();
      expect(await Promise.all(answers)).toEqual(answers.map(() => null));
      release();
      await restart();
      expect(await Promise.all(TABLES.map(client.readSound))).toEqual(before);
      expect((await client.load(created)).status).toBe(404);
      expect((await client.createTable(created)).status).toBe(200);
      for (const table of [...TABLES, created]) {
        const key = `after-${round}`;
        expect((await client.commit({ table, updates: [setProperties({ [key]: 'goes on' })] })).status).toBe(200);
        expect((await client.readSound(table)).metadata.properties[key]).toBe('goes on');
      }
    }
  });

  test('after the swap, before or after the answer: all of the commit is there', { timeout: 90_000 }, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const key = `kept-${round}`;
      const before = readPointers();
      const { created, answers, release } = await commitUpToTheSwap(key);
      release();
      const isSwapped = () => {
        const now = readPointers();
        return now.has(created) && TABLES.every((table) => now.get(table) !== before.get(table));
      };
      // Without a turn of the event loop in between: the first moment that anybody else can see the swap.
      for (const deadline = performance.now() + PATIENCE_MS; !isSwapped(); )
        expect(performance.now()).toBeLessThan(deadline);
      await killServer();
      const answered = (await Promise.all(answers)).flatMap((answer) => answer?.status ?? []);
      expect(answered.every((status) => status === 200 || status === 204)).toBe(true);
      await restart();
      for (const table of TABLES) {
        const { properties } = (await client.readSound(table)).metadata;
        expect(properties).toMatchObject({ [key]: 'one', [`${key}-twin`]: 'two' });
      }
      await client.readSound(created);
    }
  });

  test('a client that hangs up while its commit waits leaves a table that is sound, with the commit or without', async () => {
    const before = await countFiles(['alone']);
    const release = holdDatabase();
    const caller = new AbortController();
    const asked = fetch(`${server.origin}/v1/default/namespaces/kills/tables/alone`, {
      method: 'POST',
      headers: { ...bearer(token), 'content-type': 'application/json' },
      body: JSON.stringify({ updates: [setProperties({ hung: 'up', 'hung-twin': 'up' })] }),
      signal: caller.signal,
    });
    const gone = expect(asked).rejects.toThrow();
    await until(async () => ((await countFiles(['alone']))[0] ?? 0) > (before[0] ?? 0));
    caller.abort();
    await gone;
    release();
    expect((await client.commit({ table: 'alone', updates: [setProperties({ next: 'one' })] })).status).toBe(200);
    const { properties } = (await client.readSound('alone')).metadata;
    expect(properties.next).toBe('one');
    expect(properties['hung-twin']).toBe(properties.hung);
  });
});

/** How commits ended: answered, refused for what they require, or cut off by a kill, which promises nothing. */
const ended = { acknowledged: new Set<string>(), refused: new Set<string>(), unsure: new Set<string>() };
const created = { acknowledged: [] as string[], unsure: [] as string[] };
const unexpected: Answer[] = [];
const counts = { kills: 0 };

async function settle(key: string, asked: Promise<Answer>): Promise<void> {
  const answer = await whileServerLives(asked);
  if (answer === null) ended.unsure.add(key);
  else if (answer.status === 200 || answer.status === 204) ended.acknowledged.add(key);
  else if (answer.status === 409 && key.startsWith('append-')) ended.refused.add(key);
  else unexpected.push(answer);
  await sleep(answer === null ? 20 : 2);
}

let serial = 0;
function nextKey(kind: string): string {
  serial += 1;
  return `${kind}-${serial}`;
}

async function setOne(table: string): Promise<void> {
  const key = nextKey('set');
  await settle(key, client.commit({ table, updates: [setProperties({ [key]: table, [`${key}-twin`]: table })] }));
}

async function setInBoth(): Promise<void> {
  const key = nextKey('both');
  const change = (table: string) => ({ table, updates: [setProperties({ [key]: 'x' })] });
  await settle(key, client.commitTogether([change('left'), change('right')]));
}

/** Two of these race for every snapshot, so that some are refused. */
async function append(): Promise<void> {
  const loaded = await whileServerLives(client.load('left'));
  if (loaded?.status !== 200) return void (await sleep(20));
  const key = nextKey('append');
  const { updates, ...change } = appendTo('left', JSON.parse(loaded.text), serial);
  await settle(key, client.commit({ ...change, updates: [...updates, setProperties({ [key]: 'x' })] }));
}

async function create(): Promise<void> {
  const name = nextKey('made');
  const answer = await whileServerLives(client.createTable(name));
  if (answer === null) created.unsure.push(name);
  else if (answer.status === 200) created.acknowledged.push(name);
  else unexpected.push(answer);
  await sleep(50);
}

async function killNowAndThen(isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await sleep(300 + Math.random() * 500);
    counts.kills += 1;
    await killServer();
    await restart();
  }
}

const isEnough = (): boolean =>
  counts.kills > 4 &&
  ['set', 'both', 'append'].every((kind) => [...ended.acknowledged].filter((key) => key.startsWith(kind)).length > 5) &&
  ended.unsure.size > 4 &&
  created.acknowledged.length > 4;

describe('after many kills under several writers', () => {
  beforeAll(async () => {
    // Old files are deleted after each commit here: the log must never lead to one of them.
    const few = { 'write.metadata.previous-versions-max': '5', 'write.metadata.delete-after-commit.enabled': 'true' };
    expect((await client.commit({ table: 'right', updates: [setProperties(few)] })).status).toBe(200);
    const startMs = performance.now();
    const isOver = () => performance.now() - startMs > (isEnough() ? LOAD_MS : LONGEST_MS);
    const again = async (task: () => Promise<void>) => {
      while (!isOver()) await task();
    };
    await Promise.all([
      killNowAndThen(isOver),
      ...['left', 'left', 'right'].map((table) => again(() => setOne(table))),
      ...[setInBoth, setInBoth, append, append, create].map(again),
    ]);
    await killServer();
    await restart();
  }, 180_000);

  test('there was something to survive, and nothing but kills stopped a commit', () => {
    const [acknowledged, unsure] = [[...ended.acknowledged], ended.unsure.size];
    expect(isEnough(), JSON.stringify({ ...counts, acknowledged, unsure, created })).toBe(true);
    expect(unexpected).toEqual([]);
  });

  test('every acknowledged commit is there, every refused one is not, and every other is whole or not at all', async () => {
    const left = await client.readSound('left');
    const right = await client.readSound('right');
    const [inLeft, inRight] = [left.metadata.properties, right.metadata.properties];
    const present = (key: string) => key in inLeft || key in inRight;
    expect([...ended.acknowledged].filter((key) => !present(key))).toEqual([]);
    expect([...ended.refused].filter(present)).toEqual([]);
    const known = [...ended.acknowledged, ...ended.unsure];
    expect(known.filter((key) => key.startsWith('both') && key in inLeft !== key in inRight)).toEqual([]);
    const isHalf = (key: string) => [inLeft, inRight].some((all) => key in all !== `${key}-twin` in all);
    expect(known.filter((key) => key.startsWith('set') && isHalf(key))).toEqual([]);
    const history = readHistory(left);
    const appended = known.filter((key) => key.startsWith('append') && key in inLeft);
    expect(history.map((id) => `append-${id}`).sort()).toEqual(appended.sort());
    expect(new Set(history).size).toBe(history.length);
  });

  test('every acknowledged table can be read, and one that was not is sound or can be created', async () => {
    for (const name of created.acknowledged) await client.readSound(name);
    for (const name of created.unsure) {
      if ((await client.load(name)).status === 404) expect((await client.createTable(name)).status).toBe(200);
      await client.readSound(name);
    }
  });

  test('the database is sound, and every swap of a pointer has its one audit record', async () => {
    await server.stop();
    const db = new DatabaseSync(`${box.dataDir}/pangolin.db`, { readOnly: true });
    expect(db.prepare('pragma integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
    expect(db.prepare('pragma foreign_key_check').all()).toEqual([]);
    const swaps = db.prepare(`
      select name, version, (select count(*) from audit_events e where e.resource_id = o.id
        and e.action = 'table.updated' and e.result = 'success') as recorded
      from catalog_objects o`);
    const rows = swaps.all() as { name: string; version: number; recorded: number }[];
    expect(rows.length).toBeGreaterThan(TABLES.length);
    expect(rows.filter(({ version, recorded }) => version !== recorded)).toEqual([]);
    db.close();
  });
});

interface PointerRow {
  name: string;
  metadata_location: string;
}
