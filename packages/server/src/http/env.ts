import type { IncomingMessage } from 'node:http';
import type { Endpoint } from '@pangolin/shared/contract/endpoint';
import type { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Networks } from '../networks.ts';

/** What accompanies a request from its door to its handler. */
export interface Bindings {
  requestId: string;
  /** The HTTP message; absent in embedded mode. */
  incoming?: IncomingMessage;
  /** Whose X-Forwarded-For is believed; absent: nobody's. */
  trustedProxies?: Networks;
  /** Set by the embedded transport alone: the owner of the data directory asks, and brings no credential. */
  owner?: { client: string };
  /** How answers are made; the global Response unless the transport has something lighter. */
  createResponse?: (body: string | null, status: number, headers: Record<string, string>) => Response;
  /** For the Pangolin-Token-Expires header: set when the credential ends soon. */
  credentialExpires?: string;
  /** Which feature the path belongs to, for the counters. */
  group?: string;
  /** What the contract says of the request, once it is routed. */
  endpoint?: Endpoint;
  /** Who asks, once that is established. */
  caller?: Caller;
  /** What it did to credentials, such as `issued personal`, where its endpoint does not tell. */
  changes?: readonly string[];
  /** Why the request was refused or failed, once it was: for the audit log, the counters and the limits. */
  refusal?: PangolinError;
  /** What a refused request would have done, where that is known better than by its path. */
  refused?: { action: string; resourceType: string; resourceName: string };
}

export interface Env {
  Bindings: Bindings;
}
