import type { label } from '@pangolin/shared/contract/fields';
import { badRequest } from './errors.ts';

/** Reads a text as the REST API does; what is null was not given. Throws `invalid_request`. */
export function readText(schema: typeof label, field: string, value: string | null | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw badRequest(`The field '${field}' ${describe(read.error.issues[0])}.`);
}

interface Issue {
  code?: string;
  message?: string;
  minimum?: unknown;
  maximum?: unknown;
}

function describe({ code, message, minimum, maximum }: Issue = {}): string {
  if (code === 'too_small') return `must be at least ${minimum} characters long`;
  if (code === 'too_big') return `must be at most ${maximum} characters long`;
  return message ?? 'is not valid';
}
