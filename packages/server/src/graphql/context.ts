import type { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';

/** What every resolver of one request shares. */
export interface GraphQLContext {
  deps: Deps;
  caller: Caller;
  /** How many more rows this request may list: several lists in one request share what one may have. */
  rowsLeft: number;
  /** By how many more values its lists may filter: each costs queries, or a comparison with every token. */
  filterValuesLeft: number;
  /** Notes why a field was refused, for the audit log and the counters. */
  refuse(field: string, error: PangolinError): void;
  /** Notes what a field did to credentials, such as `issued personal`, for the counters. */
  change(what: string): void;
}
