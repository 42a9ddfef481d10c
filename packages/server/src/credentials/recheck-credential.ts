import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import type { Unit } from '../store/database.ts';
import type { Executor } from '../store/schema.ts';
import { requireTenant } from '../tenants/read-tenant.ts';
import { type Actor, type Caller, isUnauthenticated } from './caller.ts';
import { judgeApiKey, judgeToken } from './judge.ts';
import { findApiKeyStateIn, findTokenStateIn } from './store.ts';
import { judgeUnauthenticated } from './unauthenticated.ts';

/**
 * Runs a unit of work in the caller's name. Their credential is judged once more inside the transaction: one that was
 * ended while the request waited changes nothing any more, and neither does root in a tenant that was deleted (unless
 * `inDeletedTenant`). Throws as authentication does, and `not_found`.
 */
export const transactAs = <T>(
  deps: Deps,
  { actor }: Caller,
  unit: Unit<T>,
  options?: { credentials: 'unchanged'; inDeletedTenant?: true },
): Promise<T> =>
  deps.db.transact(async (tx) => {
    // Anybody else's credential ends with the tenant; root's does not.
    if (actor.role === 'root' && !options?.inDeletedTenant) await requireTenant(tx, actor.tenantId);
    await recheckCredential(tx, deps, actor);
    return unit(tx);
  }, options);

async function recheckCredential(tx: Executor, deps: Deps, actor: Actor): Promise<void> {
  const now = isUnauthenticated(actor)
    ? await judgeUnauthenticated(tx, deps, actor)
    : await judgeAgain(tx, deps, actor.credential);
  if (now && now.role !== actor.role) {
    throw new PangolinError('forbidden', `Your role was changed just now; it is ${now.role}.`, { hint: 'Try again.' });
  }
  const lost = now && [...actor.privileges].filter((privilege) => !now.privileges.has(privilege));
  if (lost && lost.length > 0)
    throw new PangolinError('forbidden', `${lost.join(', ')} was taken from you just now.`, { hint: 'Try again.' });
}

/**
 * Judges a token or API key by its row, as a request that presents it would be now; undefined for the embedded owner, who
 * presents none. Throws as authentication does.
 */
export async function judgeAgain(
  tx: Executor,
  deps: Pick<Deps, 'now'>,
  { id, type }: Pick<Actor['credential'], 'id' | 'type'>,
): Promise<Actor | undefined> {
  if (id === null) return undefined;
  if (type === 'api_key') {
    const state = await findApiKeyStateIn(tx, id);
    if (state) return judgeApiKey(state, deps.now());
    throw new PangolinError('api_key_revoked', 'The API key was rotated or revoked.');
  }
  const state = await findTokenStateIn(tx, id);
  if (state) return judgeToken(state, deps.now());
  throw new PangolinError('token_unknown', 'The token is not known here.');
}
