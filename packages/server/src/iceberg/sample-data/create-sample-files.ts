import type { Int64 } from '../json.ts';
import { stringifyJson } from '../json.ts';
import type { Schema, Snapshot } from '../metadata/table-metadata.ts';
import { type AvroValue, writeAvroFile } from './avro-writer.ts';
import { type DataFile, writeDataFile } from './data-file.ts';
import { MANIFEST_ENTRY, MANIFEST_FILE } from './manifest-schemas.ts';
import { createSightings } from './sightings.ts';

export interface SampleFiles {
  /** In the order they are to be written in: whatever names a file comes after it. */
  files: { location: string; content: Uint8Array }[];
  /** What makes them the table's content. */
  snapshot: Snapshot;
}

const ROWS_PER_FILE = 100;
const STATUS_ADDED = 1;
/** Data, in both of the enumerations that have it. */
const CONTENT_DATA = 0;

/**
 * Makes the first snapshot of the sample table, without writing anything: two Parquet files of 100 rows, their manifest and
 * its list, for a table of format version 2 with no partitions and the columns of `SIGHTINGS_COLUMNS`.
 */
export async function createSampleFiles(input: {
  /** The table's. */
  location: string;
  /** As the table has it: the columns' ids are its. */
  schema: Schema;
  snapshotId: Int64;
  sequenceNumber: Int64;
  /** Milliseconds since 1970. */
  nowMs: number;
  newUuid(): string;
}): Promise<SampleFiles> {
  const { location, schema, snapshotId, sequenceNumber, newUuid } = input;
  const writeId = newUuid();
  const sync = Buffer.from(writeId.replaceAll('-', ''), 'hex');
  const ids = new Map(schema.fields.map(({ name, id }) => [name, id]));
  const rows = createSightings();

  const dataFiles: { location: string; file: DataFile }[] = [];
  for (let start = 0; start < rows.length; start += ROWS_PER_FILE) {
    dataFiles.push({
      location: `${location}/data/${String(dataFiles.length).padStart(5, '0')}-${writeId}.parquet`,
      file: await writeDataFile(rows.slice(start, start + ROWS_PER_FILE), ids),
    });
  }
  const manifest = {
    location: `${location}/metadata/${writeId}-m0.avro`,
    content: writeAvroFile({
      schema: MANIFEST_ENTRY,
      metadata: {
        schema: stringifyJson(schema),
        'schema-id': String(schema['schema-id']),
        'partition-spec': '[]',
        'partition-spec-id': '0',
        'format-version': '2',
        content: 'data',
      },
      sync,
      // The sequence numbers are inherited from the manifest list.
      records: dataFiles.map((dataFile) => ({
        status: STATUS_ADDED,
        snapshot_id: snapshotId,
        sequence_number: null,
        file_sequence_number: null,
        data_file: describeDataFile(dataFile),
      })),
    }),
  };
  const manifestList = {
    location: `${location}/metadata/snap-${snapshotId}-1-${writeId}.avro`,
    content: writeAvroFile({
      schema: MANIFEST_FILE,
      metadata: {
        'snapshot-id': String(snapshotId),
        'parent-snapshot-id': 'null',
        'sequence-number': String(sequenceNumber),
        'format-version': '2',
      },
      sync,
      records: [
        {
          manifest_path: manifest.location,
          manifest_length: manifest.content.length,
          partition_spec_id: 0,
          content: CONTENT_DATA,
          sequence_number: sequenceNumber,
          min_sequence_number: sequenceNumber,
          added_snapshot_id: snapshotId,
          added_files_count: dataFiles.length,
          existing_files_count: 0,
          deleted_files_count: 0,
          added_rows_count: rows.length,
          existing_rows_count: 0,
          deleted_rows_count: 0,
          partitions: [],
          key_metadata: null,
        },
      ],
    }),
  };
  return {
    files: [
      ...dataFiles.map((dataFile) => ({ location: dataFile.location, content: dataFile.file.content })),
      manifest,
      manifestList,
    ],
    snapshot: {
      'snapshot-id': snapshotId,
      'sequence-number': sequenceNumber,
      'timestamp-ms': input.nowMs,
      'manifest-list': manifestList.location,
      summary: summarize(dataFiles.map(({ file }) => file)),
      'schema-id': schema['schema-id'],
    },
  };
}

const describeDataFile = ({ location, file }: { location: string; file: DataFile }) => ({
  content: CONTENT_DATA,
  file_path: location,
  file_format: 'PARQUET',
  partition: {},
  record_count: file.recordCount,
  file_size_in_bytes: file.content.length,
  column_sizes: toPairs(file.columnSizes),
  value_counts: toPairs(file.valueCounts),
  null_value_counts: toPairs(file.nullValueCounts),
  nan_value_counts: toPairs(file.nanValueCounts),
  lower_bounds: toPairs(file.lowerBounds),
  upper_bounds: toPairs(file.upperBounds),
  key_metadata: null,
  split_offsets: file.splitOffsets,
  equality_ids: null,
  sort_order_id: null,
});

const toPairs = (entries: readonly [number, AvroValue][]) => entries.map(([key, value]) => ({ key, value }));

function summarize(files: readonly DataFile[]): Record<string, string> {
  const total = (measure: (file: DataFile) => number) => String(files.reduce((sum, file) => sum + measure(file), 0));
  const [records, bytes] = [total((file) => file.recordCount), total((file) => file.content.length)];
  return {
    operation: 'append',
    'added-data-files': String(files.length),
    'added-records': records,
    'added-files-size': bytes,
    'total-data-files': String(files.length),
    'total-records': records,
    'total-files-size': bytes,
    'total-delete-files': '0',
    'total-position-deletes': '0',
    'total-equality-deletes': '0',
  };
}
