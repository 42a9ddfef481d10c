import * as z from 'zod/mini';

/** Field shapes that several resources share. */

/** UUID of any version, lower or upper case, RFC 9562. */
export const uuid = z.guid('must be a UUID');

/** RFC 3339 time; answers are always in UTC, requests may carry an offset. */
export const time = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time such as 2027-01-31T00:00:00Z' });

const visible = z.regex(
  /^(?!\s)[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+(?<!\s)$/u,
  'must not start or end with a space or hold control characters',
);

/** What a person calls a thing: 1 to 255 visible characters. */
export const label = z.string().check(z.minLength(1), z.maxLength(255), visible);

/** Free text on one or several lines, at most 1,000 characters; may be empty. */
export const text = z
  .string()
  .check(z.maxLength(1000), z.regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\r\t])*$/u, 'must not hold control characters'));

const positiveWhole = z.int('must be a whole number').check(z.positive('must be at least 1'));

/** Lifetimes, in whole days, hours or minutes; the policy has the last word. */
export const days = positiveWhole;
export const hours = positiveWhole;
export const minutes = positiveWhole;

/** For how long something was not used, in whole days, as a query has it. */
export const unusedForDays = z.coerce.number().check(z.int(), z.minimum(1), z.maximum(3650));

/** Query of every list: `limit` 1–1000 (default 100), `offset` 0–10,000 or an opaque `cursor`, `count=true` for X-Total-Count. */
export const page = {
  limit: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(1000)), 100),
  offset: z._default(z.coerce.number().check(z.int(), z.minimum(0), z.maximum(10_000)), 0),
  cursor: z.optional(z.string().check(z.maxLength(500))),
  count: z._default(z.enum(['true', 'false']), 'false'),
};

/** The query of a list that filters by nothing. */
export const Page = z.strictObject(page);
export type Page = z.output<typeof Page>;

/** The path of everything addressed by its id. */
export const ById = z.strictObject({ id: uuid });
