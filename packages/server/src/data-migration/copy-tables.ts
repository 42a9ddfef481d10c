import { createHash } from 'node:crypto';
import { PangolinError } from '@pangolin/shared/errors';
import type { Executor } from '../store/schema.ts';
import { TABLE_NAMES, type TableName } from '../store/tables.ts';
import { countAll, countChange, createInserter, deleteAll, listRowsAfter, type Row } from './store.ts';

/** A table that was copied: how many rows, and the SHA-256 of them in the order of their keys, the same on both sides. */
export interface CopiedTable {
  table: TableName;
  rows: number;
  sha256: string;
}

export type OnProgress = (progress: { table: TableName; rows: number; total: number }) => void;

const ROWS_AT_ONCE = 5_000;

/** Every table but the counter of changes, which each database has for its own servers. */
const COPIED = TABLE_NAMES.filter((table) => table !== 'changes');

/**
 * Replaces every row of one database by those of another, and compares what arrived with what was read. Both are views of
 * transactions: nothing counts before theirs is committed.
 */
export async function copyTables(source: Executor, target: Executor, onProgress: OnProgress): Promise<CopiedTable[]> {
  for (const table of [...COPIED].reverse()) await deleteAll(target, table);
  const copied: CopiedTable[] = [];
  for (const table of COPIED) {
    const total = await countAll(source, table);
    const insert = createInserter(target, table);
    const sent = await readTable(source, table, async (rows, soFar) => {
      await insert(rows);
      onProgress({ table, rows: soFar, total });
    });
    const arrived = await readTable(target, table, async () => {});
    if (sent.rows !== total || arrived.rows !== total || arrived.sha256 !== sent.sha256) throw differs(table);
    copied.push({ table, ...sent });
  }
  await countChange(target);
  return copied;
}

async function readTable(
  db: Executor,
  table: TableName,
  take: (rows: Row[], soFar: number) => Promise<void>,
): Promise<{ rows: number; sha256: string }> {
  const hash = createHash('sha256');
  let count = 0;
  let last: Row | null = null;
  let columns: string[] = [];
  for (;;) {
    const rows: Row[] = await listRowsAfter(db, table, last, ROWS_AT_ONCE);
    if (rows.length === 0) return { rows: count, sha256: hash.digest('hex') };
    if (last === null) columns = Object.keys(rows[0] ?? {}).sort();
    for (const row of rows) hash.update(`${JSON.stringify(columns.map((column) => row[column]))}\n`);
    count += rows.length;
    last = rows.at(-1) ?? null;
    await take(rows, count);
  }
}

const differs = (table: TableName) =>
  new PangolinError('conflict', `What arrived in the table ${table} is not what was sent. Nothing was changed.`, {
    hint: 'Try again; if it happens again, please report it.',
  });
