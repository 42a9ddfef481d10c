import { PangolinError } from '@pangolin/shared/errors';
import type { Actor, Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { hasPermission, requirePermission } from '../policies/permissions.ts';
import type { Principal } from '../principals/principals.ts';
import { readUser } from '../users/users.ts';
import { findPrincipalByUrn, principalUrn, readPrincipalUrn, URN_PREFIX } from './principal-urns.ts';

/** A principal as DataHub knows users. Without `info` there is none of that name, as far as the caller may see. */
export interface CorpUser {
  urn: string;
  key: { username: string };
  info: { active: boolean; displayName: string; fullName: string; email?: string } | null;
}

/**
 * The principal that a URN names, as far as the caller may see it: itself, others with MANAGE_USERS, and service users with
 * MANAGE_SERVICE_ACCOUNTS. Throws `not_found` for other types of entities, and `invalid_request` for what is no URN.
 */
export async function findCorpUser(deps: Deps, caller: Caller, text: string): Promise<CorpUser> {
  refuseOtherTypes(text);
  const { actor } = caller;
  const found = await findPrincipalByUrn(deps.db.read, deps, actor, text);
  if (!found || !(found.id === actor.id || hasPermission(actor, permissionToSee(text)))) return present(text, null);
  const email = await readEmail(deps, caller, found);
  return present(principalUrn(found), {
    active: found.active,
    displayName: found.name,
    fullName: found.name,
    ...(email === null ? {} : { email }),
  });
}

/** The same, where there is one. Throws `not_found` besides, alike for whoever is not there and whoever may not be seen. */
export async function readCorpUser(deps: Deps, caller: Caller, text: string) {
  const { info, ...user } = await findCorpUser(deps, caller, text);
  if (info !== null) return { ...user, info };
  throw new PangolinError('not_found', 'There is no such user or service user, or you may not see it.', {
    hint: describeRemedy(caller.actor, text),
  });
}

const present = (urn: string, info: CorpUser['info']): CorpUser => ({
  urn,
  key: { username: urn.slice(URN_PREFIX.length) },
  info,
});

const permissionToSee = (text: string) =>
  'serviceUserId' in readPrincipalUrn(text) ? 'service_users:read' : 'users:read';

/** What would let the actor see others; if it may, where to look. */
function describeRemedy(actor: Actor, text: string): string {
  const permission = permissionToSee(text);
  try {
    requirePermission(actor, permission);
  } catch (error) {
    if (!(error instanceof PangolinError)) throw error;
    return `To see others: ${error.message} ${error.hint ?? ''}`.trim();
  }
  return `See who there is: pangolin-admin list-${permission === 'users:read' ? 'users' : 'service-users'}`;
}

/** The embedded owner and service users have none. */
async function readEmail(deps: Deps, caller: Caller, { id, kind }: Principal): Promise<string | null> {
  if (kind === 'service_user' || id === deps.installation.ownerId) return null;
  return (await readUser(deps, caller, id)).email;
}

/** Of DataHub's entities only users are kept here. */
function refuseOtherTypes(text: string): void {
  const type = /^urn:li:([a-zA-Z0-9]{1,50}):./s.exec(text)?.[1];
  if (type === undefined || type === 'corpuser') return;
  throw new PangolinError('not_found', `There is no ${type} here: this server keeps users and service users.`);
}
