import type { Actor } from '../credentials/caller.ts';
import { findPrincipalByUrn, principalUrn, URN_PREFIX } from '../datahub/principal-urns.ts';
import type { Deps } from '../deps.ts';
import { findPrincipal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import type { TokenFilter } from './store.ts';

interface ResolvedFilters {
  filters: TokenFilter[];
  /** Whose tokens these can be only: `actorUrn`. */
  ownerIds?: string[] | undefined;
  /** By whom minted: `ownerUrn`. */
  minterIds?: string[] | undefined;
  /** Whether one of them is for exactly who asks. */
  isOwn: boolean;
}

type Known = Pick<Deps, 'installation' | 'ownerName' | 'authenticates'>;

/** Finds whom filters on `actorUrn` and `ownerUrn` name, where they say so exactly. Throws `invalid_request`. */
export async function resolveUrns(
  db: Executor,
  deps: Known,
  actor: Actor,
  filters: readonly TokenFilter[],
): Promise<ResolvedFilters> {
  const resolved: ResolvedFilters = { filters: [], isOwn: false };
  for (const filter of filters) {
    const { field, condition } = filter;
    const isExact = !filter.negated && (condition === 'EQUAL' || condition === 'IN');
    if (!isExact || filter.holds !== 'text' || (field !== 'actorUrn' && field !== 'ownerUrn')) {
      resolved.filters.push(filter);
      continue;
    }
    const found = await Promise.all(filter.values.map((urn) => resolveUrn(db, deps, actor, urn)));
    resolved.filters.push({ ...filter, values: [...new Set(found.flatMap(({ urns }) => urns))] });
    resolved.isOwn ||= found.every(({ isCaller }) => isCaller);
    const ids = [...new Set(found.map(({ id }) => id))];
    const place = field === 'actorUrn' ? 'ownerIds' : 'minterIds';
    const before = resolved[place];
    resolved[place] = before ? before.filter((id) => ids.includes(id)) : ids;
  }
  return resolved;
}

/** Somebody's id, and the URNs that their tokens may bear. */
async function resolveUrn(
  db: Executor,
  deps: Known,
  actor: Actor,
  urn: string,
): Promise<{ id: string; urns: string[]; isCaller: boolean }> {
  const { ownerId } = deps.installation;
  const found = await findPrincipalByUrn(db, deps, actor, urn);
  if (!found) {
    // Of who was deleted the id is the name that is left; where nobody is authenticated, a name was the owner's for a while.
    const name = urn.slice(URN_PREFIX.length);
    return { id: deps.authenticates || IS_ID.test(name) ? name : ownerId, urns: [urn], isCaller: false };
  }
  const urns = [principalUrn(found)];
  const isCaller = found.id === actor.id;
  if (found.id !== ownerId || found.name !== deps.ownerName) return { id: found.id, urns, isCaller };
  // The account's name now, and that of the account the installation was made with.
  const founder = await findPrincipal(db, { id: found.id });
  return { id: found.id, urns: founder ? [...urns, principalUrn(founder)] : urns, isCaller };
}

const IS_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
