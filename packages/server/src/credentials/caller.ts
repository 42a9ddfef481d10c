import type { Privilege } from '@pangolin/shared/contract/privileges';
import type { Role } from '@pangolin/shared/contract/roles';
import { earlier } from '../times.ts';

/**
 * The credential a caller presented; `id` is a token's `jti` or an API key's public id, null for the embedded owner and for
 * whom a server without authentication believes (`none`).
 */
export interface PresentedCredential {
  type: 'owner' | 'none' | 'session' | 'personal' | 'access' | 'api_key';
  id: string | null;
  createdAtMs: number;
  /** Null: it does not expire by itself. */
  expiresAtMs: number | null;
  /** When the key or service user behind it ends, to the millisecond; null: not by itself. */
  endsAtMs: number | null;
  /** For an access token: how far it may be renewed; null: as far as what it descends from. */
  renewableUntilMs: number | null;
  /** What was granted to its owner alone counts if it was by then; null: whenever it was. */
  ownGrantsUntilMs: number | null;
  /** What it descends from: itself, the token or the key it was obtained with. */
  root: { kind: 'token' | 'api_key'; id: string } | null;
}

/** When a credential ends, or null when it does not by itself. */
export const endOf = ({ expiresAtMs, endsAtMs }: PresentedCredential): number | null => earlier(expiresAtMs, endsAtMs);

/** Who is asking, as established from a credential: what they may do now, not when it was issued. */
export interface Actor {
  id: string;
  kind: 'owner' | 'user' | 'service_user';
  name: string;
  email: string | null;
  /** Where the actor acts; another tenant than its own only for root. */
  tenantId: string;
  /** The lower of the credential's and its owner's role. */
  role: Role;
  /** Empty: everything the role allows. */
  scopes: readonly string[];
  /** What the policies of the tenant grant to this role and this principal; root holds everything without being granted it. */
  privileges: ReadonlySet<Privilege>;
  /** Lists of CIDR blocks, as JSON: the request must come from a block of each. */
  allowedNetworks: readonly string[];
  epoch: number;
  credential: PresentedCredential;
}

/** Whether a server without authentication believes somebody to be this: they have shown nothing. */
export const isUnauthenticated = ({ credential }: Pick<Actor, 'credential'>): boolean => credential.type === 'none';

/** Where a request came from. */
export interface Origin {
  address: string | null;
  client: string | null;
  requestId: string;
}

export interface Caller {
  actor: Actor;
  origin: Origin;
}
