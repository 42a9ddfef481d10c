import { PangolinError } from '../errors.ts';

const DAY_MS = 86_400_000;

interface Day {
  year: number;
  month: number;
  day: number;
}

export interface ExpiryLimits {
  nowMs: number;
  maxDays: number;
  /** IANA name; the system's when left out. */
  timezone?: string | undefined;
}

/**
 * Reads a date `dd/MM/yyyy` as the end of that day in a time zone: one second before the next day begins there, whatever
 * daylight saving does to it. Throws `invalid_argument` for a date that does not exist or is past and for an unknown time
 * zone, `policy_refused` past the maximum; the messages name the range that is accepted.
 */
export function readExpiryDate(text: string, limits: ExpiryLimits): Date {
  const calendar = openCalendar(limits.timezone);
  const accepted = `an expiry date from ${describeRange(calendar, limits)} (dd/MM/yyyy) is accepted`;
  const day = parseDay(text);
  if (day === null) throw new PangolinError('invalid_argument', `'${text.slice(0, 20)}' is not a date; ${accepted}`);
  const endMs = endOfDay(calendar, day);
  if (endMs <= limits.nowMs) throw new PangolinError('invalid_argument', `${text} is past; ${accepted}`);
  if (endMs > limits.nowMs + limits.maxDays * DAY_MS) {
    throw new PangolinError('policy_refused', `${text} is later than the policy allows; ${accepted}`);
  }
  return new Date(endMs);
}

/** Tells which day it is somewhere. */
type Calendar = (atMs: number) => Day;

function openCalendar(timezone: string | undefined): Calendar {
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      ...(timezone === undefined ? {} : { timeZone: timezone }),
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    });
  } catch (cause) {
    throw new PangolinError('invalid_argument', `'${timezone?.slice(0, 50)}' is not a time zone`, {
      cause,
      hint: 'Give an IANA name such as Europe/Berlin or UTC',
    });
  }
  return (atMs) => {
    const parts = new Map(format.formatToParts(atMs).map(({ type, value }) => [type, Number(value)]));
    return { year: parts.get('year') ?? 0, month: parts.get('month') ?? 0, day: parts.get('day') ?? 0 };
  };
}

function parseDay(text: string): Day | null {
  const [, day, month, year] = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text) ?? [];
  const read: Day = { year: Number(year), month: Number(month), day: Number(day) };
  const date = new Date(dayNumber(read) * DAY_MS);
  return date.getUTCFullYear() === read.year && date.getUTCMonth() + 1 === read.month && date.getUTCDate() === read.day
    ? read
    : null;
}

/** Days since 1970 of a calendar date. */
const dayNumber = ({ year, month, day }: Day): number => Date.UTC(year, month - 1, day) / DAY_MS;

/** The last whole second of a day, by bisection: local midnights may be missing, and offsets are at most 15 hours. */
function endOfDay(calendar: Calendar, day: Day): number {
  const next = dayNumber(day) + 1;
  let before = (next * DAY_MS) / 1000 - 15 * 3600;
  let after = before + 30 * 3600;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (dayNumber(calendar(middle * 1000)) >= next) after = middle;
    else before = middle;
  }
  return before * 1000;
}

function describeRange(calendar: Calendar, { nowMs, maxDays }: ExpiryLimits): string {
  const limitMs = nowMs + maxDays * DAY_MS;
  const last = calendar(limitMs);
  const lastMs = dayNumber(last) * DAY_MS - (endOfDay(calendar, last) > limitMs ? DAY_MS : 0);
  const lastDay = new Date(lastMs);
  const end = { year: lastDay.getUTCFullYear(), month: lastDay.getUTCMonth() + 1, day: lastDay.getUTCDate() };
  return `${spell(calendar(nowMs))} to ${spell(end)}`;
}

const spell = ({ year, month, day }: Day): string =>
  `${String(day).padStart(2, '0')}/${String(month).padStart(2, '0')}/${year}`;
