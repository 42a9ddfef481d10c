import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { describe, expect, test } from 'vitest';
import type { Schema } from '../../../../packages/server/src/iceberg/metadata/table-metadata.ts';
import { readManifest, readManifestList } from '../../../../packages/server/src/iceberg/purge/manifests.ts';
import { createSampleFiles } from '../../../../packages/server/src/iceberg/sample-data/create-sample-files.ts';
import { createSightings, SIGHTINGS_COLUMNS } from '../../../../packages/server/src/iceberg/sample-data/sightings.ts';

const LOCATION = 's3://bucket/wh/sample/sightings';
const SNAPSHOT_ID = 6839985015861487575n;
const WRITE_ID = '0f8fad5b-d9cb-469f-a165-70867728950e';

/** With ids that a server may have chosen. */
const SCHEMA: Schema = {
  ...{ 'schema-id': 3, type: 'struct' },
  fields: SIGHTINGS_COLUMNS.map((column) => ({ ...column, id: column.id + 20 })),
};

const createFiles = () =>
  createSampleFiles({
    ...{ location: LOCATION, schema: SCHEMA, snapshotId: SNAPSHOT_ID, sequenceNumber: 1 },
    ...{ nowMs: 1_790_000_000_000, newUuid: () => WRITE_ID },
  });

const collect = async (paths: AsyncIterable<string>) => {
  const found: string[] = [];
  for await (const path of paths) found.push(path);
  return found;
};

const bufferOf = (content: Uint8Array) => new Uint8Array(content).buffer;

describe('the sample table’s files', () => {
  test('lead from the snapshot to the data, all of it in the table’s directory, and each after what it names', async () => {
    const { files, snapshot } = await createFiles();
    expect(files.map(({ location }) => location.replace(LOCATION, ''))).toEqual([
      `/data/00000-${WRITE_ID}.parquet`,
      `/data/00001-${WRITE_ID}.parquet`,
      `/metadata/${WRITE_ID}-m0.avro`,
      `/metadata/snap-${SNAPSHOT_ID}-1-${WRITE_ID}.avro`,
    ]);
    const [first, second, manifest, list] = files;
    expect(snapshot['manifest-list']).toBe(list?.location);
    expect(await collect(readManifestList(list?.content ?? Buffer.alloc(0)))).toEqual([manifest?.location]);
    expect(await collect(readManifest(manifest?.content ?? Buffer.alloc(0)))).toEqual([
      first?.location,
      second?.location,
    ]);
  });

  test('are the same bytes for the same input', async () => {
    expect(await createFiles()).toEqual(await createFiles());
  });

  test('hold the 200 rows, in columns with the table’s ids', async () => {
    const { files, snapshot } = await createFiles();
    const data = files.filter(({ location }) => location.endsWith('.parquet'));
    const rows = await Promise.all(data.map(({ content }) => parquetReadObjects({ file: bufferOf(content) })));
    const expected = createSightings().map((row) => ({
      ...row,
      seen_at: new Date(Number(row.seen_at / 1_000n)),
      seen_on: new Date(row.seen_on * 86_400_000),
    }));
    expect(rows.flat()).toEqual(expected);
    for (const { content } of data) {
      const { schema } = parquetMetadata(bufferOf(content));
      expect(schema.slice(1).map(({ name, field_id }) => [name, field_id])).toEqual(
        SCHEMA.fields.map(({ name, id }) => [name, id]),
      );
    }
    const bytes = data.reduce((sum, { content }) => sum + content.length, 0);
    expect(snapshot).toEqual({
      ...{ 'snapshot-id': SNAPSHOT_ID, 'sequence-number': 1, 'timestamp-ms': 1_790_000_000_000, 'schema-id': 3 },
      'manifest-list': files.at(-1)?.location,
      summary: {
        ...{ operation: 'append', 'added-data-files': '2', 'added-records': '200', 'added-files-size': String(bytes) },
        ...{ 'total-data-files': '2', 'total-records': '200', 'total-files-size': String(bytes) },
        ...{ 'total-delete-files': '0', 'total-position-deletes': '0', 'total-equality-deletes': '0' },
      },
    });
  });
});
