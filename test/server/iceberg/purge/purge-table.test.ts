import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PangolinError } from '@pangolin/shared/errors';
import { describe, expect, test } from 'vitest';
import type { TableMetadata } from '../../../../packages/server/src/iceberg/metadata/table-metadata.ts';
import { purgeTable } from '../../../../packages/server/src/iceberg/purge/purge-table.ts';
import { openLocalWarehouse } from '../../../../packages/server/src/iceberg/warehouse/local.ts';
import { isWithin } from '../../../../packages/server/src/iceberg/warehouse/location.ts';
import type { Warehouse } from '../../../../packages/server/src/iceberg/warehouse/warehouse.ts';
import { createFolder, createRecordingLog } from '../../harness.ts';
import { bytes, createContainer, long } from './avro-container.ts';

const MANIFEST_LIST = { type: 'record', name: 'm', fields: [{ name: 'manifest_path', type: 'string' }] };
const MANIFEST = {
  ...{ type: 'record', name: 'e' },
  fields: [
    { name: 'status', type: 'int' },
    {
      name: 'data_file',
      type: { type: 'record', name: 'f', fields: [{ name: 'file_path', type: 'string' }] },
    },
  ],
};

const createList = (...paths: string[]) =>
  createContainer({ schema: MANIFEST_LIST, blocks: [{ count: paths.length, data: Buffer.concat(paths.map(bytes)) }] });
const createManifest = (...paths: string[]) => {
  const data = Buffer.concat(paths.flatMap((path) => [long(1), bytes(path)]));
  return createContainer({ schema: MANIFEST, blocks: [{ count: paths.length, data }] });
};

const snapshot = (id: number, list: object) => ({ 'snapshot-id': id, 'timestamp-ms': id, ...list });

/** A table of two snapshots that share a manifest, in a warehouse with another table beside it. */
async function createTable() {
  const root = await createFolder();
  const warehouse = openLocalWarehouse(`file://${root}/wh`);
  const wh = warehouse.root;
  const t = `${wh}/sales/t`;
  const write = async (location: string, content: string | Uint8Array = '') => {
    const path = location.replace('file://', '');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  };
  const metadata = {
    ...{ 'format-version': 2, 'table-uuid': 'a7b3', location: t, properties: {} },
    snapshots: [
      snapshot(1, { 'manifest-list': `${t}/metadata/snap-1.avro` }),
      snapshot(2, { 'manifest-list': `${t}/metadata/snap-2.avro` }),
      snapshot(3, { manifests: [`${t}/metadata/m3.avro`] }),
    ],
    statistics: [{ 'snapshot-id': 1, 'statistics-path': `${t}/metadata/s.puffin` }],
    'partition-statistics': [{ 'snapshot-id': 1, 'statistics-path': `${t}/metadata/p.parquet` }],
    'metadata-log': [{ 'timestamp-ms': 1, 'metadata-file': `${t}/metadata/00000-a.metadata.json` }],
  } as unknown as TableMetadata;
  const metadataLocation = `${t}/metadata/00001-b.metadata.json`;
  await write(`${t}/metadata/snap-1.avro`, createList(`${t}/metadata/m1.avro`));
  await write(`${t}/metadata/snap-2.avro`, createList(`${t}/metadata/m1.avro`, `${t}/metadata/m2.avro`));
  await write(`${t}/metadata/m1.avro`, createManifest(`${t}/data/a.parquet`, `${t}/data/day=2026%2F01/b c.parquet`));
  await write(`${t}/metadata/m2.avro`, createManifest(`${t}/data/dv.puffin`, `${t.replace('///', '/')}/data/eq.avro`));
  await write(`${t}/metadata/m3.avro`, createManifest(`${t}/data/old.parquet`));
  for (const name of ['a.parquet', 'day=2026%2F01/b c.parquet', 'dv.puffin', 'eq.avro', 'old.parquet']) {
    await write(`${t}/data/${name}`);
  }
  for (const name of ['s.puffin', 'p.parquet', '00000-a.metadata.json', '00001-b.metadata.json']) {
    await write(`${t}/metadata/${name}`);
  }
  const others = [
    `${wh}/sales/t2/data/x.parquet`,
    `${wh}/sales/other/data/x.parquet`,
    `file://${root}/outside.parquet`,
  ];
  for (const location of others) await write(location);
  const logs: string[] = [];
  return {
    root,
    t,
    write,
    logs,
    metadata,
    /** Every file below the root, named from there. */
    async files() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      return files.map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)).sort();
    },
    purge: (through: Warehouse = warehouse) =>
      purgeTable(
        { log: createRecordingLog(logs) },
        { warehouse: through, metadata, metadataLocation, mayDelete: (file) => isWithin(t, file) },
      ),
    warehouse,
  };
}

const OTHERS = ['outside.parquet', 'wh/sales/other/data/x.parquet', 'wh/sales/t2/data/x.parquet'];

