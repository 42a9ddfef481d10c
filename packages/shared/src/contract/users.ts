import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { anyText, ById, email, label, Page, time, uuid } from './fields.ts';
import { PRIVILEGES } from './privileges.ts';
import { role } from './roles.ts';
import { Message } from './tokens.ts';

/** 8 to 1,024 characters (NIST SP 800-63B §3.1.1.2 asks for length, not for classes of characters). */
const newPassword = anyText(8, 1024);

export const User = z.object({
  id: uuid,
  username: z.string(),
  email: z.nullable(z.string()),
  role,
  tenant_id: uuid,
  active: z.boolean(),
  created_at: time,
  created_by: z.nullable(z.string()),
  last_login_at: z.nullable(time),
});
export type User = z.output<typeof User>;

/** The tenant by its id or its name; none (or null) means the default tenant. */
export const Login = z
  .strictObject({
    username: anyText(1, 255),
    password: anyText(1, 1024),
    tenant_id: z.optional(z.nullable(uuid)),
    tenant: z.optional(z.nullable(anyText(1, 255))),
  })
  .check(
    z.meta({
      not: {
        required: ['tenant', 'tenant_id'],
        properties: { tenant: { type: 'string' }, tenant_id: { type: 'string' } },
      },
    }),
  );
export type Login = z.input<typeof Login>;

export const LoggedIn = z.object({
  token: z.string(),
  expires_at: time,
  user: z.object({ id: uuid, username: z.string(), email: z.nullable(z.string()), role, tenant_id: uuid }),
});
export type LoggedIn = z.output<typeof LoggedIn>;

export const CREDENTIAL_TYPES = ['owner', 'none', 'session', 'personal', 'access', 'api_key'] as const;

/** Who is asking, with which credential, and what the policies grant to it (sorted; its scopes narrow that). */
export const Me = z.object({
  id: uuid,
  kind: z.enum(['owner', 'user', 'service_user']),
  username: z.string(),
  email: z.nullable(z.string()),
  role,
  tenant_id: uuid,
  privileges: z.array(z.enum(PRIVILEGES)),
  credential: z.object({
    type: z.enum(CREDENTIAL_TYPES),
    id: z.nullable(z.string()),
    expires_at: z.nullable(time),
    scopes: z.array(z.string()),
  }),
});
export type Me = z.output<typeof Me>;

/** Without a password one is generated and answered once. */
export const CreateUser = z.strictObject({
  username: label,
  email: z.optional(email),
  role: z._default(role, 'tenant-user'),
  password: z.optional(newPassword),
});
export type CreateUser = z.input<typeof CreateUser>;

/** `password` is there once, and only if it was generated. */
export const CreatedUser = z.extend(User, { password: z.optional(z.string()) });
export type CreatedUser = z.output<typeof CreatedUser>;

export const UpdateUser = z.strictObject({
  username: z.optional(label),
  email: z.optional(z.nullable(email)),
  role: z.optional(role),
  active: z.optional(z.boolean()),
});
export type UpdateUser = z.input<typeof UpdateUser>;

export const ResetPassword = z.strictObject({ password: z.optional(newPassword) });
export type ResetPassword = z.input<typeof ResetPassword>;

export const PasswordWasReset = z.object({ id: uuid, username: z.string(), password: z.optional(z.string()) });
export type PasswordWasReset = z.output<typeof PasswordWasReset>;

export const UserPage = z.strictObject({ ...Page.shape, username: z.optional(label) });
export type UserPage = z.output<typeof UserPage>;

const tag = 'Users and sessions';
const path = '/api/v1/users';

export const usersApi = {
  login: endpoint({
    method: 'post',
    path: `${path}/login`,
    summary: 'Log in with username and password',
    tag,
    access: 'public',
    body: Login,
    status: 200,
    refusals: [401, 429],
    answer: LoggedIn,
  }),
  logout: endpoint({
    method: 'post',
    path: `${path}/logout`,
    summary: 'End the session: revokes its token and what it obtained',
    tag,
    access: 'credential',
    body: z.strictObject({}),
    bodyOptional: true,
    status: 200,
    answer: Message,
  }),
  me: endpoint({
    method: 'get',
    path: `${path}/me`,
    summary: 'Who am I, and what may I do',
    tag,
    access: 'credential',
    status: 200,
    answer: Me,
  }),
  list: endpoint({
    method: 'get',
    path,
    summary: 'List users',
    tag,
    access: 'credential',
    query: UserPage,
    status: 200,
    answer: z.array(User),
  }),
  create: endpoint({
    method: 'post',
    path,
    summary: 'Create a user',
    tag,
    access: 'credential',
    body: CreateUser,
    status: 201,
    refusals: [409],
    answer: CreatedUser,
  }),
  get: endpoint({
    method: 'get',
    path: `${path}/{id}`,
    summary: 'Show a user',
    tag,
    access: 'credential',
    params: ById,
    status: 200,
    answer: User,
  }),
  update: endpoint({
    method: 'put',
    path: `${path}/{id}`,
    summary: 'Change a user',
    tag,
    access: 'credential',
    params: ById,
    body: UpdateUser,
    status: 200,
    refusals: [409],
    answer: User,
  }),
  delete: endpoint({
    method: 'delete',
    path: `${path}/{id}`,
    summary: 'Delete a user and every credential of theirs',
    tag,
    access: 'credential',
    params: ById,
    status: 204,
    refusals: [409],
    answer: null,
  }),
  resetPassword: endpoint({
    method: 'post',
    path: `${path}/{id}/password`,
    summary: "Reset a user's password and end every credential of theirs",
    tag,
    access: 'credential',
    params: ById,
    body: ResetPassword,
    bodyOptional: true,
    status: 200,
    refusals: [409],
    answer: PasswordWasReset,
  }),
};
