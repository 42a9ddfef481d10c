import { readIsoDuration, TOKEN_DURATIONS } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test.each([
  ['PT1H', HOUR],
  ['PT90M', 1.5 * HOUR],
  ['PT45S', 45_000],
  ['P1D', DAY],
  ['P1W', 7 * DAY],
  ['P1M', 30 * DAY],
  ['P1Y', 365 * DAY],
  ['P1Y2M3W4DT5H6M7S', (365 + 60 + 21 + 4) * DAY + 5 * HOUR + 6 * 60_000 + 7000],
  ['p30d', 30 * DAY],
])('%s lasts as long as it says; a month is 30 days, a year 365', (text, ms) => {
  expect(readIsoDuration(text)).toBe(ms);
});

test.each([
  ...['', 'P', 'PT', 'P1', '1D', 'P0D', 'PT0S', 'P-1D', '-P1D', 'P1.5D', 'PT0.5H', 'P1DT', 'P1H', 'PT1D', 'P1D1M'],
  ...['P1M1Y', ' P1D', 'P1D\n', 'P1D P1D', 'P10001Y', `P${'9'.repeat(400)}D`],
])('%j is no duration', (text) => {
  expect(readIsoDuration(text)).toBeUndefined();
});

test('every duration that is offered can be read, but for the one without an end', () => {
  const lengths = Object.entries(TOKEN_DURATIONS).map(([name, text]) => [name, text && readIsoDuration(text)]);
  expect(Object.fromEntries(lengths)).toEqual({
    ONE_HOUR: HOUR,
    ONE_DAY: DAY,
    ONE_WEEK: 7 * DAY,
    ONE_MONTH: 30 * DAY,
    THREE_MONTHS: 90 * DAY,
    SIX_MONTHS: 180 * DAY,
    ONE_YEAR: 365 * DAY,
    NO_EXPIRY: null,
  });
});
