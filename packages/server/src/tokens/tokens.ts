import type { IssuedToken } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { hasPermission, requirePermission } from '../policies/permissions.ts';
import { requireReach } from '../policies/reach.ts';
import { endCredentials, findPrincipal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import { DAY_MS, formatEnd } from '../times.ts';
import { prepareToken } from './issue.ts';
import { presentIssued } from './mint.ts';
import { readStanding } from './standing.ts';
import { deleteTokensExpiredBefore, findToken, noteRotation, revokeFamily, type TokenRow } from './store.ts';

/** How long a token's row outlives the token. */
const KEEP_AFTER_EXPIRY_MS = 30 * DAY_MS;

const PRUNED_AT_ONCE = 1_000;

/** One's own token, or for an administrator any of the tenant's; somebody else's is not found, unless one may have minted it. */
export async function readToken(
  deps: Deps,
  caller: Caller,
  id: string,
  db: Executor = deps.db.read,
  whose: 'theirs' | 'or minted by them' = 'theirs',
): Promise<TokenRow> {
  const { actor } = caller;
  const row = await findToken(db, actor.tenantId, id.toLowerCase(), await readStanding(db, deps, actor.tenantId));
  const isTheirs = row?.owner_id === actor.id || (whose === 'or minted by them' && row?.actor_id === actor.id);
  if (row && (isTheirs || hasPermission(actor, 'tokens:manage'))) return row;
  throw new PangolinError('not_found', 'There is no such token.', {
    hint: 'See your tokens: pangolin-user list-tokens --all',
  });
}

/** The id of the token that was presented. Throws `invalid_request` for other credentials. */
export function requirePresentedToken({ actor }: Caller): string {
  const { type, id } = actor.credential;
  if (id !== null && type !== 'api_key') return id;
  throw new PangolinError(
    'invalid_request',
    `The request was made with ${type === 'api_key' ? 'an API key' : 'no credential'}, not with a token.`,
    {
      hint:
        type === 'api_key'
          ? 'To end an API key: pangolin-admin rotate-service-user-key'
          : 'Name a token: pangolin-user revoke-token --id <id>',
    },
  );
}

/** Revokes the presented token and everything obtained with it; needs no permission: whoever holds it may end it. */
export async function revokePresentedToken(deps: Deps, caller: Caller, reason: string | undefined): Promise<void> {
  const id = requirePresentedToken(caller);
  await deps.db.transact((tx) => revoke(tx, deps, caller, { id, name: null }, reason));
}

/**
 * Revokes a token and everything obtained with it; of one that was rotated, what took its place. Besides its owner and
 * administrators, whoever minted it may. Answers the id of the token that was ended, or null when it was revoked already:
 * then nothing changes.
 */
export async function revokeToken(
  deps: Deps,
  caller: Caller,
  id: string,
  reason: string | undefined,
): Promise<string | null> {
  const { actor } = caller;
  requirePermission(actor, 'tokens:write');
  return transactAs(deps, caller, async (tx) => {
    let row = await readToken(deps, caller, id, tx, 'or minted by them');
    while (row.rotated_to !== null) row = await readToken(deps, caller, row.rotated_to, tx, 'or minted by them');
    if (row.owner_id !== actor.id && row.actor_id !== actor.id) {
      const { owner_id: ownerId, tenant_id: tenantId, role } = row;
      await requireReach(tx, actor, { id: ownerId, tenantId, role, name: 'The token' });
    }
    if (row.revoked_at !== null) return null;
    await revoke(tx, deps, caller, row, reason);
    return row.id;
  });
}

/** Revokes everything issued to a principal until now. */
export async function revokeTokensOf(
  deps: Deps,
  caller: Caller,
  principalId: string,
  reason: string | undefined,
): Promise<string> {
  const { actor } = caller;
  requirePermission(actor, principalId.toLowerCase() === actor.id ? 'tokens:write' : 'tokens:manage');
  if (actor.scopes.length > 0) requirePermission(actor, 'tokens:manage');
  return transactAs(deps, caller, async (tx) => {
    const principal = await findPrincipal(tx, { tenantId: actor.tenantId, id: principalId.toLowerCase() });
    if (!principal)
      throw new PangolinError('not_found', 'There is no such user.', {
        hint: 'See the users: pangolin-admin list-users',
      });
    if (principal.id !== actor.id) await requireReach(tx, actor, principal);
    await endCredentials(tx, principal, { at: deps.now(), by: actor.id });
    await recordAudit(tx, deps, caller, {
      action: `${principal.kind}.credentials_revoked`,
      resourceType: principal.kind,
      resourceId: principal.id,
      resourceName: principal.name,
      details: reason === undefined ? {} : { reason },
    });
    return principal.name;
  });
}

/** Replaces the presented token by one with the same name, scopes, role and end; the old one stops in the same commit. */
export async function rotateToken(deps: Deps, caller: Caller): Promise<IssuedToken> {
  const { actor } = caller;
  requirePermission(actor, 'tokens:create');
  const old = await readToken(deps, caller, requirePresentedToken(caller));
  const isOwnRoot = old.root_id === old.id;
  const prepared = await prepareToken(deps, {
    kind: old.kind,
    owner: { id: old.owner_id, kind: old.owner_kind, name: actor.name, epoch: actor.epoch },
    // Whoever it was obtained by answers for it still.
    actorId: old.actor_id,
    tenantId: old.tenant_id,
    role: old.role,
    scopes: JSON.parse(old.scopes),
    expiresAtMs: old.expires_at,
    renewableUntilMs: old.renewable_until,
    ownGrantsUntilMs: old.own_grants_until,
    // A login may be renewed for so long from when it was made; rotating it must not start that anew.
    ...(old.kind === 'session' ? { createdAtMs: old.created_at } : {}),
    name: old.name,
    description: old.description,
    parent: isOwnRoot ? null : { tokenId: old.parent_id, root: { kind: old.root_kind, id: old.root_id } },
  });
  await transactAs(deps, caller, async (tx) => {
    const reason = `rotated to ${prepared.row.id}`;
    await revokeFamily(tx, old.id, { at: deps.now(), by: actor.id, reason });
    await noteRotation(tx, old.id, prepared.row.id);
    await prepared.store(tx, old.epoch);
    await recordAudit(tx, deps, caller, {
      action: 'token.rotated',
      resourceType: 'token',
      resourceId: old.id,
      resourceName: old.name,
      details: { new_token_id: prepared.row.id, expires_at: formatEnd(old.expires_at) },
    });
  });
  return presentIssued(prepared, 'requested');
}

/** Forgets tokens that expired more than 30 days ago, some at a time, so that others get to write in between. */
export async function pruneExpiredTokens(deps: Deps): Promise<void> {
  const before = deps.now() - KEEP_AFTER_EXPIRY_MS;
  for (;;) {
    const { numDeletedRows } = await deps.db.transact((tx) => deleteTokensExpiredBefore(tx, before, PRUNED_AT_ONCE), {
      credentials: 'unchanged',
    });
    if (numDeletedRows < PRUNED_AT_ONCE) return;
  }
}

async function revoke(
  tx: Executor,
  deps: Deps,
  caller: Caller,
  token: { id: string; name: string | null },
  reason: string | undefined,
): Promise<void> {
  const ended = await revokeFamily(tx, token.id, { at: deps.now(), by: caller.actor.id, reason: reason ?? null });
  if (ended === 0) return;
  await recordAudit(tx, deps, caller, {
    action: 'token.revoked',
    resourceType: 'token',
    resourceId: token.id,
    resourceName: token.name,
    details: { ...(reason === undefined ? {} : { reason }), revoked_with_it: ended - 1 },
  });
}
