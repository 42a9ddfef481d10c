import type { Int64, JsonObject, JsonValue } from '../json.ts';

/**
 * The metadata of a table as its file has it (Iceberg table spec, appendix C), with every list and map present.
 * Values are never changed in place: a commit shares with its base what it did not touch.
 */
export interface TableMetadata {
  readonly 'format-version': 1 | 2 | 3;
  readonly 'table-uuid': string;
  readonly location: string;
  readonly 'last-sequence-number': Int64;
  readonly 'last-updated-ms': number;
  readonly 'last-column-id': number;
  readonly 'current-schema-id': number;
  readonly schemas: readonly Schema[];
  readonly 'default-spec-id': number;
  readonly 'partition-specs': readonly PartitionSpec[];
  readonly 'last-partition-id': number;
  readonly 'default-sort-order-id': number;
  readonly 'sort-orders': readonly SortOrder[];
  readonly properties: Readonly<Record<string, string>>;
  /** -1: the table has no current snapshot. */
  readonly 'current-snapshot-id': Int64;
  /** Format version 3 only. */
  readonly 'next-row-id'?: Int64;
  readonly 'encryption-keys': readonly EncryptedKey[];
  readonly refs: Readonly<Record<string, SnapshotReference>>;
  readonly snapshots: readonly Snapshot[];
  readonly statistics: readonly StatisticsFile[];
  readonly 'partition-statistics': readonly PartitionStatisticsFile[];
  readonly 'snapshot-log': readonly SnapshotLogEntry[];
  readonly 'metadata-log': readonly MetadataLogEntry[];
  /** Members this release does not know, as a newer engine wrote them. */
  readonly unknown: JsonObject;
}

export interface Schema extends StructType {
  readonly 'schema-id': number;
  readonly 'identifier-field-ids'?: readonly number[];
}

export interface StructType {
  readonly type: 'struct';
  readonly fields: readonly StructField[];
}

export interface StructField {
  readonly id: number;
  readonly name: string;
  readonly type: Type;
  readonly required: boolean;
  readonly doc?: string;
  readonly 'initial-default'?: JsonValue;
  readonly 'write-default'?: JsonValue;
}

export interface ListType {
  readonly type: 'list';
  readonly 'element-id': number;
  readonly element: Type;
  readonly 'element-required': boolean;
}

export interface MapType {
  readonly type: 'map';
  readonly 'key-id': number;
  readonly key: Type;
  readonly 'value-id': number;
  readonly value: Type;
  readonly 'value-required': boolean;
}

/** A primitive type is its name, such as `long` or `decimal(9,2)`. */
export type Type = string | StructType | ListType | MapType;

export interface PartitionSpec {
  readonly 'spec-id': number;
  readonly fields: readonly PartitionField[];
}

export interface PartitionField {
  readonly 'source-id': number;
  readonly 'field-id': number;
  readonly name: string;
  readonly transform: string;
}

export interface SortOrder {
  readonly 'order-id': number;
  readonly fields: readonly SortField[];
}

export interface SortField {
  readonly 'source-id': number;
  readonly transform: string;
  readonly direction: 'asc' | 'desc';
  readonly 'null-order': 'nulls-first' | 'nulls-last';
}

/** Stored exactly as the client sent it, with members unknown here. */
export interface Snapshot {
  readonly 'snapshot-id': Int64;
  readonly 'parent-snapshot-id'?: Int64;
  readonly 'sequence-number'?: Int64;
  readonly 'timestamp-ms': number;
  readonly 'manifest-list'?: string;
  /** Format version 1 alone: the manifests themselves. */
  readonly manifests?: readonly string[];
  readonly summary?: Readonly<Record<string, string>>;
  readonly 'schema-id'?: number;
  readonly 'first-row-id'?: Int64;
  readonly 'added-rows'?: Int64;
}

export interface SnapshotReference {
  readonly 'snapshot-id': Int64;
  readonly type: 'branch' | 'tag';
  readonly 'min-snapshots-to-keep'?: number;
  readonly 'max-snapshot-age-ms'?: Int64;
  readonly 'max-ref-age-ms'?: Int64;
}

export interface EncryptedKey {
  readonly 'key-id': string;
  readonly 'encrypted-key-metadata': string;
  readonly 'encrypted-by-id'?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

export interface StatisticsFile {
  readonly 'snapshot-id': Int64;
  readonly 'statistics-path': string;
}

export interface PartitionStatisticsFile {
  readonly 'snapshot-id': Int64;
  readonly 'statistics-path': string;
}

export interface SnapshotLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'snapshot-id': Int64;
}

export interface MetadataLogEntry {
  readonly 'timestamp-ms': number;
  readonly 'metadata-file': string;
}
