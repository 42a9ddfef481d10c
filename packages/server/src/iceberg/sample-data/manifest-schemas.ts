import type { AvroRecordSchema, AvroSchema } from './avro-writer.ts';

const required = (id: number, name: string, type: AvroSchema) => ({ name, type, 'field-id': id });
const optional = (id: number, name: string, type: AvroSchema) =>
  ({ name, type: ['null', type], default: null, 'field-id': id }) as const;

/** A map from column ids, which Avro has no maps for: a list of pairs. */
const byColumn = (id: number, name: string, keyId: number, valueId: number, value: 'long' | 'bytes') =>
  optional(id, name, {
    type: 'array',
    logicalType: 'map',
    items: {
      type: 'record',
      name: `k${keyId}_v${valueId}`,
      fields: [required(keyId, 'key', 'int'), required(valueId, 'value', value)],
    },
  });

/** An entry of a manifest of an unpartitioned table (Iceberg table spec, "Manifests", format version 2). */
export const MANIFEST_ENTRY: AvroRecordSchema = {
  type: 'record',
  name: 'manifest_entry',
  fields: [
    required(0, 'status', 'int'),
    optional(1, 'snapshot_id', 'long'),
    optional(3, 'sequence_number', 'long'),
    optional(4, 'file_sequence_number', 'long'),
    required(2, 'data_file', {
      type: 'record',
      name: 'r2',
      fields: [
        required(134, 'content', 'int'),
        required(100, 'file_path', 'string'),
        required(101, 'file_format', 'string'),
        required(102, 'partition', { type: 'record', name: 'r102', fields: [] }),
        required(103, 'record_count', 'long'),
        required(104, 'file_size_in_bytes', 'long'),
        byColumn(108, 'column_sizes', 117, 118, 'long'),
        byColumn(109, 'value_counts', 119, 120, 'long'),
        byColumn(110, 'null_value_counts', 121, 122, 'long'),
        byColumn(137, 'nan_value_counts', 138, 139, 'long'),
        byColumn(125, 'lower_bounds', 126, 127, 'bytes'),
        byColumn(128, 'upper_bounds', 129, 130, 'bytes'),
        optional(131, 'key_metadata', 'bytes'),
        optional(132, 'split_offsets', { type: 'array', items: 'long', 'element-id': 133 }),
        optional(135, 'equality_ids', { type: 'array', items: 'int', 'element-id': 136 }),
        optional(140, 'sort_order_id', 'int'),
      ],
    }),
  ],
};

const PARTITION_FIELD_SUMMARY: AvroRecordSchema = {
  type: 'record',
  name: 'r508',
  fields: [
    required(509, 'contains_null', 'boolean'),
    optional(518, 'contains_nan', 'boolean'),
    optional(510, 'lower_bound', 'bytes'),
    optional(511, 'upper_bound', 'bytes'),
  ],
};

/** An entry of a manifest list (Iceberg table spec, "Manifest Lists", format version 2). */
export const MANIFEST_FILE: AvroRecordSchema = {
  type: 'record',
  name: 'manifest_file',
  fields: [
    required(500, 'manifest_path', 'string'),
    required(501, 'manifest_length', 'long'),
    required(502, 'partition_spec_id', 'int'),
    required(517, 'content', 'int'),
    required(515, 'sequence_number', 'long'),
    required(516, 'min_sequence_number', 'long'),
    required(503, 'added_snapshot_id', 'long'),
    required(504, 'added_files_count', 'int'),
    required(505, 'existing_files_count', 'int'),
    required(506, 'deleted_files_count', 'int'),
    required(512, 'added_rows_count', 'long'),
    required(513, 'existing_rows_count', 'long'),
    required(514, 'deleted_rows_count', 'long'),
    optional(507, 'partitions', { type: 'array', items: PARTITION_FIELD_SUMMARY, 'element-id': 508 }),
    optional(519, 'key_metadata', 'bytes'),
  ],
};
