import type { RowGroup } from 'hyparquet';
import { SIGHTINGS_COLUMNS, type Sighting } from './sightings.ts';

type Column = (typeof SIGHTINGS_COLUMNS)[number];
type Cell = Sighting[Column['name']];

/** A Parquet file, and what a manifest says of it; the statistics are by column ids. */
export interface DataFile {
  content: Uint8Array;
  recordCount: number;
  /** Where its row groups begin. */
  splitOffsets: number[];
  /** In bytes. */
  columnSizes: [id: number, size: number][];
  valueCounts: [id: number, count: number][];
  nullValueCounts: [id: number, count: number][];
  nanValueCounts: [id: number, count: number][];
  lowerBounds: [id: number, value: Uint8Array][];
  upperBounds: [id: number, value: Uint8Array][];
}

/** Iceberg's types as Parquet has them (Iceberg table spec, appendix A, "Parquet"). */
const PARQUET_TYPES = {
  long: { type: 'INT64' },
  timestamptz: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
  date: { type: 'INT32', converted_type: 'DATE', logical_type: { type: 'DATE' } },
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
} as const;

/** Writes rows into a Parquet file whose columns have `ids`, by name. */
export async function writeDataFile(rows: readonly Sighting[], ids: ReadonlyMap<string, number>): Promise<DataFile> {
  const [{ parquetWriteBuffer }, { parquetMetadata }] = await Promise.all([
    import('hyparquet-writer'),
    import('hyparquet'),
  ]);
  const columns = SIGHTINGS_COLUMNS.map((column) => {
    const cells: Cell[] = rows.map((row) => row[column.name]);
    const values = cells.filter((cell) => cell !== null).sort(compare);
    return { ...column, id: ids.get(column.name) ?? column.id, cells, values };
  });
  const buffer = parquetWriteBuffer({
    schema: [
      { name: 'table', num_children: columns.length },
      ...columns.map(({ name, id, type, required }) => ({
        name,
        field_id: id,
        repetition_type: required ? ('REQUIRED' as const) : ('OPTIONAL' as const),
        ...PARQUET_TYPES[type],
      })),
    ],
    columnData: columns.map(({ name, cells }) => ({ name, data: cells })),
    createdBy: 'pangolin',
  });
  const bounds = (side: 0 | -1) =>
    columns.flatMap(({ id, type, values }): [number, Uint8Array][] => {
      const value = values.at(side);
      return value === undefined ? [] : [[id, serializeValue(type, value)]];
    });
  const { row_groups: groups } = parquetMetadata(buffer);
  const sizeOf = (index: number) =>
    groups.reduce((sum, group) => sum + Number(group.columns[index]?.meta_data?.total_compressed_size ?? 0), 0);
  return {
    content: new Uint8Array(buffer),
    recordCount: rows.length,
    splitOffsets: groups.map(offsetOf),
    columnSizes: columns.map(({ id }, index) => [id, sizeOf(index)]),
    valueCounts: columns.map(({ id, cells }) => [id, cells.length]),
    nullValueCounts: columns.map(({ id, cells, values }) => [id, cells.length - values.length]),
    nanValueCounts: columns.filter(({ type }) => type === 'double').map(({ id }) => [id, 0]),
    lowerBounds: bounds(0),
    upperBounds: bounds(-1),
  };
}

function offsetOf({ columns: [first] }: RowGroup): number {
  return Number(first?.meta_data?.dictionary_page_offset ?? first?.meta_data?.data_page_offset ?? 0);
}

/** A value as a bound (Iceberg table spec, appendix D, "Binary single-value serialization"). */
function serializeValue(type: Column['type'], value: NonNullable<Cell>): Uint8Array {
  if (typeof value === 'string') return Buffer.from(value);
  if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
  const bytes = Buffer.alloc(type === 'date' ? 4 : 8);
  if (typeof value === 'bigint') bytes.writeBigInt64LE(value);
  else if (type === 'date') bytes.writeInt32LE(value);
  else bytes.writeDoubleLE(value);
  return bytes;
}

const compare = (a: NonNullable<Cell>, b: NonNullable<Cell>): number => (a < b ? -1 : a > b ? 1 : 0);
