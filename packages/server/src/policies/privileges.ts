import { PRIVILEGES, type Privilege } from '@pangolin/shared/contract/privileges';
import { type Role, roleRank } from '@pangolin/shared/contract/roles';

/** What root holds everywhere. */
export const ALL_PRIVILEGES: ReadonlySet<Privilege> = new Set(PRIVILEGES);

/** What a role may do in a tenant whose policies nobody has changed. */
export const DEFAULT_GRANTS: readonly { role: Role; privilege: Privilege }[] = [
  { role: 'tenant-user', privilege: 'GENERATE_PERSONAL_ACCESS_TOKENS' },
  ...PRIVILEGES.map((privilege) => ({ role: 'tenant-admin' as const, privilege })),
];

/**
 * What somebody of a role holds: all that is granted to the role or a lower one, and to the principal itself.
 * `roleGrants` as in `VIEW_AUDIT:tenant-admin MANAGE_USERS:tenant-admin`, `ownGrants` as in `VIEW_AUDIT MANAGE_USERS`.
 */
export function grantedTo(role: Role, roleGrants: string | null, ownGrants: string | null): ReadonlySet<Privilege> {
  if (role === 'root') return ALL_PRIVILEGES;
  const granted = new Set<Privilege>();
  for (const grant of split(roleGrants)) {
    const [privilege, grantee] = grant.split(':') as [Privilege, Role];
    if (roleRank(grantee) <= roleRank(role)) granted.add(privilege);
  }
  for (const privilege of split(ownGrants)) granted.add(privilege as Privilege);
  return granted;
}

const split = (list: string | null): string[] => (list === null || list === '' ? [] : list.split(' '));
