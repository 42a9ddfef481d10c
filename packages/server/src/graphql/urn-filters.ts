import type { Actor } from '../credentials/caller.ts';
import { findPrincipalByUrn, principalUrn } from '../datahub/principal-urns.ts';
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
}

/** Finds whom filters on `actorUrn` and `ownerUrn` name, where they say so exactly. Throws `invalid_request`. */
export async function resolveUrns(
  db: Executor,
  deps: Pick<Deps, 'installation' | 'ownerName'>,
  actor: Actor,
  filters: readonly TokenFilter[],
): Promise<ResolvedFilters> {
  const resolved: ResolvedFilters = { filters: [] };
  for (const filter of filters) {
    const { field, condition } = filter;
    const isExact = !filter.negated && (condition === 'EQUAL' || condition === 'IN');
    if (!isExact || filter.holds !== 'text' || (field !== 'actorUrn' && field !== 'ownerUrn')) {
      resolved.filters.push(filter);
      continue;
    }
    const found = await Promise.all(filter.values.map((urn) => resolveUrn(db, deps, actor, urn)));
    resolved.filters.push({ ...filter, values: [...new Set(found.flatMap(({ urns }) => urns))] });
    const ids = [...new Set(found.map(({ id }) => id))];
    const place = field === 'actorUrn' ? 'ownerIds' : 'minterIds';
    const before = resolved[place];
    resolved[place] = before ? before.filter((id) => ids.includes(id)) : ids;
  }
  return resolved;
}

/** Somebody's id, and the URNs that their tokens may bear; of who was deleted the id is the name that is left. */
async function resolveUrn(
  db: Executor,
  deps: Pick<Deps, 'installation' | 'ownerName'>,
  actor: Actor,
  urn: string,
): Promise<{ id: string; urns: string[] }> {
  const found = await findPrincipalByUrn(db, deps, actor, urn);
  if (!found) return { id: urn.slice(principalUrn({ kind: 'user', id: '', name: '' }).length), urns: [urn] };
  const urns = [principalUrn(found)];
  if (found.id !== deps.installation.ownerId || found.name !== deps.ownerName) return { id: found.id, urns };
  // The account's name now, and that of the account the installation was made with.
  const founder = await findPrincipal(db, { id: found.id });
  return { id: found.id, urns: founder ? [...urns, principalUrn(founder)] : urns };
}
