import type { ErrorCode } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { limitedPart } from '../networks.ts';
import { formatTime, MINUTE_MS } from '../times.ts';
import { type AuditEntry, type AuditSource, BY_THE_SERVER, createAuditEvents } from './record.ts';

/** Something that somebody was refused. */
export interface Refusal {
  chain: string;
  tenantId: string;
  code: ErrorCode;
  event: Pick<AuditEntry, 'action' | 'resourceType' | 'resourceId' | 'resourceName'>;
  by: AuditSource;
}

/**
 * Refusals on their way into the audit log: as many as are alike within a minute become one event. However many there
 * are, a minute makes at most some hundred events; what is too much is counted, in one event per chain.
 */
export interface Refusals {
  note(refusal: Refusal): void;
  /** Records what has gathered, for somebody who wants to see it now; under attack, once its minute is over. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Gathered {
  chain: string;
  tenantId: string;
  by: AuditSource;
  event: Refusal['event'];
  code: ErrorCode | 'other';
  count: number;
  firstMs: number;
  lastMs: number;
  /** By code, where there are several. */
  codes?: Record<string, number>;
}

/** Of one chain at most half, so that nobody crowds out what happens in other tenants. */
const MAX_KINDS = 200;
const MAX_KINDS_PER_CHAIN = 100;
/** Events a minute that are recorded before the minute is over, because somebody asks. */
const MAX_EARLY = 300;
/** What is kept while the database takes nothing. */
const MAX_DUE = 2_000;
const MAX_PER_COMMIT = 50;

export function createRefusals(deps: Pick<Deps, 'db' | 'newId' | 'now' | 'log'>): Refusals {
  let minute = 0;
  let gathered = new Map<string, Gathered>();
  let kinds = new Map<string, number>();
  let early = 0;
  let due: Gathered[] = [];
  let writing = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  /** What was gathered in a minute that is over is due. */
  function turnMinute(nowMs: number): void {
    const current = Math.floor(nowMs / MINUTE_MS);
    if (current === minute) return;
    minute = current;
    early = 0;
    kinds = new Map();
    takeGathered();
  }

  function takeGathered(): void {
    due.push(...gathered.values());
    gathered = new Map();
    if (due.length <= MAX_DUE) return;
    deps.log.warn({ lost: due.length - MAX_DUE }, 'refusals not recorded');
    due = due.slice(-MAX_DUE);
  }

  function write(): Promise<void> {
    writing = writing.then(async () => {
      try {
        while (due.length > 0) {
          const batch = due.slice(0, MAX_PER_COMMIT);
          await record(batch);
          due = due.filter((one) => !batch.includes(one));
        }
      } catch (err) {
        deps.log.warn({ err }, 'refusals not recorded yet');
        // Perhaps nobody is refused for a long time: they must not wait for that.
        if (!isClosed) arm(deps.now());
      }
    });
    return writing;
  }

  function record(batch: readonly Gathered[]): Promise<void> {
    const time = deps.now();
    const events = batch.map((one) => ({ ...one, time, id: deps.newId(), event: toEvent(one) }));
    const chains = [...new Set(events.map(({ chain }) => chain))].sort();
    return deps.db.transact(
      async (tx) => {
        for (const chain of chains) {
          const ofChain = events.filter((one) => one.chain === chain);
          await createAuditEvents(tx, chain, ofChain);
        }
      },
      { credentials: 'unchanged' },
    );
  }

  function arm(nowMs: number): void {
    timer ??= setTimeout(
      () => {
        timer = undefined;
        turnMinute(deps.now());
        void write();
        if (gathered.size > 0) arm(deps.now());
      },
      MINUTE_MS - (nowMs % MINUTE_MS),
    ).unref();
  }

  return {
    note(refusal) {
      const nowMs = deps.now();
      turnMinute(nowMs);
      arm(nowMs);
      const key = keyOf(refusal);
      const known = gathered.get(key) ?? begin(key, refusal, nowMs);
      known.count += 1;
      known.lastMs = nowMs;
      if (known.codes) known.codes[refusal.code] = (known.codes[refusal.code] ?? 0) + 1;
    },
    async flush() {
      turnMinute(deps.now());
      if (early + gathered.size <= MAX_EARLY) {
        early += gathered.size;
        takeGathered();
      }
      await write();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      takeGathered();
      await write();
    },
  };

  /** The entry for a refusal that is like none before in this minute; of too many kinds, the one for all others. */
  function begin(key: string, { chain, tenantId, code, event, by }: Refusal, nowMs: number): Gathered {
    const mine = kinds.get(chain) ?? 0;
    const isOneMore = mine < MAX_KINDS_PER_CHAIN && sum(kinds) < MAX_KINDS;
    const othersKey = isOneMore ? key : JSON.stringify([chain]);
    const existing = gathered.get(othersKey);
    if (existing) return existing;
    const times = { count: 0, firstMs: nowMs, lastMs: nowMs };
    const entry: Gathered = isOneMore
      ? { chain, tenantId, code, event, by, ...times }
      : { chain, tenantId, code: 'other', event: ANYTHING, by: BY_THE_SERVER, ...times, codes: {} };
    if (isOneMore) kinds.set(chain, mine + 1);
    gathered.set(othersKey, entry);
    return entry;
  }
}

const ANYTHING = { action: 'request.refused', resourceType: 'request', resourceId: null };

const sum = (counts: ReadonlyMap<string, number>): number => {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
};

/** What makes refusals alike: also the address, by what limits count. */
const keyOf = ({ chain, code, event, by }: Refusal): string =>
  JSON.stringify([
    chain,
    event.action,
    code,
    by.user_id,
    by.credential_id,
    by.ip === null ? null : limitedPart(by.ip),
    event.resourceId,
    event.resourceName,
  ]);

const toEvent = ({ event, code, codes, count, firstMs, lastMs }: Gathered): AuditEntry => ({
  ...event,
  result: 'failure',
  details: { code, ...(codes && { codes }), count, first_at: formatTime(firstMs), last_at: formatTime(lastMs) },
});
