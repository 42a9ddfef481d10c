import type { AuditPage } from '@pangolin/shared/contract/audit';
import type { Insertable } from 'kysely';
import type { AuditEventsTable, Executor } from '../store/schema.ts';

export const findChainHead = (db: Executor, chain: string) =>
  db.selectFrom('audit_chains').select(['seq', 'hash']).where('chain', '=', chain).executeTakeFirst();

export async function appendEvent(db: Executor, row: Insertable<AuditEventsTable>): Promise<void> {
  const head = { chain: row.chain, seq: row.seq, hash: row.hash };
  await db
    .insertInto('audit_chains')
    .values(head)
    .onConflict((conflict) => conflict.column('chain').doUpdateSet({ seq: head.seq, hash: head.hash }))
    .execute();
  await db.insertInto('audit_events').values(row).execute();
}

/** Newest first; `beforeSeq` continues after the event with that number. */
export interface EventFilter extends Pick<AuditPage, 'user_id' | 'action' | 'resource_type' | 'result'> {
  chain: string;
  sinceMs?: number | undefined;
  untilMs?: number | undefined;
  beforeSeq?: number | undefined;
}

function filterEvents(db: Executor, filter: EventFilter) {
  let query = db.selectFrom('audit_events').where('chain', '=', filter.chain);
  for (const column of ['user_id', 'action', 'resource_type', 'result'] as const) {
    const value = filter[column];
    if (value !== undefined) query = query.where(column, '=', value);
  }
  if (filter.sinceMs !== undefined) query = query.where('time', '>=', filter.sinceMs);
  if (filter.untilMs !== undefined) query = query.where('time', '<', filter.untilMs);
  if (filter.beforeSeq !== undefined) query = query.where('seq', '<', filter.beforeSeq);
  return query;
}

export const listEvents = (db: Executor, filter: EventFilter, window: { limit: number; offset: number }) =>
  filterEvents(db, filter).selectAll().orderBy('seq', 'desc').limit(window.limit).offset(window.offset).execute();

export async function countEvents(db: Executor, filter: EventFilter): Promise<number> {
  const row = await filterEvents(db, filter)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}
