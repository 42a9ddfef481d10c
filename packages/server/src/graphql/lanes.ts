import { PangolinError } from '@pangolin/shared/errors';
import { giveWay } from '../turns.ts';

/** A request, by whom it is and how much it has the server keep while it waits, in characters. */
interface Asked {
  principalId: string;
  size: number;
}

/**
 * Runs what a principal asks, a few requests of each at once and the others after them. Work that has come to where it only
 * waits may leave before it is done.
 */
export type Lanes = <Done>(asked: Asked, work: (leave: () => void) => Promise<Done>) => Promise<Done>;

interface Lane {
  running: number;
  waiting: (() => void)[];
  /** Of those that wait, together. */
  size: number;
}

/**
 * One line for each principal, so that whoever asks much waits for themselves and not everybody for them: many requests that
 * arrive together would be answered before any other is looked at. Where a line has more waiting than `waiting`
 * characters, throws `too_many_requests`; who waits longer than `patienceMs`, as where a database does not answer, is told
 * `unavailable`.
 */
export function createLanes(limits: { running: number; waiting: number; patienceMs: number }): Lanes {
  const lanes = new Map<string, Lane>();

  async function handOver(principalId: string, lane: Lane): Promise<void> {
    // Others first, also where requests that arrived together are each answered without leaving the event loop.
    await giveWay();
    const next = lane.waiting.shift();
    // The place is handed over, not given up: the count stays.
    if (next) return next();
    lane.running -= 1;
    if (lane.running === 0) lanes.delete(principalId);
  }

  const waitIn = (lane: Lane, size: number): Promise<void> =>
    new Promise((enter, giveUp) => {
      if (lane.size + size > limits.waiting) throw tooManyAtOnce();
      lane.size += size;
      const begin = () => {
        clearTimeout(timer);
        lane.size -= size;
        enter();
      };
      const timer = setTimeout(() => {
        lane.waiting.splice(lane.waiting.indexOf(begin), 1);
        lane.size -= size;
        giveUp(takesTooLong());
      }, limits.patienceMs);
      lane.waiting.push(begin);
    });

  return async ({ principalId, size }, work) => {
    const lane = lanes.get(principalId) ?? { running: 0, waiting: [], size: 0 };
    lanes.set(principalId, lane);
    if (lane.running >= limits.running) await waitIn(lane, size);
    else lane.running += 1;
    let isIn = true;
    const leave = () => {
      if (isIn) void handOver(principalId, lane);
      isIn = false;
    };
    try {
      return await work(leave);
    } finally {
      leave();
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
