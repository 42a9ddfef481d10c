import { DatabaseSync } from '@photostructure/sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { appendTo, createIcebergClient, type IcebergClient, readHistory, setProperties } from './iceberg-client.ts';
import { type Server, startServer } from './start-server.ts';

const WRITERS = 3;
const COMMITS = 20;
const APPENDS = 8;

let box: Box;
let servers: Server[];
let clients: IcebergClient[];
beforeAll(async () => {
  box = await openBox();
  const token = (await box.user(['get-token', '--role', 'tenant-admin'])).stdout.trim();
  servers = await Promise.all([startServer(box), startServer(box)]);
  clients = servers.map(({ origin }) => createIcebergClient(() => origin, token));
  const [client] = clients as [IcebergClient];
  expect((await client.createNamespace()).status).toBe(200);
  const properties = { 'write.metadata.previous-versions-max': '1000' };
  expect((await client.createTable('shared', properties)).status).toBe(200);
  expect((await client.createTable('other')).status).toBe(200);
});
afterAll(() => box.remove());

describe('two servers over one data directory, writing to one table at once', () => {
  const set: string[] = [];
  const appended: number[] = [];
  const refused: number[] = [];
  const unexpected: unknown[] = [];
  let serial = 0;

  async function setAgain(client: IcebergClient, isTogether: boolean): Promise<void> {
    for (let n = 0; n < COMMITS; n += 1) {
      serial += 1;
      const key = `key-${serial}`;
      const change = (table: string) => ({ table, updates: [setProperties({ [key]: 'x' })] });
      const answer = isTogether
        ? await client.commitTogether([change('shared'), change('other')])
        : await client.commit(change('shared'));
      if (answer.status === 200 || answer.status === 204) set.push(key);
      else unexpected.push(answer);
    }
  }

  /** As a client appends: it reads, commits what holds only for what it read, and starts again when it was too late. */
  async function appendAgain(client: IcebergClient): Promise<void> {
    for (let done = 0; done < APPENDS; ) {
      const table = JSON.parse((await client.load('shared')).text);
      serial += 1;
      const id = serial;
      const answer = await client.commit(appendTo('shared', table, id));
      if (answer.status === 200) appended.push(id);
      else if (answer.status === 409) refused.push(id);
      else unexpected.push(answer);
      if (answer.status === 200) done += 1;
    }
  }

  beforeAll(async () => {
    const work = clients.flatMap((client) => [
      ...Array.from({ length: WRITERS }, () => setAgain(client, false)),
      setAgain(client, true),
      appendAgain(client),
      appendAgain(client),
    ]);
    await Promise.all(work);
  }, 90_000);

  test('no commit that requires nothing is refused', () => {
    expect(unexpected).toEqual([]);
    expect(set).toHaveLength(clients.length * (WRITERS + 1) * COMMITS);
    expect(appended).toHaveLength(clients.length * 2 * APPENDS);
  });

  test('both servers show every acknowledged commit, and none that was refused', async () => {
    const [one, other] = (await Promise.all(clients.map((client) => client.readSound('shared')))) as [Table, Table];
    expect(one).toEqual(other);
    expect(Object.keys(one.metadata.properties)).toEqual(expect.arrayContaining(set));
    expect(readHistory(one).sort(byNumber)).toEqual([...appended].sort(byNumber));
    expect(refused.length).toBeGreaterThan(0);
  });

  test('every commit took effect once: as many swaps, files in the log and audit records as acknowledgements', async () => {
    const { metadata } = await (clients[0] as IcebergClient).readSound('shared');
    const files = metadata['metadata-log'].map((entry) => entry['metadata-file']);
    const commits = set.length + appended.length;
    expect(new Set(files).size).toBe(commits);
    const db = new DatabaseSync(`${box.dataDir}/pangolin.db`, { readOnly: true });
    const row = db
      .prepare(`
        select version, (select count(*) from audit_events e where e.resource_id = o.id
          and e.action = 'table.updated' and e.result = 'success') as recorded
        from catalog_objects o where name = 'shared'`)
      .get();
    db.close();
    expect(row).toEqual({ version: commits, recorded: commits });
    const numbers = files.map((file) => Number(/(\d+)-[^/]+$/.exec(file)?.[1]));
    expect(numbers).toEqual(numbers.map((_, index) => index));
  });
});

type Table = Awaited<ReturnType<IcebergClient['readSound']>>;

const byNumber = (a: number, b: number) => a - b;
