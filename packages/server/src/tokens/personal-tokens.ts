import type { TenantTokenPage } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import type { Actor } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { findPrincipal, noSuchPrincipal, type Principal } from '../principals/principals.ts';
import type { Standing } from '../store/token-status.ts';
import { readStanding } from './standing.ts';
import { countPersonalTokens, listPersonalTokens, type PersonalFilter, type TokenRow } from './store.ts';
import { walkTokens } from './stretches.ts';

/** After so many stretches an answer ends with what was found, and says where to go on. */
const MAX_STRETCHES = 50;

/** A page of tokens. `next` is where it goes on: after which id, and how many of those that match are to be skipped first. */
interface FoundTokens {
  items: TokenRow[];
  next: { key: string; offset: number } | null;
  /** How many there are on all pages. */
  count(): Promise<number>;
}

interface Window {
  beforeId: string | undefined;
  limit: number;
  offset: number;
}

/**
 * The tenant's personal tokens, newest first. It goes through them in the order of an index, at most 50,000 for an answer:
 * where a filter matches little, a page is shorter than asked for, or empty, and there is a next one.
 */
export async function findPersonalTokens(
  deps: Deps,
  actor: Actor,
  whose: Pick<TenantTokenPage, 'user_id' | 'username' | 'status'>,
  window: Window,
): Promise<FoundTokens> {
  requirePermission(actor, 'tokens:manage');
  const { tenantId } = actor;
  const filter = { tenantId, ownerId: await readOwner(deps, actor, whose), status: whose.status };
  const standing = await readStanding(deps.db.read, deps, tenantId);
  const walk = (startId?: string) =>
    walkTokens(
      deps.db.read,
      filter.ownerId === undefined ? { tenantId, kind: 'personal' } : { ownerId: filter.ownerId },
      startId,
    );
  return {
    ...(await readPage(deps, { filter, standing, stretches: walk(window.beforeId) }, window)),
    async count() {
      let total = 0;
      for await (const stretch of walk()) total += await countPersonalTokens(deps.db.read, filter, stretch, standing);
      return total;
    },
  };
}

async function readPage(
  deps: Deps,
  from: { filter: PersonalFilter; standing: Standing; stretches: ReturnType<typeof walkTokens> },
  { limit, offset }: Window,
): Promise<Pick<FoundTokens, 'items' | 'next'>> {
  const items: TokenRow[] = [];
  let toSkip = offset;
  let stretches = 0;
  for await (const stretch of from.stretches) {
    // One more than asked for tells whether there is a next page.
    const wanted = toSkip + limit + 1 - items.length;
    const found = await listPersonalTokens(deps.db.read, from.filter, stretch, from.standing, wanted);
    items.push(...found.slice(toSkip));
    toSkip = Math.max(0, toSkip - found.length);
    const last = items[limit - 1];
    if (items.length > limit && last) return { items: items.slice(0, limit), next: { key: last.id, offset: 0 } };
    stretches += 1;
    if (stretch.downToId !== undefined && stretches >= MAX_STRETCHES)
      return { items, next: { key: stretch.downToId, offset: toSkip } };
  }
  return { items, next: null };
}

/** As for minting: a user's name wins over the caller's own, and that over a service user's. */
async function readOwner(
  { db }: Deps,
  actor: Actor,
  { user_id: userId, username }: Pick<TenantTokenPage, 'user_id' | 'username'>,
): Promise<string | undefined> {
  if (userId !== undefined && username !== undefined) {
    const message = 'cannot be given together with user_id';
    throw new PangolinError('invalid_request', `The field 'username' ${message}.`, {
      fields: [{ field: 'username', message }],
    });
  }
  const { tenantId } = actor;
  let found: Pick<Principal, 'id'> | undefined;
  if (userId !== undefined) {
    const id = userId.toLowerCase();
    found = id === actor.id ? actor : await findPrincipal(db.read, { tenantId, id });
  } else if (username !== undefined) {
    found = await findPrincipal(db.read, { tenantId, username });
    if (!found && username === actor.name) found = actor;
    found ??= await findPrincipal(db.read, { tenantId, serviceUserName: username });
  } else return undefined;
  if (!found) throw noSuchPrincipal(userId ?? username ?? '');
  return found.id;
}
