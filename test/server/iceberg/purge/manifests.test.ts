import { describe, expect, test } from 'vitest';
import { readManifest, readManifestList } from '../../../../packages/server/src/iceberg/purge/manifests.ts';
import {
  type AvroRecordSchema,
  writeAvroFile,
} from '../../../../packages/server/src/iceberg/sample-data/avro-writer.ts';
import { MANIFEST_ENTRY, MANIFEST_FILE } from '../../../../packages/server/src/iceberg/sample-data/manifest-schemas.ts';
import { bytes, createContainer, long } from './avro-container.ts';
import { MANIFESTS_BY_FASTAVRO } from './manifests-by-fastavro.ts';

const collect = async (paths: AsyncIterable<string>): Promise<string[]> => {
  const found: string[] = [];
  for await (const path of paths) found.push(path);
  return found;
};

describe('reading manifests', () => {
  test.each(Object.keys(MANIFESTS_BY_FASTAVRO))(
    'another library’s, compressed with %s, names what is live',
    async (codec) => {
      const manifest = Buffer.from(MANIFESTS_BY_FASTAVRO[codec] ?? '', 'base64');
      expect(await collect(readManifest(manifest))).toEqual([
        's3://b/t/data/a.parquet',
        's3://b/t/data/pos.parquet',
        's3://b/t/data/eq.avro',
        's3://b/t/data/dv.puffin',
      ]);
    },
  );

  test('what was written here is read here, whatever else an entry holds', async () => {
    const sync = Buffer.alloc(16, 1);
    const pairs = [{ key: 1, value: 2n ** 62n }];
    const bounds = [{ key: 1, value: Buffer.alloc(500) }];
    const entry = (status: number, path: string) => ({
      status,
      snapshot_id: -(2n ** 63n),
      sequence_number: 2n ** 63n - 1n,
      file_sequence_number: null,
      data_file: {
        ...{ content: 0, file_path: path, file_format: 'PARQUET', partition: {}, record_count: 1 },
        ...{ file_size_in_bytes: 2n ** 60n, column_sizes: pairs, value_counts: [], null_value_counts: null },
        ...{
          nan_value_counts: null,
          lower_bounds: bounds,
          upper_bounds: bounds,
          key_metadata: bounds[0]?.value ?? null,
        },
        ...{ split_offsets: [4, 2n ** 40n], equality_ids: null, sort_order_id: 0 },
      },
    });
    const records = Array.from({ length: 3_000 }, (_, index) => entry(index % 3, `s3://bücket/t/${index}`));
    const manifest = writeAvroFile({ schema: MANIFEST_ENTRY, metadata: {}, sync, records });
    const live = records.filter(({ status }) => status !== 2).map((record) => record.data_file.file_path);
    expect(await collect(readManifest(manifest))).toEqual(live);
  });

  test('a manifest list names manifests', async () => {
    const names = [
      ...['manifest_length', 'partition_spec_id', 'content', 'sequence_number', 'min_sequence_number'],
      ...['added_snapshot_id', 'added_files_count', 'existing_files_count', 'deleted_files_count'],
      ...['added_rows_count', 'existing_rows_count', 'deleted_rows_count'],
    ];
    const numbers = Object.fromEntries(names.map((name) => [name, 2n ** 40n]));
    const records = ['s3://b/m0.avro', 's3://b/m1.avro'].map((path) => ({
      ...{ manifest_path: path, ...numbers, partitions: [], key_metadata: null },
    }));
    const list = writeAvroFile({ schema: MANIFEST_FILE, metadata: {}, sync: Buffer.alloc(16), records });
    expect(await collect(readManifestList(list))).toEqual(['s3://b/m0.avro', 's3://b/m1.avro']);
  });

  test('arrays and maps in several blocks, also ones that say their size, are skipped', async () => {
    const field = (name: string, type: unknown) => ({ name, type });
    const schema = {
      ...{ type: 'record', name: 'm' },
      fields: [
        field('longs', { type: 'array', items: 'long' }),
        field('map', { type: 'map', values: ['null', 'double'] }),
        field('kind', { type: 'enum', name: 'e', symbols: ['a', 'b'] }),
        field('again', 'e'),
        field('manifest_path', ['null', 'string']),
        field('flag', 'boolean'),
        field('ratio', 'float'),
      ],
    };
    const data = Buffer.concat([
      ...[long(2), long(-1n), long(2n ** 62n), long(-2), long(2), long(1), long(2), long(0)],
      ...[long(1), bytes('key'), long(1), Buffer.alloc(8), long(0)],
      ...[long(1), long(0), long(1), bytes('s3://b/m0.avro'), Buffer.from([1]), Buffer.alloc(4)],
    ]);
    const list = createContainer({
      schema,
      blocks: [
        { count: 1, data },
        { count: 0, data: Buffer.alloc(0) },
      ],
    });
    expect(await collect(readManifestList(list))).toEqual(['s3://b/m0.avro']);
  });

  test('a file of other records is refused', async () => {
    const schema: AvroRecordSchema = { type: 'record', name: 'r', fields: [{ name: 'a', type: 'int' }] };
    const file = writeAvroFile({ schema, metadata: {}, sync: Buffer.alloc(16), records: [{ a: 1 }] });
    await expect(collect(readManifest(file))).rejects.toThrow(
      'The file is not a valid Avro file: its schema has no field "status".',
    );
  });
});
