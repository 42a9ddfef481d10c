import type { Log } from '../deps.ts';

/** So many lines a second of each kind are written one by one. */
const LINES_PER_SECOND = 50;
const SECOND_MS = 1_000;
const MAX_KINDS = 1_000;

/**
 * A log that an attacker cannot flood: warnings and errors beyond so many a second are counted, and the count is written
 * in their place. Lines that report what was done are all written.
 */
export function createBoundedLog(log: Log, now: () => number): Log & { close(): void } {
  let second = 0;
  let written = new Map<string, number>();
  let leftOut = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  function report(): void {
    clearTimeout(timer);
    timer = undefined;
    for (const [message, count] of leftOut) log.warn({ left_out: count, of: message }, 'lines left out');
    leftOut = new Map();
  }

  function admits(kind: string): boolean {
    const current = Math.floor(now() / SECOND_MS);
    if (current !== second) {
      second = current;
      written = new Map();
      report();
    }
    const message = written.size < MAX_KINDS || written.has(kind) ? kind : 'other';
    const count = (written.get(message) ?? 0) + 1;
    written.set(message, count);
    if (count <= LINES_PER_SECOND) return true;
    leftOut.set(message, (leftOut.get(message) ?? 0) + 1);
    timer ??= setTimeout(report, SECOND_MS).unref();
    return false;
  }

  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => {
      if (admits(message)) log.warn(fields, message);
    },
    error: (fields, message) => {
      if (admits(message)) log.error(fields, message);
    },
    close: report,
  };
}