describe('purging a dropped table', () => {
  test('every file its metadata leads to is deleted, and nothing else', async () => {
    const table = await createTable();
    await table.write(`${table.t}/data/nobody-names-this.parquet`);
    expect(await table.purge()).toEqual({ removed: 14, refused: 0, unreadable: 0, isComplete: true });
    expect(await table.files()).toEqual([...OTHERS, 'wh/sales/t/data/nobody-names-this.parquet'].sort());
  });

  test('what a manifest names outside the table’s directory stays, and is not read', async () => {
    const table = await createTable();
    const { t, root } = table;
    const foreign = [
      `file://${root}/outside.parquet`,
      `file://${root}/wh/sales/other/data/x.parquet`,
      `${t}2/data/x.parquet`,
      `${t}/../t2/data/x.parquet`,
      `${t}/data/../../t2/data/x.parquet`,
      's3://bucket/x.parquet',
      'https://example.com/x.parquet',
      '/etc/passwd',
      '',
      'x\0y',
    ];
    await table.write(`${t}/metadata/m1.avro`, createManifest(...foreign, `${t}/data/a.parquet`));
    const list = `file://${root}/wh/sales/other/metadata/m.avro`;
    await table.write(list, createManifest(`${t}/data/never.parquet`));
    await table.write(`${t}/data/never.parquet`);
    await table.write(`${t}/metadata/snap-1.avro`, createList(`${t}/metadata/m1.avro`, list));
    const purged = await table.purge();
    expect(purged).toMatchObject({ refused: foreign.length + 1, unreadable: 0, isComplete: true });
    expect(await table.files()).toEqual(
      expect.arrayContaining([...OTHERS, 'wh/sales/other/metadata/m.avro', 'wh/sales/t/data/never.parquet']),
    );
    expect(await table.files()).not.toContain('wh/sales/t/data/a.parquet');
  });

  test('a table whose files are partly or all gone already is purged without complaint', async () => {
    const table = await createTable();
    await table.warehouse.remove([`${table.t}/metadata/m1.avro`, `${table.t}/data/dv.puffin`]);
    expect(await table.purge()).toMatchObject({ refused: 0, unreadable: 0, isComplete: true });
    expect(await table.purge()).toMatchObject({ refused: 0, unreadable: 0, isComplete: true });
    const data = ['a.parquet', 'day=2026%2F01/b c.parquet'].map((name) => `wh/sales/t/data/${name}`);
    expect(await table.files()).toEqual([...OTHERS, ...data].sort());
  });

  test('a manifest that is no Avro file is logged once, counted once, and keeps nothing else from being deleted', async () => {
    const table = await createTable();
    await table.write(`${table.t}/metadata/m1.avro`, 'not Avro');
    await table.write(`${table.t}/metadata/snap-1.avro`, createList(`${table.t}/metadata/m1.avro`).subarray(0, -3));
    expect(await table.purge()).toMatchObject({ refused: 0, unreadable: 2, isComplete: true });
    expect(await table.files()).toEqual(
      [...OTHERS, 'wh/sales/t/data/a.parquet', 'wh/sales/t/data/day=2026%2F01/b c.parquet'].sort(),
    );
    expect(table.logs.filter((line) => line.includes('a manifest cannot be read'))).toHaveLength(2);
  });

  test('a directory that a manifest names stays, and so do its files; the rest is deleted', async () => {
    const table = await createTable();
    await table.write(`${table.t}/keep/me.txt`);
    await table.write(`${table.t}/metadata/m3.avro`, createManifest(`${table.t}/keep`, `${table.t}/data/old.parquet`));
    expect(await table.purge()).toMatchObject({ isComplete: true });
    expect(await table.files()).toEqual([...OTHERS, 'wh/sales/t/keep/me.txt'].sort());
  });

  test('data files go first and the current metadata file last, never in one batch with what leads to them', async () => {
    const table = await createTable();
    const batches: string[][] = [];
    const remove = async (locations: readonly string[]) => {
      batches.push(locations.map((location) => location.slice(table.t.length + 1)));
    };
    await table.purge({ ...table.warehouse, remove });
    const data = ['data/a.parquet', 'data/day=2026%2F01/b c.parquet', 'data/dv.puffin', 'data/eq.avro'];
    expect(batches).toEqual([
      [...data, 'data/old.parquet'],
      ['metadata/m1.avro', 'metadata/m2.avro', 'metadata/m3.avro'],
      ['metadata/snap-1.avro', 'metadata/snap-2.avro', 'metadata/s.puffin', 'metadata/p.parquet'],
      ['metadata/00000-a.metadata.json'],
      ['metadata/00001-b.metadata.json'],
    ]);
  });

  test('a purge that the storage cuts off rejects nothing, says so in the log, and can be repeated', async () => {
    const table = await createTable();
    let calls = 0;
    const failing: Warehouse = {
      ...table.warehouse,
      async remove(locations) {
        calls += 1;
        if (calls === 2) throw new PangolinError('unavailable', 'The storage does not answer.');
        await table.warehouse.remove(locations);
      },
    };
    expect(await table.purge(failing)).toMatchObject({ removed: 5, isComplete: false });
    expect(table.logs.at(-1)).toContain('could not all be deleted');
    expect(await table.files()).toContain('wh/sales/t/metadata/m1.avro');
    expect(await table.purge()).toMatchObject({ isComplete: true });
    expect(await table.files()).toEqual(OTHERS);
  });

  test('a hundred thousand data files are deleted a thousand at a time', async () => {
    const table = await createTable();
    const paths = Array.from({ length: 100_000 }, (_, index) => `${table.t}/data/${index}.parquet`);
    await table.write(`${table.t}/metadata/m3.avro`, createManifest(...paths));
    const sizes: number[] = [];
    const remove = async (locations: readonly string[]) => void sizes.push(locations.length);
    expect(await table.purge({ ...table.warehouse, remove })).toMatchObject({ removed: 100_013, isComplete: true });
    expect(Math.max(...sizes)).toBe(1_000);
  });
});
