/** The durations that DataHub's clients choose from, by name; null: it does not expire. */
export const TOKEN_DURATIONS = {
  ONE_HOUR: 'PT1H',
  ONE_DAY: 'P1D',
  ONE_WEEK: 'P7D',
  ONE_MONTH: 'P30D',
  THREE_MONTHS: 'P90D',
  SIX_MONTHS: 'P180D',
  ONE_YEAR: 'P365D',
  NO_EXPIRY: null,
} as const;
export type TokenDuration = keyof typeof TOKEN_DURATIONS;

/** Their names, the shortest first. */
export const TOKEN_DURATION_NAMES = Object.keys(TOKEN_DURATIONS) as [TokenDuration, ...TokenDuration[]];

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Years, months, weeks, days, then hours, minutes and seconds: what each is worth, in milliseconds. */
const WORTH_MS = [365 * DAY_MS, 30 * DAY_MS, 7 * DAY_MS, DAY_MS, 60 * MINUTE_MS, MINUTE_MS, 1000];

const ISO_DURATION =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i;

/**
 * Reads an ISO 8601 duration of whole numbers, such as P30D or PT12H, into milliseconds; a month is 30 days here, a year 365.
 * Answers undefined for anything else, for none at all, and for what is longer than 10,000 years.
 */
export function readIsoDuration(text: string): number | undefined {
  const parts = ISO_DURATION.exec(text)?.slice(1);
  if (parts === undefined) return undefined;
  const ms = WORTH_MS.reduce((sum, worth, index) => sum + Number(parts[index] ?? 0) * worth, 0);
  return ms > 0 && ms <= 10_000 * 365 * DAY_MS ? ms : undefined;
}
