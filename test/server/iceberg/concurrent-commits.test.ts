import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PangolinError } from '@pangolin/shared/errors';
import { describe, expect, test } from 'vitest';
import { mint, openTestServer } from '../harness.ts';
import { appendSnapshot, createCatalogCaller, createTestTable, type Loaded, SCHEMA } from './catalog-caller.ts';

const TABLES = 'namespaces/ns/tables';
const setProperty = (updates: object) => ({ updates: [{ action: 'set-properties', updates }] });
const inBoth = (first: object, second: object) => ({
  'table-changes': [
    { identifier: { namespace: ['ns'], name: 'tbl' }, ...first },
    { identifier: { namespace: ['ns'], name: 'other' }, ...second },
  ],
});

async function open() {
  const server = await openTestServer();
  const catalog = createCatalogCaller((await mint(server, server.owner)).caller);
  const { metadata } = await createTestTable(catalog);
  const other = await createTestTable(catalog, 'ns', 'other');
  const load = () => catalog.ok<Loaded>('GET', `${TABLES}/tbl`);
  const commit = (body: unknown, table = 'tbl') => catalog.send('POST', `${TABLES}/${table}`, body);
  const listFiles = () => readdir(join(fileURLToPath(metadata.location), 'metadata'));
  /** Runs `before` in front of the first writing of a file that matches; answers when that begins. */
  async function writing(match: RegExp, before: () => Promise<void>) {
    const warehouse = await server.deps.warehouses.open(`file://${server.dataDir}/warehouse/default`);
    const { create } = warehouse;
    let begin = () => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    warehouse.create = async (location, content) => {
      if (match.test(String(content))) {
        warehouse.create = create;
        begin();
        await before();
      }
      return create(location, content);
    };
    return { begun };
  }
  return {
    catalog,
    load,
    commit,
    listFiles,
    writing,
    location: metadata.location,
    otherLocation: other.metadata.location,
  };
}

type Opened = Awaited<ReturnType<typeof open>>;

const statusesOf = async (answers: ReturnType<Opened['commit']>[]) =>
  (await Promise.all(answers)).map(({ status }) => status);

