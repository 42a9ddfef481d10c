import type { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { Budget } from './budget.ts';

/** What every resolver of one request shares. */
export interface GraphQLContext {
  deps: Deps;
  caller: Caller;
  budget: Budget;
  /** Lets the principal's next request begin: what this one still does is to wait for a commit, which many may share. */
  stepAside(): void;
  /** Ends when what is being done now is done; see answer-in-turn.ts. */
  turn: Promise<unknown>;
  /** The ids of the tokens that were minted in this request. */
  minted: string[];
  /** Notes why a field was refused, for the audit log and the counters. */
  refuse(field: string, error: PangolinError): void;
  /** Notes what a field did to credentials, such as `issued personal`, for the counters. */
  change(what: string): void;
}
