import { PRIVILEGES, type Privilege } from '@pangolin/shared/contract/privileges';
import { type Role, roleRank } from '@pangolin/shared/contract/roles';
import { PangolinError } from '@pangolin/shared/errors';
import type { Actor } from '../credentials/caller.ts';
import type { Principal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import { requireRankOf } from './permissions.ts';
import { grantedTo } from './privileges.ts';
import { listGrantsConcerning } from './store.ts';

/** What can be reached for: a principal, or a token, which holds no more than its owner. */
export type Reached = Pick<Principal, 'id' | 'tenantId' | 'role' | 'name'>;

/**
 * Nobody takes over, mints for, changes or ends somebody who is or may do more: the role and every privilege that a
 * principal holds now must be the actor's too, also where it is the actor itself, asking with a credential that carries
 * less. Ask it in the transaction that acts. Throws `forbidden`.
 */
export async function requireReach(db: Executor, actor: Actor, principal: Reached): Promise<void> {
  requireRankOf(actor, principal.role, principal.name);
  const lacking = listLacking(actor);
  if (lacking.length === 0) return;
  const held = await readPrivileges(db, principal);
  const beyond = lacking.filter((privilege) => held.has(privilege));
  if (beyond.length === 0) return;
  throw new PangolinError('forbidden', `${principal.name} holds ${beyond.join(', ')}, and you do not.`, {
    hint: 'Ask somebody who does.',
  });
}

/**
 * The privileges that an actor does not hold: whoever holds one of them is out of reach. Who manages everybody's tokens does
 * not lack that of making one's own.
 */
export const listLacking = ({ role, privileges }: Actor): Privilege[] =>
  role === 'root'
    ? []
    : PRIVILEGES.filter(
        (privilege) =>
          !privileges.has(privilege) &&
          !(privilege === 'GENERATE_PERSONAL_ACCESS_TOKENS' && privileges.has('MANAGE_ACCESS_TOKENS')),
      );

/** Nobody hands out, or takes away, a privilege they do not hold. Throws `forbidden`. */
export function requireHolding(actor: Actor, privilege: Privilege): void {
  if (actor.role === 'root' || actor.privileges.has(privilege)) return;
  throw new PangolinError('forbidden', `You do not hold ${privilege}, so it is not yours to give or take.`, {
    hint: 'Ask somebody who does.',
  });
}

/** What a principal holds now: by its role, and granted to it alone. */
export const readPrivileges = async (
  db: Executor,
  principal: Pick<Principal, 'id' | 'tenantId' | 'role'>,
): Promise<ReadonlySet<Privilege>> => (await explainPrivileges(db, principal)).privileges;

/** The same, with the ids of the grants that give it. */
export async function explainPrivileges(
  db: Executor,
  { id, tenantId, role }: Pick<Principal, 'id' | 'tenantId' | 'role'>,
): Promise<{ privileges: ReadonlySet<Privilege>; grantIds: string[] }> {
  const rows = (await listGrantsConcerning(db, tenantId, id)).filter(
    ({ grantee_kind: kind, grantee_id: grantee }) => kind !== 'role' || roleRank(grantee as Role) <= roleRank(role),
  );
  const toRoles = rows.filter(({ grantee_kind }) => grantee_kind === 'role');
  const toItself = rows.filter(({ grantee_kind }) => grantee_kind !== 'role');
  const privileges = grantedTo(
    role,
    toRoles.map((row) => `${row.privilege}:${row.grantee_id}`).join(' '),
    toItself.map((row) => row.privilege).join(' '),
  );
  return { privileges, grantIds: rows.map((row) => row.id) };
}
