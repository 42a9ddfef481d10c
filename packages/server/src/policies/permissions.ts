import { ROLES, type Role, roleRank } from '@pangolin/shared/contract/roles';
import { coversScope } from '@pangolin/shared/contract/scopes';
import { PangolinError } from '@pangolin/shared/errors';
import type { Actor } from '../credentials/caller.ts';

/**
 * What each permission takes: the lowest role, and the scope that a narrowed credential must hold.
 * Without a scope, a narrowed credential never has the permission: it could otherwise widen itself through the
 * principals it manages.
 */
const PERMISSIONS = {
  'tokens:read': { role: 'tenant-user', scope: 'tokens:read' },
  'tokens:write': { role: 'tenant-user', scope: 'tokens:write' },
  'tokens:manage': { role: 'tenant-admin', scope: null },
  'service_users:read': { role: 'tenant-admin', scope: null },
  'service_users:write': { role: 'tenant-admin', scope: null },
  'users:read': { role: 'tenant-admin', scope: null },
  'users:write': { role: 'tenant-admin', scope: null },
  'catalogs:read': { role: 'tenant-user', scope: 'catalog:read' },
  'catalogs:write': { role: 'tenant-admin', scope: null },
  'settings:read': { role: 'tenant-user', scope: null },
  'settings:write': { role: 'tenant-admin', scope: null },
  'audit:read': { role: 'tenant-admin', scope: null },
} as const satisfies Record<string, { role: Role; scope: string | null }>;

export type Permission = keyof typeof PERMISSIONS;

/** Whether an actor may do something: the one function that decides. */
export function hasPermission(actor: Actor, permission: Permission): boolean {
  return hasRole(actor, permission) && hasScope(actor, permission);
}

/** Throws `forbidden` or `insufficient_scope`, naming what would be needed. */
export function requirePermission(actor: Actor, permission: Permission): void {
  if (!hasRole(actor, permission)) {
    throw new PangolinError(
      'forbidden',
      `This needs the role ${PERMISSIONS[permission].role}; yours is ${actor.role}.`,
      {
        hint: 'Ask an administrator of your tenant.',
      },
    );
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

/** Nobody hands out, or takes over, more than they are. Throws `forbidden`. */
export function requireRankOf(actor: Actor, role: Role, what: string): void {
  if (roleRank(role) <= roleRank(actor.role)) return;
  throw new PangolinError('forbidden', `${what} has the role ${role}, which is above yours (${actor.role}).`, {
    hint: `You may use: ${ROLES.filter((one) => roleRank(one) <= roleRank(actor.role)).join(', ')}.`,
  });
}

const hasRole = (actor: Actor, permission: Permission): boolean =>
  roleRank(actor.role) >= roleRank(PERMISSIONS[permission].role);

function hasScope(actor: Actor, permission: Permission): boolean {
  if (actor.scopes.length === 0) return true;
  const { scope } = PERMISSIONS[permission];
  if (scope === null) return false;
  // Whoever may read or write any part of a catalog may see that it is there.
  if (permission === 'catalogs:read') return actor.scopes.some((one) => one.startsWith('catalog:'));
  return coversScope(actor.scopes, scope);
}
