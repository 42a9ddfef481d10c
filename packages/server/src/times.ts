export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** RFC 3339 in UTC, without fractions when there are none: `2027-02-20T12:00:00Z`. */
export const formatTime = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z');

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
