import { describe, expect, test } from 'vitest';
import { readExpiryDate } from '../../../packages/shared/src/auth/expiry-date.ts';

const nowMs = Date.UTC(2026, 10, 22, 12);
const read = (text: string, timezone?: string, maxDays = 365) =>
  readExpiryDate(text, { nowMs, maxDays, timezone }).toISOString();

describe('an expiry date', () => {
  test.each([
    ['UTC', '31/01/2027', '2027-01-31T23:59:59.000Z'],
    ['Europe/Berlin', '31/01/2027', '2027-01-31T22:59:59.000Z'],
    ['America/Los_Angeles', '31/01/2027', '2027-02-01T07:59:59.000Z'],
    ['Asia/Kolkata', '31/01/2027', '2027-01-31T18:29:59.000Z'],
    ['Pacific/Kiritimati', '31/01/2027', '2027-01-31T09:59:59.000Z'],
    ['Pacific/Pago_Pago', '31/01/2027', '2027-02-01T10:59:59.000Z'],
  ])('means the end of that day in %s', (timezone, text, expected) => {
    expect(read(text, timezone)).toBe(expected);
  });

  test.each([
    ['the day the clocks go forward', 'Europe/Berlin', '28/03/2027', '2027-03-28T21:59:59.000Z'],
    ['the day before', 'Europe/Berlin', '27/03/2027', '2027-03-27T22:59:59.000Z'],
    ['the day the clocks go back', 'America/New_York', '07/11/2027', '2027-11-08T04:59:59.000Z'],
    ['the day before', 'America/New_York', '06/11/2027', '2027-11-07T03:59:59.000Z'],
    ['a day whose next begins at one o’clock', 'Africa/Cairo', '29/04/2027', '2027-04-29T21:59:59.000Z'],
  ])('is right on %s', (_when, timezone, text, expected) => {
    expect(readExpiryDate(text, { nowMs, maxDays: 400, timezone }).toISOString()).toBe(expected);
  });

  test('today is accepted, until its end', () => {
    expect(read('22/11/2026', 'UTC')).toBe('2026-11-22T23:59:59.000Z');
  });

  test('without a time zone means the system’s', () => {
    const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
    expect(read('31/01/2027')).toBe(read('31/01/2027', timeZone));
  });

  test.each(['31/02/2027', '01/13/2027', '00/01/2027', '29/02/2027', '1/1/2027', '2027-01-01', '31/12/27', ''])(
    'that does not exist (%s) is refused, naming the range',
    (text) => {
      expect(() => read(text, 'UTC')).toThrow(
        expect.objectContaining({
          code: 'invalid_argument',
          message: expect.stringContaining('22/11/2026 to 21/11/2027'),
        }),
      );
    },
  );

  test('yesterday is refused, naming the range', () => {
    expect(() => read('21/11/2026', 'UTC')).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining('is past') }),
    );
  });

  test('the last day of the range is accepted, and the next is refused by policy', () => {
    expect(read('21/11/2027', 'UTC')).toBe('2027-11-21T23:59:59.000Z');
    expect(() => read('22/11/2027', 'UTC')).toThrow(
      expect.objectContaining({ code: 'policy_refused', message: expect.stringContaining('22/11/2026 to 21/11/2027') }),
    );
  });

  test('in an unknown time zone is refused', () => {
    expect(() => read('31/01/2027', 'Mars/Olympus')).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});