describe('commits to one table that arrive together', () => {
  test('all take effect, each with a metadata file of its own that names the one before', async () => {
    const { load, commit, listFiles } = await open();
    const keys = Array.from({ length: 50 }, (_, n) => `key-${n}`);
    const answers = await Promise.all(keys.map((key) => commit(setProperty({ [key]: 'x' }))));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const answered = answers.map(({ json }) => json as Loaded);
    expect(new Set(answered.map((one) => one['metadata-location'])).size).toBe(keys.length);
    const { metadata, 'metadata-location': current } = await load();
    expect(Object.keys(metadata.properties)).toEqual(expect.arrayContaining(keys));
    const log = metadata['metadata-log'] as { 'metadata-file': string }[];
    const before = log.map((entry) => entry['metadata-file']);
    expect(before.slice(1)).toEqual(
      expect.arrayContaining(answered.map((one) => one['metadata-location']).filter((one) => one !== current)),
    );
    expect(await listFiles()).toHaveLength(keys.length + 1);
  });

  test('one that is refused when its pointer is swapped takes nobody with it, and leaves nothing', async () => {
    const { load, commit, listFiles, location, otherLocation } = await open();
    const move = { updates: [{ action: 'set-location', location: otherLocation }] };
    const sent = [0, 1, 2, 3, 4, 5].map((n) => commit(n === 1 || n === 4 ? move : setProperty({ [`key-${n}`]: 'x' })));
    expect(await statusesOf(sent)).toEqual([200, 400, 200, 200, 400, 200]);
    const { metadata } = await load();
    expect(metadata.location).toBe(location);
    expect(metadata.properties).toMatchObject({ 'key-0': 'x', 'key-2': 'x', 'key-3': 'x', 'key-5': 'x' });
    expect(metadata['metadata-log']).toHaveLength(4);
    expect(await listFiles()).toHaveLength(5);
  });

  test('of several that require the same, one takes effect, and the refused see it when they look', async () => {
    const { load, commit, location } = await open();
    const requirement = '{"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null}';
    const append = (id: number) =>
      commit(`{"requirements":[${requirement}],"updates":[${appendSnapshot(location, id, 1)}]}`);
    const seen: unknown[] = [];
    const sent = [1, 2, 3, 4].map(async (id) => {
      const answer = await append(id);
      if (answer.status === 409) seen.push((await load()).metadata['current-snapshot-id']);
      return answer;
    });
    const statuses = await statusesOf(sent);
    expect([...statuses].sort()).toEqual([200, 409, 409, 409]);
    const winner = statuses.indexOf(200) + 1;
    expect(seen).toEqual([winner, winner, winner]);
    expect((await load()).metadata.snapshots).toHaveLength(1);
  });

  test('one that changes nothing is answered with what is there', async () => {
    const { load, commit } = await open();
    const nothing = { requirements: [], updates: [] };
    const all = async (bodies: object[]) =>
      (await Promise.all(bodies.map((body) => commit(body)))).map(({ status, json }) => {
        expect(status).toBe(200);
        return json as Loaded;
      });
    const [first] = await all([setProperty({ key: 'a' })]);
    const answers = await all([nothing, nothing, setProperty({ key: 'b' }), nothing]);
    const second = answers[2];
    expect(second?.metadata.properties.key).toBe('b');
    // Which of them comes first is for the database to say.
    for (const answer of answers) expect([first, second]).toContainEqual(answer);
    expect((await load()).metadata['metadata-log']).toHaveLength(2);
  });

  test('transactions over two tables among them are whole, also those of which one half is refused', async () => {
    const { catalog, load, commit, otherLocation } = await open();
    const wrong = { requirements: [{ type: 'assert-table-uuid', uuid: 'somebody-else' }], updates: [] };
    const taken = { updates: [{ action: 'set-location', location: otherLocation }] };
    const transact = (first: object, second: object) =>
      catalog.send('POST', 'transactions/commit', inBoth(first, second));
    const sent = [0, 1, 2, 3].flatMap((n) => [
      commit(setProperty({ [`alone-${n}`]: 'x' })),
      transact(setProperty({ [`both-${n}`]: 'x' }), setProperty({ [`both-${n}`]: 'x' })),
      transact(setProperty({ [`never-${n}`]: 'x' }), wrong),
      transact(taken, setProperty({ [`never-${n}`]: 'x' })),
      commit(setProperty({ [`other-${n}`]: 'x' }), 'other'),
    ]);
    expect(await statusesOf(sent)).toEqual([0, 1, 2, 3].flatMap(() => [200, 204, 409, 400, 200]));
    const inTable = Object.keys((await load()).metadata.properties);
    const inOther = Object.keys((await catalog.ok<Loaded>('GET', `${TABLES}/other`)).metadata.properties);
    const named = (...kinds: string[]) => kinds.flatMap((kind) => [0, 1, 2, 3].map((n) => `${kind}-${n}`)).sort();
    const ours = (names: string[]) => names.filter((name) => /-\d$/.test(name)).sort();
    expect(ours(inTable)).toEqual(named('alone', 'both'));
    expect(ours(inOther)).toEqual(named('both', 'other'));
  });

  test('one whose file cannot be written takes nobody with it', async () => {
    const { load, commit, listFiles, writing } = await open();
    const full = new PangolinError('storage_full', 'The disk is full.');
    await writing(/"key-1"/, () => Promise.reject(full));
    const statuses = await statusesOf([0, 1, 2, 3].map((n) => commit(setProperty({ [`key-${n}`]: 'x' }))));
    expect(statuses).toEqual([200, 503, 200, 200]);
    expect(Object.keys((await load()).metadata.properties)).toEqual(
      expect.arrayContaining(['key-0', 'key-2', 'key-3']),
    );
    expect((await load()).metadata.properties).not.toHaveProperty('key-1');
    expect(await listFiles()).toHaveLength(4);
  });

  test('never go to another table that takes the name in between', async () => {
    const { catalog, commit, writing } = await open();
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    const { begun } = await writing(/"early"/, () => gate);
    const early = commit(setProperty({ early: 'x' }));
    await begun;
    const rename = { source: { namespace: ['ns'], name: 'tbl' }, destination: { namespace: ['ns'], name: 'moved' } };
    await catalog.ok('POST', 'tables/rename', rename);
    await catalog.ok('POST', TABLES, { name: 'tbl', schema: SCHEMA });
    const late = commit(setProperty({ late: 'x' }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    goOn();
    expect(await statusesOf([early, late])).toEqual([200, 200]);
    const moved = (await catalog.ok<Loaded>('GET', `${TABLES}/moved`)).metadata.properties;
    const fresh = (await catalog.ok<Loaded>('GET', `${TABLES}/tbl`)).metadata.properties;
    expect([moved.early, moved.late, fresh.early, fresh.late]).toEqual(['x', undefined, undefined, 'x']);
  });

  test('of several that create one table, one does', async () => {
    const { catalog } = await open();
    const body = { name: 'new', schema: SCHEMA };
    const sent = [0, 1, 2, 3].map(() => catalog.send('POST', TABLES, body));
    expect((await statusesOf(sent)).sort()).toEqual([200, 409, 409, 409]);
    const { metadata } = await catalog.ok<Loaded>('GET', `${TABLES}/new`);
    expect(await readdir(join(fileURLToPath(metadata.location), 'metadata'))).toHaveLength(1);
  });
});
