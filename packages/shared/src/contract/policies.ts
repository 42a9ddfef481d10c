import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { ById, exactlyOne, label, Page, time, uuid } from './fields.ts';
import { PRIVILEGE_ALIASES, PRIVILEGES, readPrivilege } from './privileges.ts';
import { role } from './roles.ts';
import { spelledAs } from './spelling.ts';

/** A privilege on the wire; any known spelling is understood, the answer is in capitals. */
const privilege = z.pipe(
  z.string().check(spelledAs([...PRIVILEGES, ...PRIVILEGE_ALIASES])),
  z.transform((spelling, context) => {
    const known = readPrivilege(spelling);
    if (known) return known;
    context.issues.push({ code: 'custom', message: `must be one of ${PRIVILEGES.join(', ')}`, input: spelling });
    return z.NEVER;
  }),
);

/**
 * A privilege that somebody holds by policy. A role's `id` and `name` are the role itself, and what is granted to a role
 * counts for the roles above it too. `created_by: null`: the tenant was created with it.
 */
export const Grant = z.object({
  id: uuid,
  privilege: z.enum(PRIVILEGES),
  grantee: z.object({ kind: z.enum(['role', 'user', 'service_user']), id: z.string(), name: z.string() }),
  tenant_id: uuid,
  created_at: time,
  created_by: z.nullable(z.string()),
});
export type Grant = z.output<typeof Grant>;

/** Who is meant: one of the five. */
const grantee = {
  role: z.optional(role),
  user_id: z.optional(uuid),
  username: z.optional(label),
  service_user_id: z.optional(uuid),
  service_user_name: z.optional(label),
};

/** What is granted to whom. The role root holds every privilege already. */
export const CreateGrant = z
  .strictObject({ privilege, ...grantee })
  .check(exactlyOne('role', 'user_id', 'username', 'service_user_id', 'service_user_name'));
export type CreateGrant = z.input<typeof CreateGrant>;

/** Filters of the list: by a privilege, and by at most one grantee, whose own grants alone are listed. */
export const GrantPage = z.strictObject({ ...Page.shape, privilege: z.optional(privilege), ...grantee });
export type GrantPage = z.input<typeof GrantPage>;

const tag = 'Policies';
const path = '/api/v1/policies';

export const policiesApi = {
  list: endpoint({
    method: 'get',
    path,
    summary: 'List what is granted to whom',
    tag,
    access: 'credential',
    query: GrantPage,
    status: 200,
    answer: z.array(Grant),
  }),
  create: endpoint({
    method: 'post',
    path,
    summary: 'Grant a privilege to a role, a user or a service user; 200 where it was granted already',
    tag,
    access: 'credential',
    body: CreateGrant,
    status: 201,
    unchangedStatus: 200,
    answer: Grant,
  }),
  delete: endpoint({
    method: 'delete',
    path: `${path}/{id}`,
    summary: 'Revoke a grant; every credential loses the privilege at once',
    tag,
    access: 'credential',
    params: ById,
    status: 204,
    answer: null,
  }),
};
