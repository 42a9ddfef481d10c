import type { Outcome } from './ask.ts';
import type { Promises, Shown } from './promises.ts';

/** The servers under load: wherever one listens now, and how long they may believe what was true. */
export interface Targets {
  origins(): string[];
  admin: string;
  /** Who that is, as DataHub names principals. */
  adminUrn: string;
  freshnessMs: number;
}

/** Each answers whether it was answered. */
export type Operation = (targets: Targets, promises: Promises) => Promise<boolean>;

/** Whether an operation was done. Not being available is no failure here; any other answer than the one wanted is. */
export function wasDone(
  promises: Promises,
  outcome: Outcome,
  wanted: number,
  what: string,
): outcome is NonNullable<Outcome> {
  if (!outcome || outcome.status === 503) {
    promises.counts.unavailable += 1;
    return false;
  }
  promises.counts.operations += 1;
  if (outcome.status === wanted) return true;
  promises.broken.push(`${what} was answered ${outcome.status}: ${JSON.stringify(outcome.json).slice(0, 300)}`);
  return false;
}

/** One that nobody else is ending: from now on nobody can be sure of it, until the answer is there. */
export function pickToEnd(promises: Promises, kind: Shown['kind']): Shown | undefined {
  const shown = pick(
    promises.all.filter((one) => one.kind === kind && one.parent === null && one.standing === 'valid'),
  );
  if (shown) shown.standing = 'unsure';
  return shown;
}

/** Takes note that the end of a credential was answered. */
export function end(shown: Shown): void {
  shown.standing = 'ended';
  shown.endedAtMs = performance.now();
}

/** One of the servers. */
export const anyOf = (targets: Targets): string => pick(targets.origins()) ?? '';

/** Any one of a list. */
export const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(Math.random() * list.length)];
