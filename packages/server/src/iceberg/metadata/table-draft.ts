import type { Int64 } from '../json.ts';
import { MAX_INT32, refuse } from './json-fields.ts';
import { KeyedList } from './keyed-list.ts';
import { LAST_PARTITION_ID_OF_NONE } from './partition-specs.ts';
import { NO_SNAPSHOT } from './snapshots.ts';
import type {
  EncryptedKey,
  PartitionSpec,
  PartitionStatisticsFile,
  Schema,
  Snapshot,
  SnapshotLogEntry,
  SnapshotReference,
  SortOrder,
  StatisticsFile,
  TableMetadata,
} from './table-metadata.ts';

/** What a commit gets from its surroundings. */
export interface CommitGiven {
  nowMs: number;
  /** For a table that is created, unless the commit assigns one. */
  newUuid: string;
  /** For a table that is created, unless the commit sets one. */
  defaultLocation: string;
  /** The metadata file the base was read from, for the metadata log; null: the base is in no file. */
  baseLocation: string | null;
}

/** The ids that exist when nothing was added yet: none. */
const NO_ID = -1;

/** A table while updates are applied to it. */
export interface TableDraft {
  readonly base: TableMetadata | null;
  readonly nowMs: number;
  formatVersion: 1 | 2 | 3;
  uuid: string;
  location: string | null;
  lastSequenceNumber: Int64;
  lastColumnId: number;
  currentSchemaId: number;
  readonly schemas: KeyedList<number, Schema>;
  defaultSpecId: number;
  readonly specs: KeyedList<number, PartitionSpec>;
  lastPartitionId: number;
  defaultOrderId: number;
  readonly orders: KeyedList<number, SortOrder>;
  readonly properties: Map<string, string>;
  currentSnapshotId: Int64;
  nextRowId: Int64;
  readonly encryptionKeys: KeyedList<string, EncryptedKey>;
  readonly refs: Map<string, SnapshotReference>;
  readonly snapshots: KeyedList<Int64, Snapshot>;
  readonly statistics: KeyedList<Int64, StatisticsFile>;
  readonly partitionStatistics: KeyedList<Int64, PartitionStatisticsFile>;
  snapshotLog: readonly SnapshotLogEntry[];
  /** What this commit adds to the log. */
  addedLog: SnapshotLogEntry[];
  /** Whether anything is different from the base. */
  isChanged: boolean;
  /** What -1 stands for in `set-current-schema` and its kin. */
  readonly lastAdded: { schemaId: number | null; specId: number | null; orderId: number | null };
  readonly addedSnapshotIds: Set<Int64>;
  /** Snapshots that were made current, be it for the time of one update. */
  readonly mainSnapshotIds: Set<Int64>;
  hasRemovedSnapshots: boolean;
  /** What is found by searching the lists, made when first needed. */
  readonly indexes: DraftIndexes;
}

interface DraftIndexes {
  schemaIds?: Map<string, number>;
  specIds?: Map<string, number>;
  orderIds?: Map<string, number>;
  partitionFieldIds?: Map<string, number>;
  refNames?: Map<Int64, Set<string>>;
  highest: Partial<Record<Numbered, number>>;
}

/** What the table gives ids to, and the first of them: 0 is the sort order of tables that have none. */
const FIRST_IDS = { schemas: 0, specs: 0, orders: 1 };
type Numbered = keyof typeof FIRST_IDS;

/** Begins with a table, or with nothing: then the format version is the one the commit first asks for. */
export function startDraft(base: TableMetadata | null, formatVersion: 1 | 2 | 3, given: CommitGiven): TableDraft {
  return {
    base,
    nowMs: given.nowMs,
    formatVersion,
    uuid: base?.['table-uuid'] ?? given.newUuid,
    location: base?.location ?? null,
    lastSequenceNumber: base?.['last-sequence-number'] ?? 0,
    lastColumnId: base?.['last-column-id'] ?? 0,
    // As in Java's reference: DuckDB makes the first schema the current one only after what is bound to it.
    currentSchemaId: base?.['current-schema-id'] ?? 0,
    schemas: new KeyedList(base?.schemas ?? [], (schema) => schema['schema-id']),
    defaultSpecId: base?.['default-spec-id'] ?? NO_ID,
    specs: new KeyedList(base?.['partition-specs'] ?? [], (spec) => spec['spec-id']),
    lastPartitionId: base?.['last-partition-id'] ?? LAST_PARTITION_ID_OF_NONE,
    defaultOrderId: base?.['default-sort-order-id'] ?? NO_ID,
    orders: new KeyedList(base?.['sort-orders'] ?? [], (order) => order['order-id']),
    properties: new Map(Object.entries(base?.properties ?? {})),
    currentSnapshotId: base?.['current-snapshot-id'] ?? NO_SNAPSHOT,
    nextRowId: base?.['next-row-id'] ?? 0,
    encryptionKeys: new KeyedList(base?.['encryption-keys'] ?? [], (key) => key['key-id']),
    refs: new Map(Object.entries(base?.refs ?? {})),
    snapshots: new KeyedList(base?.snapshots ?? [], (snapshot) => snapshot['snapshot-id']),
    statistics: new KeyedList(base?.statistics ?? [], (file) => file['snapshot-id']),
    partitionStatistics: new KeyedList(base?.['partition-statistics'] ?? [], (file) => file['snapshot-id']),
    snapshotLog: base?.['snapshot-log'] ?? [],
    addedLog: [],
    isChanged: base === null,
    lastAdded: { schemaId: null, specId: null, orderId: null },
    addedSnapshotIds: new Set(),
    mainSnapshotIds: new Set(),
    hasRemovedSnapshots: false,
    indexes: { highest: {} },
  };
}

/** The schema that specs and sort orders are bound to. Throws `invalid_request` while a new table has none. */
export const currentSchemaOf = (draft: TableDraft, where: string): Schema =>
  draft.schemas.get(draft.currentSchemaId) ?? refuse(`${where}: the table has no current schema yet.`);

/** One more than the highest id, also of those that the commit added and removed, or the first. Throws `invalid_request`. */
export function nextId(draft: TableDraft, list: Numbered): number {
  const { highest } = draft.indexes;
  let last = highest[list] ?? FIRST_IDS[list] - 1;
  if (highest[list] === undefined) for (const id of draft[list].keys()) last = Math.max(last, id);
  if (last >= MAX_INT32) refuse(`There is no id after ${last}.`);
  highest[list] = last + 1;
  return last + 1;
}
