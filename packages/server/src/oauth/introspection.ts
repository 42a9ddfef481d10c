import { roleRank } from '@pangolin/shared/contract/roles';
import { PangolinError } from '@pangolin/shared/errors';
import type { Actor } from '../credentials/caller.ts';
import { verifyCredential } from '../credentials/verify-credential.ts';
import type { Deps } from '../deps.ts';
import { oauthError } from './oauth-error.ts';

/** RFC 7662 §2.2: what is known of a good credential of one's own tenant; of any other only that it is not active. */
export async function introspect(deps: Deps, asking: Actor, secret: string): Promise<Record<string, unknown>> {
  const isAllowed = asking.kind === 'service_user' || roleRank(asking.role) >= roleRank('tenant-admin');
  if (!isAllowed) throw oauthError('unauthorized_client', 'Introspection is for service users and administrators.');
  const actor = await verifyOrUndefined(deps, secret);
  if (!actor || (actor.tenantId !== asking.tenantId && asking.role !== 'root')) return { active: false };
  const { credential } = actor;
  const iat = Math.floor(credential.createdAtMs / 1000);
  return {
    active: true,
    sub: actor.id,
    username: actor.name,
    tenant_id: actor.tenantId,
    role: actor.role,
    scope: actor.scopes.join(' '),
    token_type: credential.type === 'api_key' ? 'api_key' : 'Bearer',
    kind: credential.type,
    jti: credential.id,
    iss: deps.installation.issuer,
    aud: deps.installation.issuer,
    iat,
    nbf: iat,
    ...(actor.kind === 'service_user' ? { client_id: actor.id } : {}),
    ...(credential.expiresAtMs === null ? {} : { exp: Math.floor(credential.expiresAtMs / 1000) }),
  };
}

async function verifyOrUndefined(deps: Deps, secret: string): Promise<Actor | undefined> {
  try {
    return await verifyCredential(deps, secret);
  } catch (error) {
    if (error instanceof PangolinError && error.status === 401) return undefined;
    throw error;
  }
}
