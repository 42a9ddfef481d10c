import { PangolinError } from '@pangolin/shared/errors';
import type { Observation } from './freshness.ts';

/** Asks how many commits have ended or narrowed a credential, and what time it is. */
export const OBSERVE =
  'select credentials, extract(epoch from clock_timestamp()) * 1000 as now from changes where one = 1';

/** Reads the answer to OBSERVE. */
export function readObservation(answer: { rows: Record<string, unknown>[] } | undefined): Observation {
  const { credentials, now } = answer?.rows[0] ?? {};
  if (typeof credentials !== 'number' || typeof now !== 'number') {
    throw new PangolinError('storage_damaged', 'The database is not whole: its table changes has no row.', {
      hint: 'Put its data back.',
      retryAfterSeconds: 1,
    });
  }
  return { credentials, nowMs: now };
}
