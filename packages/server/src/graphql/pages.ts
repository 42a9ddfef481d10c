import type { GraphQLResolveInfo } from 'graphql';
import { type Budget, takeRows } from './budget.ts';
import { badRequest } from './errors.ts';
import { countFields } from './limits.ts';

/** The largest `start` that is looked at; skipping costs as much as listing. */
const MAX_START = 10_000_000;

/** Reads `start` and `count`. Throws `invalid_request` for what is negative, or more than one request may list. */
export function readPage(
  budget: Budget,
  input: { start?: number | null; count?: number | null },
  defaultCount: number,
  asked: GraphQLResolveInfo,
): { start: number; count: number } {
  const start = input.start ?? 0;
  const count = input.count ?? defaultCount;
  if (start < 0 || start > MAX_START) throw badRequest(`start must be 0 to ${MAX_START}, not ${start}.`);
  if (count < 0) throw badRequest(`count must not be negative; it is ${count}.`);
  takeRows(budget, count, countFields(asked));
  return { start, count };
}
