import { badRequest } from './errors.ts';

/** What the fields of one request may cost together; each takes its part. */
export interface Budget {
  /** Rows that lists may answer. */
  rows: number;
  /** Rows times the fields that are asked of each. */
  cells: number;
  /** Values that filters may compare with. */
  values: number;
}

const MAX: Budget = { rows: 10_000, cells: 200_000, values: 100 };

export const createBudget = (): Budget => ({ ...MAX });

/** Takes rows of so many fields. Throws `invalid_request` when too few are left. */
export function takeRows(budget: Budget, rows: number, fieldsOfEach: number): void {
  if (rows > budget.rows)
    throw badRequest(
      `count is ${rows}: a request lists at most ${write(MAX.rows)} rows in all its lists together, of which ` +
        `${write(budget.rows)} are left here.`,
    );
  const cells = rows * fieldsOfEach;
  if (cells > budget.cells)
    throw badRequest(
      `${rows} rows of ${fieldsOfEach} fields each are more than one request answers: ${write(MAX.cells)} fields in all ` +
        'its lists together. Ask for fewer rows at once.',
    );
  budget.rows -= rows;
  budget.cells -= cells;
}

/** Takes values to compare with. Throws `invalid_request` when too few are left. */
export function takeValues(budget: Budget, values: number): void {
  if (values > budget.values)
    throw badRequest(`A request filters by at most ${write(MAX.values)} values, all its lists together.`);
  budget.values -= values;
}

const write = (count: number): string => count.toLocaleString('en-US');
