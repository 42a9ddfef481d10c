import type { WireClient } from '../wire-client.ts';

/** Connects on first use and answers the same client from then on; `create` allows a new embedded data directory. */
export type WireSource = (options?: { create?: boolean }) => Promise<WireClient>;
