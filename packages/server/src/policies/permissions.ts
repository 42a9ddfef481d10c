import type { Privilege } from '@pangolin/shared/contract/privileges';
import { ROLES, type Role, roleRank } from '@pangolin/shared/contract/roles';
import { coversScope } from '@pangolin/shared/contract/scopes';
import { PangolinError } from '@pangolin/shared/errors';
import { type Actor, isUnauthenticated } from '../credentials/caller.ts';

interface Requirement {
  /** What must be granted; or, where nothing is, the lowest role. */
  by: { privilege: Privilege } | { role: Role };
  /** What a narrowed credential must hold; null: a narrowed one never will do. */
  scope: string | null;
  /** What leaves authority behind that outlives a server without authentication takes more than being believed. */
  authenticated?: true;
}

/**
 * What each permission takes. Without a scope, a narrowed credential never has the permission: it could otherwise widen
 * itself through the principals it manages.
 */
const PERMISSIONS = {
  'tokens:read': { by: { role: 'tenant-user' }, scope: 'tokens:read' },
  'tokens:list': { by: { privilege: 'GENERATE_PERSONAL_ACCESS_TOKENS' }, scope: 'tokens:read' },
  'tokens:write': { by: { role: 'tenant-user' }, scope: 'tokens:write' },
  'tokens:create': { by: { privilege: 'GENERATE_PERSONAL_ACCESS_TOKENS' }, scope: 'tokens:write' },
  'tokens:manage': { by: { privilege: 'MANAGE_ACCESS_TOKENS' }, scope: null },
  'service_users:read': { by: { privilege: 'MANAGE_SERVICE_ACCOUNTS' }, scope: null },
  'service_users:write': { by: { privilege: 'MANAGE_SERVICE_ACCOUNTS' }, scope: null, authenticated: true },
  // To make one without a key, and to delete one.
  'service_accounts:write': { by: { privilege: 'MANAGE_SERVICE_ACCOUNTS' }, scope: null },
  'users:read': { by: { privilege: 'MANAGE_USERS' }, scope: null },
  'users:write': { by: { privilege: 'MANAGE_USERS' }, scope: null, authenticated: true },
  'catalogs:read': { by: { role: 'tenant-user' }, scope: 'catalog:read' },
  'catalogs:write': { by: { privilege: 'MANAGE_CATALOGS' }, scope: null },
  'settings:read': { by: { role: 'tenant-user' }, scope: null },
  'settings:write': { by: { role: 'tenant-admin' }, scope: null, authenticated: true },
  'policies:read': { by: { role: 'tenant-admin' }, scope: null },
  'policies:write': { by: { role: 'tenant-admin' }, scope: null, authenticated: true },
  'audit:read': { by: { privilege: 'VIEW_AUDIT' }, scope: null },
  'tenants:read': { by: { role: 'root' }, scope: null },
  'tenants:write': { by: { role: 'root' }, scope: null, authenticated: true },
  'signing_keys:read': { by: { role: 'root' }, scope: null },
  'signing_keys:write': { by: { role: 'root' }, scope: null, authenticated: true },
  'system_audit:read': { by: { role: 'root' }, scope: null },
} as const satisfies Record<string, Requirement>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether an actor may do something: the one function that decides. */
export function hasPermission(actor: Actor, permission: Permission): boolean {
  const { by, authenticated }: Requirement = PERMISSIONS[permission];
  return !(authenticated && isUnauthenticated(actor)) && isGranted(actor, by) && hasScope(actor, permission);
}

/** Throws `forbidden` or `insufficient_scope`, naming what would be needed. */
export function requirePermission(actor: Actor, permission: Permission): void {
  const { by, authenticated }: Requirement = PERMISSIONS[permission];
  if (authenticated) requireAuthentication(actor, 'this change');
  if (!isGranted(actor, by)) {
    const needed =
      'role' in by
        ? `the role ${by.role}; yours is ${actor.role}`
        : `the privilege ${by.privilege}, which is granted neither to you nor to your role ${actor.role}`;
    const hint = 'role' in by ? 'Ask an administrator of your tenant.' : describeRemedy(actor, by.privilege);
    throw new PangolinError('forbidden', `This needs ${needed}.`, { hint });
  }
  if (!hasScope(actor, permission)) {
    const { scope } = PERMISSIONS[permission];
    throw new PangolinError(
      'insufficient_scope',
      scope === null
        ? 'A credential that is narrowed by scopes cannot do this.'
        : `The credential lacks the scope ${scope}.`,
      {
        hint:
          scope === null
            ? 'Use a credential without scopes.'
            : `Mint one that has it: pangolin-user get-token --scope ${scope}`,
      },
    );
  }
}

/** Throws `forbidden` for whom a server without authentication only believes; `what` they ask for, in a few words. */
export function requireAuthentication(actor: Actor, what: string): void {
  if (!isUnauthenticated(actor)) return;
  throw new PangolinError(
    'forbidden',
    `This server runs without authentication, and ${what} would count on servers that authenticate, too.`,
    { hint: 'Do it with pangolin-admin on the data directory, without --url, or start the server without --no-auth.' },
  );
}

/** Nobody hands out, or takes over, more than they are. Throws `forbidden`. */
export function requireRankOf(actor: Actor, role: Role, what: string): void {
  if (roleRank(role) <= roleRank(actor.role)) return;
  throw new PangolinError('forbidden', `${what} has the role ${role}, which is above yours (${actor.role}).`, {
    hint: `You may use: ${ROLES.filter((one) => roleRank(one) <= roleRank(actor.role)).join(', ')}.`,
  });
}

/** What gives an actor a privilege; a name that a shell would read otherwise gives way to the id. */
function describeRemedy({ id, kind, name }: Actor, privilege: Privilege): string {
  if (kind === 'owner') return 'Use a token of a higher role: pangolin-user get-token --role tenant-admin';
  const flag = kind === 'user' ? '--user' : '--service-user';
  const named = /^[A-Za-z0-9][A-Za-z0-9._@+-]*$/.test(name) ? name : id;
  return `An administrator can grant it: pangolin-admin grant ${privilege} ${flag} ${named}`;
}

const isGranted = (actor: Actor, by: Requirement['by']): boolean =>
  'role' in by
    ? roleRank(actor.role) >= roleRank(by.role)
    : actor.role === 'root' || actor.privileges.has(by.privilege);

function hasScope(actor: Actor, permission: Permission): boolean {
  if (actor.scopes.length === 0) return true;
  const { scope } = PERMISSIONS[permission];
  if (scope === null) return false;
  // Whoever may read or write any part of a catalog may see that it is there.
  if (permission === 'catalogs:read') return actor.scopes.some((one) => one.startsWith('catalog:'));
  return coversScope(actor.scopes, scope);
}
