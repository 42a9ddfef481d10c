import type { AuditFilter } from '@pangolin/shared/contract/audit';
import { type Insertable, sql } from 'kysely';
import type { Database } from '../store/database.ts';
import type { AuditCheckpointsTable, AuditEventsTable, Executor } from '../store/schema.ts';

/** The last event of a chain. */
export interface ChainHead {
  seq: number;
  hash: string;
}

export const findChainHead = (db: Executor, chain: string) =>
  db.selectFrom('audit_chains').select(['seq', 'hash']).where('chain', '=', chain).executeTakeFirst();

/** `head` is the last of the rows. */
export async function appendEvents(
  db: Executor,
  chain: string,
  rows: readonly Insertable<AuditEventsTable>[],
  head: ChainHead,
): Promise<void> {
  await db
    .insertInto('audit_chains')
    .values({ chain, ...head })
    .onConflict((conflict) => conflict.column('chain').doUpdateSet(head))
    .execute();
  await db.insertInto('audit_events').values(rows).execute();
}

/** `beforeSeq` goes on downwards, `afterSeq` upwards. */
export interface EventFilter extends Omit<AuditFilter, 'chain' | 'since' | 'until' | 'after_seq'> {
  chain: string;
  sinceMs?: number | undefined;
  untilMs?: number | undefined;
  beforeSeq?: number | undefined;
  afterSeq?: number | undefined;
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
  if (filter.afterSeq !== undefined) query = query.where('seq', '>', filter.afterSeq);
  return query;
}

/**
 * By their numbers. Times bound those, found in the index of times, and are compared besides: a range read by that index
 * would be sorted as a whole for every page. The plus signs keep other indexes out of it.
 */
export function listEvents(
  db: Executor,
  { sinceMs, untilMs, ...filter }: EventFilter,
  window: { limit: number; offset: number; order?: 'asc' | 'desc' },
) {
  const numbers = () => db.selectFrom('audit_events as e').where('e.chain', '=', filter.chain);
  const time = sql<number>`+${sql.ref('time')}`;
  let query = filterEvents(db, filter);
  if (sinceMs !== undefined) {
    const first = numbers().where('e.time', '>=', sinceMs);
    query = query
      .where(time, '>=', sinceMs)
      .where('seq', '>=', first.select(sql<number>`min(+${sql.ref('e.seq')})`.as('n')));
  }
  if (untilMs !== undefined) {
    const last = numbers().where('e.time', '<', untilMs);
    query = query
      .where(time, '<', untilMs)
      .where('seq', '<=', last.select(sql<number>`max(+${sql.ref('e.seq')})`.as('n')));
  }
  return query
    .selectAll()
    .orderBy('seq', window.order ?? 'desc')
    .limit(window.limit)
    .offset(window.offset)
    .execute();
}

export async function countEvents(db: Executor, filter: EventFilter): Promise<number> {
  const row = await filterEvents(db, filter)
    .select(({ fn }) => fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  return Number(row.total);
}

export const findEvent = (db: Executor, chain: string, id: string) =>
  db.selectFrom('audit_events').selectAll().where('id', '=', id).where('chain', '=', chain).executeTakeFirst();

/** An event's place in its chain, whatever else is wrong with it. */
export const findEventAt = (db: Executor, chain: string, seq: number) =>
  db
    .selectFrom('audit_events')
    .select(['id', 'hash'])
    .where('chain', '=', chain)
    .where('seq', '=', seq)
    .executeTakeFirst();

/** An event whose number is below 1 (`<`), or beyond what is the last one's (`>`). */
export const findStrayEvent = (db: Executor, chain: string, side: '<' | '>', seq: number) =>
  db
    .selectFrom('audit_events')
    .select(['seq', 'id'])
    .where('chain', '=', chain)
    .where('seq', side, seq)
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();

/** The columns of an event, in the order in which a chain, which is known, is read; the hash last. */
export const EVENT_COLUMNS = [
  'action',
  'client',
  'credential_id',
  'credential_type',
  'details',
  'id',
  'ip',
  'previous_hash',
  'request_id',
  'resource_id',
  'resource_name',
  'resource_type',
  'result',
  'seq',
  'tenant_id',
  'time',
  'user_id',
  'username',
  'hash',
] as const satisfies (keyof AuditEventsTable)[];

/** Reads a chain from after a number on, up to so many events at a time: rows of `EVENT_COLUMNS`, by their numbers. */
export const prepareChainPages = (db: Database, pageLength: number) =>
  db.prepareRows((chain: string, afterSeq: number) =>
    db.read
      .selectFrom('audit_events')
      .select(EVENT_COLUMNS)
      .where('chain', '=', chain)
      .where('seq', '>', afterSeq)
      .orderBy('seq')
      .limit(sql.lit(pageLength)),
  );

/** Every chain whose last event no checkpoint vouches for; there are as many chains as tenants, and one. */
export const listGrownChains = (db: Executor, after: string, limit: number) =>
  db
    .selectFrom('audit_chains as c')
    .select(['c.chain', 'c.seq', 'c.hash'])
    .where('c.chain', '>', after)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('audit_checkpoints as p')
            .select('p.seq')
            .whereRef('p.chain', '=', 'c.chain')
            .whereRef('p.seq', '=', 'c.seq'),
        ),
      ),
    )
    .orderBy('c.chain')
    .limit(limit)
    .execute();

/** What another process vouched for meanwhile stays as it is. */
export const insertCheckpoints = (db: Executor, rows: readonly Insertable<AuditCheckpointsTable>[]) =>
  db
    .insertInto('audit_checkpoints')
    .values(rows)
    .onConflict((conflict) => conflict.columns(['chain', 'seq']).doNothing())
    .execute();

export const listCheckpoints = (db: Executor, chain: string, afterSeq: number, limit: number) =>
  db
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('chain', '=', chain)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(limit)
    .execute();
