import * as z from 'zod/mini';

/** Field shapes that several resources share. */

/** UUID of any version, lower or upper case, RFC 9562. */
export const uuid = z.guid('must be a UUID');

/** RFC 3339 time; answers are always in UTC, requests may carry an offset. */
export const time = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-31T00:00:00Z' });

/**
 * Characters by what they are, spelled out: `\p{…}` and lookbehind, which would be shorter, are unknown to the regular
 * expressions of most programs that read the OpenAPI document.
 */
const CONTROL = '\\u0000-\\u001f\\u007f-\\u009f';
const LINE_BREAK = '\\u2028\\u2029';
const SPACE = ' \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000';
const INVISIBLE =
  '\\u00ad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u180e\\u200b-\\u200f\\u202a-\\u202e' +
  '\\u2060-\\u2064\\u2066-\\u206f\\ufeff\\ufff9-\\ufffb\u{110bd}\u{110cd}\u{13430}-\u{1343f}\u{1bca0}-\u{1bca3}' +
  '\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}';
const HIDDEN = CONTROL + LINE_BREAK + INVISIBLE;

/** A regular expression that is the same in every dialect. */
const pattern = (source: string, message: string) => z.regex(new RegExp(source, 'u'), message);

/** Halves of a surrogate pair are no characters (RFC 3629 §3): what is stored would not be what was sent. */
const wellFormed = z.refine<string>((value) => !/\p{Cs}/u.test(value), 'must be well-formed Unicode');

/** Counts characters as JSON Schema does: what takes two UTF-16 units is one. */
const long = (minimum: number, maximum: number) => {
  const origin = 'string';
  return [
    z.check<string>(({ value, issues }) => {
      const units = value.length;
      // A long text is counted only where the number of its units does not tell.
      if (units >= 2 * minimum && units <= maximum) return;
      const length = units > 2 * maximum ? units : [...value].length;
      const issue = { origin, inclusive: true, input: value } as const;
      if (length < minimum) issues.push({ ...issue, code: 'too_small', minimum });
      if (length > maximum) issues.push({ ...issue, code: 'too_big', maximum });
    }),
    z.meta({ ...(minimum > 0 && { minLength: minimum }), maxLength: maximum }),
  ] as const;
};

/** Any text a database takes, of so many characters. */
export const anyText = (minimum: number, maximum: number) =>
  z
    .string()
    .check(wellFormed, pattern('^[^\\u0000]*$', 'must not hold the character U+0000'), ...long(minimum, maximum));

/** What a person calls a thing: 1 to 255 visible characters. */
export const label = z
  .string()
  .check(
    wellFormed,
    ...long(1, 255),
    pattern(
      `^[^${HIDDEN}${SPACE}](?:[^${HIDDEN}]*[^${HIDDEN}${SPACE}])?$`,
      'must not start or end with a space or hold control characters',
    ),
  );

/** Free text on one or several lines, at most 1,000 characters; may be empty. */
export const text = z
  .string()
  .check(
    wellFormed,
    pattern('^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f]*$', 'must not hold control characters'),
    ...long(0, 1000),
  );

/** An e-mail address, as far as one can tell by looking at it. */
export const email = z
  .string()
  .check(
    wellFormed,
    pattern(`^[^@${HIDDEN}${SPACE}]+@[^@${HIDDEN}${SPACE}]+$`, 'must be an e-mail address'),
    ...long(3, 254),
  );

/** A whole number in a query, in decimal digits. */
export const wholeNumber = (minimum: number, maximum: number) =>
  z.pipe(
    z.transform((value: unknown) =>
      typeof value === 'string' && /^(?:0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value,
    ),
    z.int('must be a whole number').check(z.minimum(minimum), z.maximum(maximum)),
  );

/** Says in the OpenAPI document that a request carries at most one field of each group. */
export const atMostOne = (...groups: string[][]) =>
  z.meta({
    allOf: groups.flatMap((names) =>
      names.flatMap((one, at) => names.slice(at + 1).map((other) => ({ not: { required: [one, other] } }))),
    ),
  });

/** Says in the OpenAPI document that a request carries exactly one of these fields. */
export const exactlyOne = (...names: string[]) => z.meta({ oneOf: names.map((name) => ({ required: [name] })) });

const positiveWhole = z.int('must be a whole number').check(z.positive('must be at least 1'));

/** Lifetimes, in whole days, hours or minutes; the policy has the last word. */
export const days = positiveWhole;
export const hours = positiveWhole;
export const minutes = positiveWhole;

/** For how long something was not used, in whole days, as a query has it. */
export const unusedForDays = wholeNumber(1, 3650);

/** Query of every list: `limit` 1–1000 (default 100), `offset` 0–10,000 or an opaque `cursor`, `count=true` for X-Total-Count. */
export const page = {
  limit: z._default(wholeNumber(1, 1000), 100),
  offset: z._default(wholeNumber(0, 10_000), 0),
  cursor: z.optional(z.string().check(z.regex(/^[A-Za-z0-9_-]{1,2000}$/, 'is not one this server gave out'))),
  count: z._default(z.enum(['true', 'false']), 'false'),
};

/** The query of a list that filters by nothing. */
export const Page = z.strictObject(page);
export type Page = z.output<typeof Page>;

/** The path of everything addressed by its id. */
export const ById = z.strictObject({ id: uuid });
