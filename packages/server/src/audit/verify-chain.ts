import type { AuditCheckpoint, AuditVerification } from '@pangolin/shared/contract/audit';
import { FIRST_AUDIT_HASH } from '@pangolin/shared/contract/audit-event-text';
import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { readStorageError } from '../store/storage-errors.ts';
import { openCheckpoints } from './checkpoint-cursor.ts';
import { createEventJudge, readWhole } from './judge-event.ts';
import { type ChainHead, findChainHead, findEventAt, findStrayEvent, prepareChainPages } from './store.ts';

/** Read and hashed in about four milliseconds, after which other requests have their turn. */
const PAGE_LENGTH = 500;
const MAX_WAITING = 8;

export interface ChainVerifier {
  /** Verifies up to `limit` events of a chain that follow `afterSeq`. Throws `invalid_request` and `unavailable`. */
  verify(chain: string, from: { afterSeq: number; limit: number }): Promise<AuditVerification>;
}

type Broken = NonNullable<AuditVerification['broken']>;

/** Walks along chains, one at a time: several walks at once would hold up everything else. */
export function createChainVerifier(deps: Deps): ChainVerifier {
  const readPage = prepareChainPages(deps.db, PAGE_LENGTH);
  const readOne = prepareChainPages(deps.db, 1);
  let waiting = 0;
  let line: Promise<unknown> = Promise.resolve();

  async function walk(chain: string, { afterSeq, limit }: { afterSeq: number; limit: number }) {
    const start = await readStart(deps, chain, afterSeq);
    const found = { chain, ...start, time: null as string | null, events: 0 };
    const seen = { checkpoints: 0, checkpoint: null as AuditCheckpoint | null };
    const answer = (broken: Broken | null, complete = false): AuditVerification => ({
      ...found,
      valid: broken === null,
      complete,
      ...seen,
      broken,
    });

    async function go(): Promise<AuditVerification> {
      let head = await readHead(deps, chain);
      const checkpoints = await openCheckpoints(deps, chain, afterSeq);
      const stray = afterSeq === 0 ? await findStrayEvent(deps.db.read, chain, '<', 1) : undefined;
      if (stray) return answer({ seq: Number(stray.seq), id: stray.id, reason: 'has a number that no chain has' });
      const judgeEvent = createEventJudge(chain);
      let read = readPage;
      while (found.events < limit) {
        let rows: unknown[][];
        try {
          rows = await read(chain, found.seq);
        } catch (error) {
          if (read === readOne) throw error;
          // A row of this page cannot be read: which one is found by reading one after the other.
          read = readOne;
          continue;
        }
        if (rows.length === 0) {
          if (head.seq >= found.seq) {
            const broken = findFaultAtEnd(found, head, checkpoints.next);
            return answer(broken, broken === null);
          }
          // Events came after the head was read: it must count them now.
          head = await readHead(deps, chain);
          if (head.seq < found.seq) return answer(await findBeyond(deps, chain, head));
          continue;
        }
        for (const row of rows.slice(0, limit - found.events)) {
          const event = judgeEvent(row, found);
          if (!event.isSound) return answer({ seq: event.seq, id: event.id, reason: event.why });
          if (checkpoints.next?.seq === event.seq) {
            const fault = await checkpoints.pass(event);
            if (fault !== undefined) return answer({ seq: event.seq, id: event.id, reason: fault });
            seen.checkpoints += 1;
            seen.checkpoint = checkpoints.last;
          }
          found.seq = event.seq;
          found.hash = event.hash;
          found.time = event.time;
          found.events += 1;
        }
        await new Promise((turn) => setImmediate(turn));
      }
      return answer(null);
    }

    try {
      return await go();
    } catch (error) {
      refuseStorageError(error);
      deps.log.warn({ err: error, chain, seq: found.seq + 1 }, 'a damaged audit chain');
      return answer({
        seq: found.seq + 1,
        id: null,
        reason: 'or what is stored with it is damaged: it cannot be read',
      });
    }
  }

  return {
    async verify(chain, from) {
      if (waiting >= MAX_WAITING)
        throw new PangolinError('unavailable', 'The audit log is being verified for others.', { retryAfterSeconds: 5 });
      waiting += 1;
      const mine = line.then(() => walk(chain, from));
      line = mine.catch(() => {});
      return mine.finally(() => {
        waiting -= 1;
      });
    },
  };
}

/** A database that does not answer is no broken chain. */
function refuseStorageError(error: unknown): void {
  const read = readStorageError(error);
  if (read instanceof PangolinError) throw read;
}

async function readStart(deps: Deps, chain: string, afterSeq: number): Promise<ChainHead> {
  if (afterSeq === 0) return { seq: 0, hash: FIRST_AUDIT_HASH };
  const event = await findEventAt(deps.db.read, chain, afterSeq);
  if (event) return { seq: afterSeq, hash: event.hash };
  throw new PangolinError('invalid_request', `There is no event ${afterSeq} to go on after.`, {
    fields: [{ field: 'after_seq', message: 'is not the number of an event' }],
  });
}

/** A chain that nothing was recorded in has no head. */
async function readHead(deps: Deps, chain: string): Promise<ChainHead> {
  const head = await findChainHead(deps.db.read, chain);
  const seq = head ? readWhole(head.seq) : 0;
  if (seq === null) throw new Error('the head of the chain has no number');
  return { seq, hash: head?.hash ?? FIRST_AUDIT_HASH };
}

/** The last event was reached: it must be the one that the head and the checkpoints have. */
function findFaultAtEnd(last: ChainHead, head: ChainHead, checkpoint: AuditCheckpoint | null): Broken | null {
  const lost = (until: number, who: string): Broken => ({
    seq: last.seq + 1,
    id: null,
    reason: until === last.seq + 1 ? `is missing: ${who} it` : `and those up to ${until} are missing: ${who} them`,
  });
  if (checkpoint) return lost(checkpoint.seq, `a checkpoint of ${checkpoint.time} vouches for`);
  if (head.seq > last.seq) return lost(head.seq, 'the head of the chain counts');
  if (head.hash === last.hash) return null;
  return { seq: last.seq, id: null, reason: 'is not the event that the head of the chain names' };
}

async function findBeyond(deps: Deps, chain: string, head: ChainHead): Promise<Broken> {
  const beyond = await findStrayEvent(deps.db.read, chain, '>', head.seq);
  return {
    seq: Number(beyond?.seq ?? head.seq + 1),
    id: beyond?.id ?? null,
    reason: 'lies beyond the head of the chain: it was added by other means, or the head was changed',
  };
}
