import { type CompiledQuery, sql } from 'kysely';
import type { Executor } from '../store/schema.ts';
import { TABLES, type TableName } from '../store/tables.ts';

export type Row = Record<string, string | number | null>;

/** Both engines take this many parameters in a statement. */
const MAX_PARAMETERS = 30_000;
const MAX_ROWS = 1_000;

/** A page of rows by their primary key, after a row. */
export async function listRowsAfter(db: Executor, table: TableName, after: Row | null, limit: number): Promise<Row[]> {
  const keys = TABLES[table].map((column) => sql.ref(column));
  const values = after && TABLES[table].map((column) => sql.val(after[column]));
  const where = values === null ? sql`` : sql`where (${sql.join(keys)}) > (${sql.join(values)})`;
  const query = sql<Row>`select * from ${sql.table(table)} ${where} order by ${sql.join(keys)} limit ${sql.val(limit)}`;
  return (await query.execute(db)).rows;
}

export async function countAll(db: Executor, table: TableName): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(db);
  return Number(rows[0]?.n);
}

export const deleteAll = (db: Executor, table: TableName) => sql`delete from ${sql.table(table)}`.execute(db);

/** Inserts rows of one table, many at a time. The statement for a full load is built once. */
export function createInserter(db: Executor, table: TableName): (rows: readonly Row[]) => Promise<void> {
  let full: { size: number; query: CompiledQuery } | undefined;
  const build = (rows: readonly Row[]) =>
    db
      .insertInto(table)
      .values(rows as never)
      .compile();
  return async (rows) => {
    const columns = Object.keys(rows[0] ?? {});
    const size = Math.min(MAX_ROWS, Math.floor(MAX_PARAMETERS / Math.max(1, columns.length)));
    for (let start = 0; start < rows.length; start += size) {
      const load = rows.slice(start, start + size);
      if (load.length < size) await db.executeQuery(build(load));
      else {
        full ??= { size, query: build(load) };
        const parameters = load.flatMap((row) => columns.map((column) => row[column]));
        await db.executeQuery({ ...full.query, parameters });
      }
    }
  };
}

export const findInstallation = (db: Executor) => db.selectFrom('installation').selectAll().executeTakeFirst();

export const listHeads = (db: Executor) =>
  db.selectFrom('audit_chains').select(['chain', 'seq', 'hash']).orderBy('chain').execute();

/** Whether a chain went through an event. */
export async function hasEvent(db: Executor, event: { chain: string; seq: number; hash: string }): Promise<boolean> {
  const found = await db
    .selectFrom('audit_events')
    .select('id')
    .where('chain', '=', event.chain)
    .where('seq', '=', event.seq)
    .where('hash', '=', event.hash)
    .executeTakeFirst();
  return found !== undefined;
}

/** Servers on the database look at everything again. */
export const countChange = (db: Executor) =>
  db
    .updateTable('changes')
    .set((eb) => ({ credentials: eb('credentials', '+', 1) }))
    .execute();
