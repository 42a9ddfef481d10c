import { lowerRole } from '@pangolin/shared/contract/roles';
import { coversScope } from '@pangolin/shared/contract/scopes';
import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import { grantedTo } from '../policies/privileges.ts';
import { earlier, NEVER_MS } from '../times.ts';
import type { Actor } from './caller.ts';
import { judgeKeyLifetime, judgeTokenLifetime } from './judge-lifetime.ts';
import type { ApiKeyState, TokenState } from './store.ts';

const ANYWHERE: readonly string[] = [];

/**
 * Decides from a token's row and everything it depends on who is asking, or why it is refused.
 * Times are exact here; the caller allows for clocks.
 */
export function judgeToken(state: TokenState, nowMs: number): Actor {
  if (state.revoked_at !== null) throw refused('token_revoked', 'The token was revoked.');
  if (state.unauthenticated_as !== null) throw unauthenticated();
  const owner = readOwner(state, nowMs);
  if (state.owner_tenant_id !== state.tenant_id && owner.role !== 'root') {
    // Minted by root in another tenant; whoever is not root any more is at home in their own alone.
    throw refused('token_wrong_tenant', 'The token is for another tenant than its owner’s, which only root may enter.');
  }
  judgeRoot(state, nowMs);
  judgeTokenLifetime(state.kind, { role: state.role, createdAtMs: state.created_at, endMs: state.expires_at }, state);
  const role = lowerRole(state.role, owner.role);
  return {
    id: state.owner_id,
    kind: owner.kind,
    name: owner.name,
    email: owner.email,
    tenantId: state.tenant_id,
    role,
    scopes: narrowScopes(JSON.parse(state.scopes), owner.scopes),
    privileges: grantedTo(role, state.role_grants, state.own_grants),
    allowedNetworks: readNetworks(state),
    epoch: state.epoch,
    credential: {
      type: state.kind,
      id: state.id,
      createdAtMs: state.created_at,
      expiresAtMs: state.expires_at === NEVER_MS ? null : state.expires_at,
      renewableUntilMs: state.renewable_until,
      ownGrantsUntilMs: state.own_grants_until,
      endsAtMs: earlier(state.key_expires_at, earlier(state.key_owner_expires_at, state.service_user_expires_at)),
      root: { kind: state.root_kind, id: state.root_id },
    },
  };
}

/** Decides from an API key's row and its service user who is asking, or why it is refused. */
export function judgeApiKey(state: ApiKeyState, nowMs: number): Actor {
  // Whatever the time of it: a clock that was put back must not revive a key.
  if (state.revoked_at !== null) throw keyRevoked();
  if (state.active !== 1) throw inactive('service user');
  if (state.epoch !== state.service_user_epoch) throw keyRevoked();
  const expiresAtMs = earlier(state.expires_at, state.service_user_expires_at);
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    throw refused(
      'api_key_expired',
      'The API key has expired.',
      'Ask an administrator: pangolin-admin rotate-service-user-key',
    );
  }
  judgeKeyLifetime(
    { role: state.role, createdAtMs: state.created_at, endMs: expiresAtMs },
    state,
    'api_key_lifetime_refused',
  );
  return {
    id: state.service_user_id,
    kind: 'service_user',
    name: state.name,
    email: null,
    tenantId: state.tenant_id,
    role: state.role,
    scopes: JSON.parse(state.scopes),
    privileges: grantedTo(state.role, state.role_grants, state.own_grants),
    allowedNetworks: readNetworks(state),
    epoch: state.epoch,
    credential: {
      type: 'api_key',
      id: state.id,
      createdAtMs: state.created_at,
      expiresAtMs,
      endsAtMs: expiresAtMs,
      renewableUntilMs: null,
      ownGrantsUntilMs: null,
      root: { kind: 'api_key', id: state.id },
    },
  };
}

/** What a token was obtained with must still be good: revocation cascades. */
function judgeRoot(state: TokenState, nowMs: number): void {
  if (state.root_kind === 'api_key') {
    const stopped = state.key_id === null || state.key_revoked_at !== null;
    const ownerStopped = state.key_owner_active !== 1 || state.key_owner_epoch !== state.key_epoch;
    if (stopped || ownerStopped)
      throw refused('token_revoked', 'The API key this token was obtained with was rotated or revoked.');
    const endMs = earlier(state.key_expires_at, state.key_owner_expires_at);
    if (endMs !== null && endMs <= nowMs) {
      throw refused('token_expired', 'The API key this token was obtained with has expired.');
    }
    const { key_owner_role: role, key_created_at: createdAtMs } = state;
    if (role !== null && createdAtMs !== null)
      judgeKeyLifetime({ role, createdAtMs, endMs }, state, 'token_lifetime_refused');
    return;
  }
  if (state.root_token_id === null || state.root_token_revoked_at !== null) {
    throw refused('token_revoked', 'The login or token this token was obtained with was revoked.');
  }
  const { root_token_kind: kind, root_token_role: role, root_token_created_at: createdAtMs } = state;
  if (kind !== null && role !== null && createdAtMs !== null)
    judgeTokenLifetime(kind, { role, createdAtMs, endMs: state.root_token_expires_at }, state);
}

function readOwner(state: TokenState, nowMs: number) {
  if (state.user_kind !== null && state.user_name !== null && state.user_role !== null) {
    if (state.user_active !== 1) throw inactive('user');
    if (state.user_epoch !== state.epoch) throw allRevoked();
    return { kind: state.user_kind, name: state.user_name, email: state.user_email, role: state.user_role, scopes: [] };
  }
  if (state.service_user_name !== null && state.service_user_role !== null && state.service_user_scopes !== null) {
    const expired = state.service_user_expires_at !== null && state.service_user_expires_at <= nowMs;
    if (state.service_user_active !== 1 || expired) throw inactive('service user');
    if (state.service_user_epoch !== state.epoch) throw allRevoked();
    const scopes: string[] = JSON.parse(state.service_user_scopes);
    return {
      kind: 'service_user' as const,
      name: state.service_user_name,
      email: null,
      role: state.service_user_role,
      scopes,
    };
  }
  throw inactive('principal');
}

/** The tenant's list of networks and the service user's; without any, every address will do. */
export function readNetworks(state: Pick<TokenState, 'tenant_networks' | 'service_user_networks'>): readonly string[] {
  const lists = [state.tenant_networks, state.service_user_networks].filter(
    (list): list is string => list !== null && list !== '[]',
  );
  return lists.length === 0 ? ANYWHERE : lists;
}

/** A token's scopes within its owner's; an owner without scopes narrows nothing. */
function narrowScopes(token: string[], owner: readonly string[]): readonly string[] {
  if (owner.length === 0) return token;
  if (token.length === 0) return owner;
  const both = token.filter((one) => coversScope(owner, one));
  // Nothing in common must not read as "no restriction".
  return both.length > 0 ? both : ['none'];
}

const refused = (code: ErrorCode, message: string, hint?: string) => new PangolinError(code, message, { hint });
const keyRevoked = () =>
  refused(
    'api_key_revoked',
    'The API key was rotated or revoked.',
    'Use the new key, or ask an administrator for one.',
  );
const allRevoked = () =>
  refused('token_revoked', 'Everything issued to the owner of this token before was revoked.', 'Log in again.');
const unauthenticated = () =>
  refused(
    'token_unauthenticated',
    'The token was made by a server without authentication: nobody had shown who they were.',
    'Mint a new one on the data directory: pangolin-user get-token, without --url; or after pangolin-user login',
  );
const inactive = (what: string) =>
  refused('principal_inactive', `The ${what} this credential belongs to is deactivated, expired or deleted.`);
