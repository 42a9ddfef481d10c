import * as z from 'zod/mini';
import { spelledAs } from './spelling.ts';

/** What a principal may do, lowest first. */
export const ROLES = ['tenant-user', 'tenant-admin', 'root'] as const;
export type Role = (typeof ROLES)[number];

/** Orders roles: a higher rank may do more. */
export const roleRank = (role: Role): number => ROLES.indexOf(role);

/** The lower of two roles. */
export const lowerRole = (a: Role, b: Role): Role => (roleRank(a) <= roleRank(b) ? a : b);

/**
 * Reads a role in any spelling people use: `tenant-user`, `TenantUser`, `tenant_user`, `TENANT USER`.
 * Answers undefined for anything else.
 */
export function readRole(spelling: string): Role | undefined {
  const folded = spelling.toLowerCase().replace(/[-_ ]/g, '');
  return ROLES.find((role) => role.replace('-', '') === folded);
}

/** A role on the wire; any known spelling is understood, the answer is kebab-case. */
export const role = z.pipe(
  z.pipe(
    z.string().check(spelledAs(ROLES)),
    z.transform((spelling, context) => {
      const known = readRole(spelling);
      if (known) return known;
      context.issues.push({ code: 'custom', message: `must be one of ${ROLES.join(', ')}`, input: spelling });
      return z.NEVER;
    }),
  ),
  z.enum(ROLES),
);
