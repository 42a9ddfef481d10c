import { lowerRole, ROLES, type Role, roleRank } from '@pangolin/shared/contract/roles';
import { coversScopes, expandScopes } from '@pangolin/shared/contract/scopes';
import type { CreateToken, IssuedToken } from '@pangolin/shared/contract/tokens';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { type Actor, type Caller, isUnauthenticated } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission, requireRankOf } from '../policies/permissions.ts';
import { requireReach } from '../policies/reach.ts';
import { findPrincipal, noSuchPrincipal, type Principal } from '../principals/principals.ts';
import { limitsFor } from '../settings/limits.ts';
import { readSettings } from '../settings/settings.ts';
import type { Executor } from '../store/schema.ts';
import type { Standing } from '../store/token-status.ts';
import { readTenant, requireTenant } from '../tenants/read-tenant.ts';
import { formatEnd, formatTime, wholeSecond } from '../times.ts';
import { type PreparedToken, prepareToken } from './issue.ts';
import { isParent, readExpiry } from './lifetime.ts';
import { standingBy } from './standing.ts';
import { countValidTokens, listOldestUnused } from './store.ts';

/** Mints a personal token for the caller, or by an administrator for somebody else; a username may be a service user's. */
export async function mintToken(
  deps: Deps,
  caller: Caller,
  input: CreateToken & { roles?: Role[] | undefined },
): Promise<IssuedToken> {
  const { actor } = caller;
  const tenantId = await chooseTenant(deps, actor, input.tenant_id);
  return mintTokenFor(deps, caller, await findOwner(deps, actor, tenantId, input), { ...input, tenant_id: tenantId });
}

/**
 * Mints a personal token for a principal, once it is known that the caller may; `tenant_id` is where it is good, the caller's
 * tenant unless given. What nobody may do is refused here: more than one is, longer than is allowed.
 */
export async function mintTokenFor(
  deps: Deps,
  caller: Caller,
  owner: Principal,
  input: Omit<CreateToken, 'user_id' | 'username'> & { roles?: Role[] | undefined },
): Promise<IssuedToken> {
  const { actor } = caller;
  const tenantId = input.tenant_id ?? actor.tenantId;
  const settings = await readSettings(deps.db.read, tenantId);
  const role = chooseRole(actor, owner, input.roles);
  const expiry = readExpiry(pickExpiry(input), limitsFor(role, settings), actor.credential, deps.now());
  const prepared = await prepareToken(deps, {
    kind: 'personal',
    owner,
    actorId: actor.id,
    tenantId,
    role,
    scopes: readScopes(actor, input.scopes),
    expiresAtMs: expiry.expiresAtMs,
    name: input.name ?? null,
    description: input.description ?? null,
    ownGrantsUntilMs: limitOwnGrants(actor, owner, role, deps.now()),
    unauthenticatedAs: isUnauthenticated(actor) ? actor.name : null,
    parent: readParent(actor),
  });
  await transactAs(
    deps,
    caller,
    async (tx) => {
      if (tenantId !== actor.tenantId) await requireTenant(tx, tenantId);
      const now = await findPrincipal(tx, { id: owner.id });
      if (!now) throw noSuchPrincipal(owner.name);
      if (now.id !== actor.id) await requireReach(tx, actor, now);
      if (!now.active)
        throw new PangolinError('conflict', `${now.name} is deactivated, so a token would be good for nothing.`, {
          hint: 'Activate it first: pangolin-admin update-user, or update-service-user, with --active true',
        });
      if (settings.max_tokens_per_user !== null)
        await refuseTooMany(tx, now, settings.max_tokens_per_user, standingBy(settings, deps));
      await prepared.store(tx, now.epoch);
      await recordAudit(tx, deps, caller, {
        action: 'token.created',
        resourceType: 'token',
        resourceId: prepared.row.id,
        resourceName: prepared.row.name ?? null,
        details: {
          kind: 'personal',
          owner_id: owner.id,
          owner_name: owner.name,
          role: prepared.row.role,
          scopes: JSON.parse(prepared.row.scopes),
          expires_at: formatEnd(expiry.expiresAtMs),
        },
      });
    },
    { credentials: 'unchanged' },
  );
  return presentIssued(prepared, expiry.source);
}

/** A new token, with its secret. */
export const presentIssued = ({ secret, row }: PreparedToken, source: IssuedToken['expiry_source']): IssuedToken => ({
  token: secret,
  id: row.id,
  jti: row.id,
  name: row.name ?? null,
  description: row.description ?? null,
  role: row.role,
  scopes: JSON.parse(row.scopes),
  tenant_id: row.tenant_id,
  created_at: formatTime(row.created_at),
  expires_at: formatEnd(row.expires_at),
  expiry_source: source,
});

const pickExpiry = ({ expires_in_days, expires_in_hours, expires_in_minutes, expires_at }: CreateToken) => ({
  expires_in_days,
  expires_in_hours,
  expires_in_minutes,
  expires_at,
});

