import type { Role } from '@pangolin/shared/contract/roles';
import { PangolinError } from '@pangolin/shared/errors';
import type { Deps } from '../deps.ts';
import { findPrincipal, type Principal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';

/** How a request names a grantee: by one of these, or not at all. */
export interface NamedGrantee {
  role?: Role | undefined;
  user_id?: string | undefined;
  username?: string | undefined;
  service_user_id?: string | undefined;
  service_user_name?: string | undefined;
}

/** Whom a grant is to; a role has no principal. */
export interface Grantee {
  kind: 'role' | 'user' | 'service_user';
  id: string;
  principal: Principal | undefined;
}

const NAMES = ['role', 'user_id', 'username', 'service_user_id', 'service_user_name'] as const;

/**
 * The role, user or service user of a tenant that is named, or undefined where none is.
 * Throws `invalid_request` for more than one, and `not_found`.
 */
export async function findGrantee(
  db: Executor,
  deps: Pick<Deps, 'installation'>,
  tenantId: string,
  named: NamedGrantee,
): Promise<Grantee | undefined> {
  const given = NAMES.filter((name) => named[name] !== undefined);
  if (given.length > 1) throw new PangolinError('invalid_request', `Give one of ${given.join(', ')}, not several.`);
  if (given.length === 0) return undefined;
  if (named.role !== undefined) return { kind: 'role', id: named.role, principal: undefined };
  const kind = named.user_id !== undefined || named.username !== undefined ? 'user' : 'service_user';
  const principal = await findNamed(db, tenantId, named);
  // The owner of the data directory is root and stands outside the users.
  if (principal?.kind === kind && principal.id !== deps.installation.ownerId)
    return { kind, id: principal.id, principal };
  const [what, list] = kind === 'user' ? ['user', 'list-users'] : ['service user', 'list-service-users'];
  throw new PangolinError('not_found', `There is no such ${what}.`, { hint: `See them: pangolin-admin ${list}` });
}

/** Throws `invalid_request` where a request must name a grantee and names none. */
export function requireGrantee(grantee: Grantee | undefined): Grantee {
  if (grantee) return grantee;
  throw new PangolinError('invalid_request', `To whom is missing: give one of ${NAMES.join(', ')}.`);
}

function findNamed(db: Executor, tenantId: string, named: NamedGrantee): Promise<Principal | undefined> {
  const { user_id, username, service_user_id, service_user_name: serviceUserName = '' } = named;
  const id = user_id ?? service_user_id;
  if (id !== undefined) return findPrincipal(db, { tenantId, id: id.toLowerCase() });
  return findPrincipal(db, username !== undefined ? { tenantId, username } : { tenantId, serviceUserName });
}
