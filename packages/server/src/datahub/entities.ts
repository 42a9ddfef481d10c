import { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { hasPermission } from '../policies/permissions.ts';
import type { Principal } from '../principals/principals.ts';
import { readUser } from '../users/users.ts';
import { findPrincipalByUrn, principalUrn, URN_PREFIX } from './principal-urns.ts';

/** A principal as DataHub knows users; absent fields are unknown. */
export interface CorpUser {
  urn: string;
  key: { username: string };
  info: { active: boolean; displayName: string; fullName: string; email?: string };
}

/**
 * The principal that a URN names, as far as the caller may see it: itself, others with MANAGE_USERS, and service users with
 * MANAGE_SERVICE_ACCOUNTS. Throws `not_found` for everything else, whether it is there or not, and `invalid_request`.
 */
export async function readCorpUser(deps: Deps, caller: Caller, text: string): Promise<CorpUser> {
  refuseOtherTypes(text);
  const { actor } = caller;
  const found = await findPrincipalByUrn(deps.db.read, deps, actor, text);
  if (!found || !(found.id === actor.id || hasPermission(actor, permissionToSee(found)))) throw noSuchEntity();
  const urn = principalUrn(found);
  const email = await readEmail(deps, caller, found);
  return {
    urn,
    key: { username: urn.slice(URN_PREFIX.length) },
    info: {
      active: found.active,
      displayName: found.name,
      fullName: found.name,
      ...(email === null ? {} : { email }),
    },
  };
}

const permissionToSee = ({ kind }: Principal) => (kind === 'service_user' ? 'service_users:read' : 'users:read');

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

const noSuchEntity = () =>
  new PangolinError('not_found', 'There is no such user or service user, or you may not see it.', {
    hint: 'Seeing others takes MANAGE_USERS, and service users MANAGE_SERVICE_ACCOUNTS.',
  });
