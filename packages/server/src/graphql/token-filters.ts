import { anyText } from '@pangolin/shared/contract/fields';
import { type Budget, takeValues } from './budget.ts';
import { badRequest } from './errors.ts';
import type { NumberField, TextField, TokenFilter } from './store.ts';

/** A filter as it arrives, FacetFilterInput. */
export interface FacetFilter {
  field: string;
  values?: readonly string[] | null;
  value?: string | null;
  negated?: boolean | null;
  condition?: string | null;
}

const TEXT_CONDITIONS = ['EQUAL', 'IN', 'IEQUAL', 'CONTAIN', 'START_WITH', 'END_WITH', 'EXISTS'] as const;
const COMPARISONS = ['GREATER_THAN', 'GREATER_THAN_OR_EQUAL_TO', 'LESS_THAN', 'LESS_THAN_OR_EQUAL_TO'] as const;
const NUMBER_CONDITIONS = ['EQUAL', 'IN', ...COMPARISONS, 'EXISTS'] as const;

/** The fields of a token's metadata, by every name they have, and what kind of value they hold. */
const FIELDS = {
  urn: { name: 'urn', holds: 'text' },
  type: { name: 'type', holds: 'text' },
  id: { name: 'id', holds: 'text' },
  tokenId: { name: 'id', holds: 'text' },
  name: { name: 'name', holds: 'text' },
  tokenName: { name: 'name', holds: 'text' },
  description: { name: 'description', holds: 'text' },
  actorUrn: { name: 'actorUrn', holds: 'text' },
  ownerUrn: { name: 'ownerUrn', holds: 'text' },
  createdAt: { name: 'createdAt', holds: 'number' },
  expiresAt: { name: 'expiresAt', holds: 'number' },
} as const;

const MAX_FILTERS = 20;

/** Reads filters, all of which must hold. Throws `invalid_request`, naming what would be accepted. */
export function readFilters(budget: Budget, filters: readonly FacetFilter[]): TokenFilter[] {
  if (filters.length > MAX_FILTERS) throw badRequest(`At most ${MAX_FILTERS} filters are accepted.`);
  takeValues(
    budget,
    filters.reduce((sum, { values, value }) => sum + (values?.length ?? 0) + (value == null ? 0 : 1), 0),
  );
  return filters.map(readFilter);
}

function readFilter(filter: FacetFilter): TokenFilter {
  const { field } = filter;
  if (!Object.hasOwn(FIELDS, field))
    throw badRequest(`There is no field ${quote(field)} to filter by; there are ${Object.keys(FIELDS).join(', ')}.`);
  const { name, holds } = FIELDS[field as keyof typeof FIELDS];
  const condition = filter.condition ?? 'EQUAL';
  const negated = filter.negated ?? false;
  const values = condition === 'EXISTS' ? [] : readValues(filter);
  if (holds === 'text') {
    if (!includes(TEXT_CONDITIONS, condition)) throw wrongCondition(field, TEXT_CONDITIONS);
    return { holds, field: name as TextField, condition, values, negated };
  }
  if (!includes(NUMBER_CONDITIONS, condition)) throw wrongCondition(field, NUMBER_CONDITIONS);
  return {
    holds,
    field: name as NumberField,
    condition,
    values: values.map((value) => readNumber(field, value)),
    negated,
  };
}

/** `values`, or `value` as older clients and the documentation have it; of both, all. */
function readValues({ field, values, value }: FacetFilter): string[] {
  const given = [...(values ?? []), ...(typeof value === 'string' ? [value] : [])];
  if (given.length === 0) throw badRequest(`The filter on ${quote(field)} has no value: give values or value.`);
  const storable = anyText(0, 1_000);
  if (!given.every((one) => storable.safeParse(one).success))
    throw badRequest(
      `A value of the filter on ${quote(field)} cannot be: it is longer than 1,000 characters, or no text.`,
    );
  return given;
}

function readNumber(field: string, value: string): number {
  if (/^-?\d{1,15}$/.test(value)) return Number(value);
  throw badRequest(`The filter on ${quote(field)} takes milliseconds since 1970, not ${quote(value)}.`);
}

const wrongCondition = (field: string, accepted: readonly string[]) =>
  badRequest(`A filter on ${quote(field)} takes ${accepted.join(', ')}.`);

const includes = <Value extends string>(accepted: readonly Value[], value: string): value is Value =>
  (accepted as readonly string[]).includes(value);

const quote = (text: string): string => `'${text.slice(0, 100)}'`;
