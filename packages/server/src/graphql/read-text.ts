import type { label } from '@pangolin/shared/contract/fields';
import * as z from 'zod/mini';
import { readFields } from '../http/body.ts';

/** Reads a text as the REST API does; what is null was not given. Throws `invalid_request`. */
export function readText(schema: typeof label, field: string, value: string | null | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  const read = readFields(z.object({ [field]: schema }), { [field]: value }) as Record<string, string>;
  return read[field];
}
