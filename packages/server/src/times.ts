export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** RFC 3339 in UTC, without fractions when there are none: `2027-02-20T12:00:00Z`. */
export const formatTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

/** The same for many times that lie close together, such as a log's: in a third of the time. Takes whole milliseconds. */
export function createTimeFormatter(): (ms: number) => string {
  let minute = Number.NaN;
  let beginning = '';
  return (ms) => {
    const current = Math.floor(ms / MINUTE_MS);
    if (current !== minute) {
      beginning = new Date(current * MINUTE_MS).toISOString().slice(0, -'00.000Z'.length);
      minute = current;
    }
    const rest = ms - current * MINUTE_MS;
    const second = Math.floor(rest / 1000);
    const fraction = rest % 1000;
    return `${beginning}${second < 10 ? '0' : ''}${second}${fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`}Z`;
  };
}

export const formatOptionalTime = (ms: number | null): string | null => (ms === null ? null : formatTime(ms));

/** The whole second that has begun; JWT times have no fractions (RFC 7519 §2). */
export const wholeSecond = (ms: number): number => Math.floor(ms / 1000) * 1000;

/** A clock that only goes forward, in milliseconds. (`performance` would load 12 modules of Node's for the same.) */
export const monotonicMs = (): number => process.uptime() * 1000;

/** Stands for "never" where a time cannot be missing: the last second that RFC 3339 can write. No policy reaches it. */
export const NEVER_MS = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The end of something that may never end, null then. */
export const formatEnd = (ms: number): string | null => (ms === NEVER_MS ? null : formatTime(ms));

/** The earlier of two ends; null is none. */
export const earlier = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);