/** Another tenant than one's own exists for root alone. */
async function chooseTenant(deps: Deps, actor: Actor, wanted: string | undefined): Promise<string> {
  const tenantId = wanted?.toLowerCase();
  if (tenantId === undefined || tenantId === actor.tenantId) return actor.tenantId;
  const mayEnter = actor.role === 'root' && actor.scopes.length === 0;
  const tenant = mayEnter ? await readTenant(deps.db.read, tenantId) : undefined;
  if (!tenant)
    throw new PangolinError('not_found', 'There is no such tenant.', { hint: 'Leave tenant_id out to use your own.' });
  return tenant.id;
}

async function findOwner(deps: Deps, actor: Actor, tenantId: string, input: CreateToken): Promise<Principal> {
  const { user_id: userId, username } = input;
  if (userId !== undefined && username !== undefined)
    throw new PangolinError('invalid_request', 'Give one of user_id, username, not both.');
  // A user's name wins over the caller's own: the embedded owner and service users stand outside the users' names.
  const named = username === undefined ? undefined : await findPrincipal(deps.db.read, { tenantId, username });
  const isSelf = named
    ? named.id === actor.id
    : username === undefined
      ? userId === undefined || userId.toLowerCase() === actor.id
      : username === actor.name;
  if (isSelf) {
    requirePermission(actor, 'tokens:create');
    const self = await findPrincipal(deps.db.read, { id: actor.id });
    if (self) return self;
  } else {
    requirePermission(actor, 'tokens:manage');
    const other =
      named ??
      (await findPrincipal(
        deps.db.read,
        userId === undefined ? { tenantId, serviceUserName: username ?? '' } : { tenantId, id: userId.toLowerCase() },
      ));
    if (other) {
      await requireReach(deps.db.read, actor, other);
      return other;
    }
  }
  throw noSuchPrincipal(userId ?? username ?? actor.name);
}

/** At most the caller's own role and the owner's; the owner without a credential mints ordinary tokens unless asked otherwise. */
export function chooseRole(actor: Actor, owner: Principal, wanted: Role[] | undefined): Role {
  if (wanted === undefined) return isOwnerItself(actor) ? 'tenant-user' : lowerRole(actor.role, owner.role);
  const role = ROLES[Math.max(...wanted.map(roleRank))] ?? 'tenant-user';
  requireRankOf(actor, role, 'The token');
  if (roleRank(role) > roleRank(owner.role)) {
    const message = `A token of the role ${role} would be above its owner's role, ${owner.role}.`;
    throw new PangolinError('forbidden', message, { hint: `Ask for at most that: --role ${owner.role}` });
  }
  return role;
}

const isOwnerItself = (actor: Actor): boolean =>
  actor.kind === 'owner' && (actor.credential.type === 'owner' || isUnauthenticated(actor));

/**
 * A token below its owner's role carries what its role does and nothing besides. One that somebody else mints carries what
 * its owner is granted by now, which is at most what that somebody holds; not what they are granted later.
 */
function limitOwnGrants(actor: Actor, owner: Principal, role: Role, nowMs: number): number | null {
  if (roleRank(role) < roleRank(owner.role)) return 0;
  return owner.id === actor.id ? actor.credential.ownGrantsUntilMs : nowMs;
}

function readScopes(actor: Actor, wanted: string[] | undefined): string[] {
  const scopes = expandScopes(wanted ?? actor.scopes);
  if (coversScopes(actor.scopes, scopes)) return scopes;
  throw new PangolinError(
    'insufficient_scope',
    `The credential holds ${actor.scopes.join(' ')} and cannot hand out more.`,
    {
      hint: `Ask for some of: ${actor.scopes.join(' ')}`,
    },
  );
}

function readParent({ credential }: Actor) {
  if (!isParent(credential) || credential.root === null) return null;
  return { tokenId: credential.type === 'api_key' ? null : credential.id, root: credential.root };
}

async function refuseTooMany(tx: Executor, owner: Principal, limit: number, standing: Standing): Promise<void> {
  if ((await countValidTokens(tx, owner, standing, limit)) < limit) return;
  const oldest = await listOldestUnused(tx, owner, standing);
  const listed = oldest.map(
    (token) => `${token.id} (${token.name ?? token.description ?? 'no name'}, ${describeUse(token)})`,
  );
  throw new PangolinError(
    'policy_refused',
    `${owner.name} has ${limit} valid tokens, and ${limit} is the most allowed here. Oldest unused: ${listed.join('; ')}.`,
    {
      hint: `Revoke one: pangolin-user revoke-token --id ${oldest[0]?.id ?? '<id>'}`,
    },
  );
}

const describeUse = (token: { created_at: number; last_used_at: number | null }): string =>
  token.last_used_at === null
    ? `never used, created ${formatTime(token.created_at)}`
    : `last used ${formatTime(wholeSecond(token.last_used_at))}`;
