import { PangolinError } from '@pangolin/shared/errors';
import { giveWay } from './turns.ts';

/** Runs what a principal asks; a few requests of each at once, the others after them. */
export type Lanes = <Done>(principalId: string, work: () => Promise<Done>) => Promise<Done>;

interface Lane {
  running: number;
  waiting: (() => void)[];
}

/**
 * One line for each principal, so that whoever asks much waits for themselves and not everybody for them: many requests that
 * arrive together would be answered before any other is looked at. Where a line is full, throws `too_many_requests`; who
 * waits longer than `patienceMs`, as where a database does not answer, is told `unavailable`.
 */
export function createLanes(limits: { running: number; waiting: number; patienceMs: number }): Lanes {
  const lanes = new Map<string, Lane>();

  async function leave(principalId: string, lane: Lane): Promise<void> {
    // Others first, also where requests that arrived together are each answered without leaving the event loop.
    await giveWay();
    const next = lane.waiting.shift();
    // The place is handed over, not given up: the count stays.
    if (next) return next();
    lane.running -= 1;
    if (lane.running === 0) lanes.delete(principalId);
  }

  const wait = (lane: Lane): Promise<void> =>
    new Promise((enter, giveUp) => {
      const begin = () => {
        clearTimeout(timer);
        enter();
      };
      const timer = setTimeout(() => {
        lane.waiting.splice(lane.waiting.indexOf(begin), 1);
        giveUp(takesTooLong());
      }, limits.patienceMs);
      lane.waiting.push(begin);
    });

  return async (principalId, work) => {
    const lane = lanes.get(principalId) ?? { running: 0, waiting: [] };
    lanes.set(principalId, lane);
    if (lane.running >= limits.running) {
      if (lane.waiting.length >= limits.waiting) throw tooManyAtOnce();
      await wait(lane);
    } else lane.running += 1;
    try {
      return await work();
    } finally {
      void leave(principalId, lane);
    }
  };
}

const tooManyAtOnce = () =>
  new PangolinError('too_many_requests', 'You have too many GraphQL requests under way.', {
    hint: 'Send fewer at once.',
    retryAfterSeconds: 1,
  });

const takesTooLong = () =>
  new PangolinError('unavailable', 'Your GraphQL requests before this one take too long.', {
    hint: 'Try again in a moment.',
    retryAfterSeconds: 1,
  });
