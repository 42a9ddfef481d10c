import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { createNetworks, type Networks } from '../networks.ts';
import type { Actor, Caller } from './caller.ts';

/** Lists of CIDR blocks, as they are stored, read once and kept: the same few are asked for again and again. */
export interface NetworkLists {
  /** Whether an address is in one of the blocks of a list, which is JSON; no address is in none. */
  includes(list: string, address: string | null): boolean;
}

/** How many lists are kept: a tenant has one, and a service user may have one. */
const CAPACITY = 1_000;

/** Forgets the oldest list first. */
export function createNetworkLists(capacity = CAPACITY): NetworkLists {
  const known = new Map<string, Networks>();

  function read(list: string): Networks {
    const found = known.get(list);
    if (found) return found;
    const networks = createNetworks(JSON.parse(list));
    const oldest = known.size >= capacity ? known.keys().next() : undefined;
    if (oldest && !oldest.done) known.delete(oldest.value);
    known.set(list, networks);
    return networks;
  }

  return { includes: (list, address) => address !== null && read(list).includes(address) };
}

/**
 * Refuses a credential that is presented from outside its networks, its tenant's or its service user's.
 * Throws `address_not_allowed`, which names the address and not what is allowed.
 */
export function requireAddress(deps: Pick<Deps, 'networks'>, actor: Actor, address: string | null): void {
  for (const list of actor.allowedNetworks) {
    if (!deps.networks.includes(list, address)) throw addressNotAllowed(address, 'this credential');
  }
}

/** Refuses a login from outside the networks of a tenant, whoever it is that logs in. Throws `address_not_allowed`. */
export function requireLoginAddress(
  deps: Pick<Deps, 'networks'>,
  allowed: readonly string[],
  address: string | null,
): void {
  if (allowed.length > 0 && !deps.networks.includes(JSON.stringify(allowed), address))
    throw addressNotAllowed(address, 'logins to this tenant');
}

/** Refuses a list that would keep out whoever sets it. Throws `policy_refused`; the embedded owner is never kept out. */
export function refuseLockout(deps: Pick<Deps, 'networks'>, { origin }: Caller, networks: readonly string[]): void {
  const { address } = origin;
  if (networks.length === 0 || address === null || deps.networks.includes(JSON.stringify(networks), address)) return;
  throw new PangolinError(
    'policy_refused',
    `The list leaves out the address you ask from, ${address}: you would lock yourself out.`,
    { hint: `Include it: --allow-network ${address}` },
  );
}

const addressNotAllowed = (address: string | null, what: string) =>
  new PangolinError(
    'address_not_allowed',
    `Requests with ${what} are not accepted from ${address ?? 'an unknown address'}.`,
    {
      hint: 'Ask from an allowed network, or ask an administrator to allow this one: pangolin-admin update-settings',
    },
  );
