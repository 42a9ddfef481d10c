import type { AuditCheckpoint } from '@pangolin/shared/contract/audit';
import type { Deps } from '../deps.ts';
import { findCheckpointFault, presentCheckpoint, readCheckpointKeys } from './checkpoints.ts';
import { type ChainHead, listCheckpoints } from './store.ts';

const CHECKPOINTS_AT_A_TIME = 200;

/** The checkpoints of a chain in their order, each judged when its event is reached. */
export async function openCheckpoints(deps: Deps, chain: string, afterSeq: number) {
  const keys = await readCheckpointKeys(deps);
  const { issuer } = deps.installation;
  let rows = await listCheckpoints(deps.db.read, chain, afterSeq, CHECKPOINTS_AT_A_TIME);
  let i = 0;
  const present = () => {
    const row = rows[i];
    return row ? presentCheckpoint(row, issuer) : null;
  };
  const cursor = {
    next: present(),
    last: null as AuditCheckpoint | null,
    seen: 0,
    /** What is wrong with the next checkpoint, or with the event it was made for; goes on to the one after it. */
    async pass(event: ChainHead): Promise<string | undefined> {
      const { next, last } = cursor;
      if (!next) return undefined;
      const fault = await findCheckpointFault(next, keys);
      if (fault !== undefined) return `has a checkpoint of ${next.time} that cannot be trusted: it ${fault}`;
      if (next.hash !== event.hash) {
        const since = last ? `after event ${last.seq}` : 'its beginning';
        return `is not the one that was vouched for on ${next.time}: the chain was rewritten from somewhere ${since} on`;
      }
      cursor.last = next;
      cursor.seen += 1;
      i += 1;
      if (i === rows.length) {
        rows = await listCheckpoints(deps.db.read, chain, next.seq, CHECKPOINTS_AT_A_TIME);
        i = 0;
      }
      cursor.next = present();
      return undefined;
    },
  };
  return cursor;
}
