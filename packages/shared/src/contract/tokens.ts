import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { atMostOne, ById, days, exactlyOne, hours, label, minutes, page, text, time, uuid } from './fields.ts';
import { role } from './roles.ts';
import { scopes } from './scopes.ts';

/** `personal`: minted by get-token; `session`: an interactive login; `access`: obtained by OAuth 2.0. */
export const TOKEN_KINDS = ['personal', 'session', 'access'] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** At most one of the `expires_…` fields; none means the policy's default, `expires_at: null` that it never expires. */
export const CreateToken = z
  .strictObject({
    name: z.optional(label),
    description: z.optional(text),
    expires_in_days: z.optional(days),
    expires_in_hours: z.optional(hours),
    expires_in_minutes: z.optional(minutes),
    expires_at: z.optional(z.nullable(time)),
    scopes: z.optional(scopes),
    /** Root only: mint in another tenant. */
    tenant_id: z.optional(uuid),
    /** Mint for somebody else: at most one of the two; needs an administrator. */
    user_id: z.optional(uuid),
    username: z.optional(label),
    /** The token gets the highest of these; never above the caller's own. */
    roles: z.optional(z.array(role).check(z.minLength(1), z.maxLength(3))),
  })
  .check(
    atMostOne(['expires_in_days', 'expires_in_hours', 'expires_in_minutes', 'expires_at'], ['user_id', 'username']),
  );
export type CreateToken = z.input<typeof CreateToken>;

/** Why the token expires when it does. */
export const EXPIRY_SOURCES = ['requested', 'policy_default', 'parent_credential'] as const;

/** A new token; `token` is its secret, shown this once. `id` and `jti` are the same; without expiry `expires_at` is null. */
export const IssuedToken = z.object({
  token: z.string(),
  id: uuid,
  jti: uuid,
  name: z.nullable(z.string()),
  description: z.nullable(z.string()),
  role,
  scopes: z.array(z.string()),
  tenant_id: uuid,
  created_at: time,
  expires_at: z.nullable(time),
  expiry_source: z.enum(EXPIRY_SOURCES),
});
export type IssuedToken = z.output<typeof IssuedToken>;

/**
 * A token as it is listed; never the token itself. `id` and `token_id` are the same; without expiry `expires_at` is null.
 * `created_by_id` minted it, or logged in; `created_by` is their name, null when they are deleted.
 */
export const Token = z.object({
  id: uuid,
  token_id: uuid,
  kind: z.enum(TOKEN_KINDS),
  name: z.nullable(z.string()),
  description: z.nullable(z.string()),
  user_id: uuid,
  username: z.string(),
  role,
  tenant_id: uuid,
  scopes: z.array(z.string()),
  created_at: time,
  created_by_id: uuid,
  created_by: z.nullable(z.string()),
  expires_at: z.nullable(time),
  last_used_at: z.nullable(time),
  last_used_ip: z.nullable(z.string()),
  last_used_client: z.nullable(z.string()),
  is_valid: z.boolean(),
  revoked_at: z.nullable(time),
  revoked_reason: z.nullable(z.string()),
});
export type Token = z.output<typeof Token>;

/** `status` filters by what a token is now. */
export const TokenPage = z.strictObject({ ...page, status: z.optional(z.enum(['valid', 'expired', 'revoked'])) });
export type TokenPage = z.output<typeof TokenPage>;

/**
 * Whose, of a whole tenant's: at most one of the two; a username that no user has may be a service user's. Where a filter
 * matches little, a page may hold fewer than `limit`, or nothing, and still link to a next one.
 */
export const TenantTokenPage = z.strictObject({
  ...TokenPage.shape,
  user_id: z.optional(uuid),
  username: z.optional(label),
});
export type TenantTokenPage = z.output<typeof TenantTokenPage>;

export const RevokeToken = z.strictObject({ reason: z.optional(text) });
export type RevokeToken = z.input<typeof RevokeToken>;

/**
 * Revokes what nobody used for so many days, or since a time: exactly one of the two. A token that was never used counts
 * from its creation; one is in use as long as anything obtained with it is. `cursor` continues where an answer left off.
 */
export const PruneTokens = z
  .strictObject({
    unused_for_days: z.optional(z.int('must be a whole number').check(z.minimum(1), z.maximum(3650))),
    unused_since: z.optional(time),
    dry_run: z._default(z.boolean(), false),
    cursor: z.optional(uuid),
  })
  .check(exactlyOne('unused_for_days', 'unused_since'));
export type PruneTokens = z.input<typeof PruneTokens>;

/**
 * The tokens that were revoked, or would be, `count` of them; at most 1,000 are listed. `revoked_count` counts what was
 * obtained with them, too. While `next_cursor` is not null there may be more: ask again with it.
 */
export const PrunedTokens = z.object({
  dry_run: z.boolean(),
  unused_since: time,
  count: z.int(),
  revoked_count: z.int(),
  next_cursor: z.nullable(uuid),
  tokens: z.array(
    z.object({
      id: uuid,
      kind: z.enum(TOKEN_KINDS),
      name: z.nullable(z.string()),
      description: z.nullable(z.string()),
      username: z.string(),
      created_at: time,
      expires_at: z.nullable(time),
      last_used_at: z.nullable(time),
    }),
  ),
});
export type PrunedTokens = z.output<typeof PrunedTokens>;

export const Message = z.object({ message: z.string() });
export type Message = z.output<typeof Message>;

const tag = 'Tokens';
const revokeSelf = {
  method: 'post',
  tag,
  access: 'credential',
  body: RevokeToken,
  bodyOptional: true,
  status: 200,
  answer: Message,
} as const;
const revokeById = { ...revokeSelf, params: z.strictObject({ jti: uuid }) } as const;

export const tokensApi = {
  create: endpoint({
    method: 'post',
    path: '/api/v1/tokens',
    summary: 'Mint a token',
    tag,
    access: 'credential',
    body: CreateToken,
    status: 200,
    refusals: [422],
    answer: IssuedToken,
  }),
  listOfTenant: endpoint({
    method: 'get',
    path: '/api/v1/tokens',
    summary: "List the tenant's personal tokens",
    tag,
    access: 'credential',
    query: TenantTokenPage,
    status: 200,
    answer: z.array(Token),
  }),
  listOwn: endpoint({
    method: 'get',
    path: '/api/v1/users/me/tokens',
    summary: "List the caller's tokens",
    tag,
    access: 'credential',
    query: TokenPage,
    status: 200,
    answer: z.array(Token),
  }),
  listOfUser: endpoint({
    method: 'get',
    path: '/api/v1/users/{id}/tokens',
    summary: "List a principal's tokens",
    tag,
    access: 'credential',
    params: ById,
    query: TokenPage,
    status: 200,
    answer: z.array(Token),
  }),
  getSelf: endpoint({
    method: 'get',
    path: '/api/v1/tokens/self',
    summary: 'Show the presented token',
    tag,
    access: 'credential',
    status: 200,
    answer: Token,
  }),
  get: endpoint({
    method: 'get',
    path: '/api/v1/tokens/{id}',
    summary: 'Show a token',
    tag,
    access: 'credential',
    params: ById,
    status: 200,
    answer: Token,
  }),
  delete: endpoint({
    method: 'delete',
    path: '/api/v1/tokens/{id}',
    summary: 'Revoke a token',
    tag,
    access: 'credential',
    params: ById,
    status: 204,
    answer: null,
  }),
  revokeSelf: endpoint({ ...revokeSelf, path: '/api/v1/tokens/revoke/self', summary: 'Revoke the presented token' }),
  revokeSelfAlias: endpoint({ ...revokeSelf, path: '/api/v1/auth/revoke', summary: 'Revoke the presented token' }),
  revoke: endpoint({ ...revokeById, path: '/api/v1/tokens/revoke/{jti}', summary: 'Revoke a token by its id' }),
  revokeAlias: endpoint({ ...revokeById, path: '/api/v1/auth/revoke/{jti}', summary: 'Revoke a token by its id' }),
  revokeOfUser: endpoint({
    ...revokeSelf,
    path: '/api/v1/users/{id}/tokens/revoke',
    summary: 'Revoke everything issued to a principal until now',
    params: ById,
  }),
  prune: endpoint({
    method: 'post',
    path: '/api/v1/tokens/prune',
    summary: "Revoke the tenant's tokens that nobody used for long",
    tag,
    access: 'credential',
    body: PruneTokens,
    status: 200,
    answer: PrunedTokens,
  }),
  rotate: endpoint({
    method: 'post',
    path: '/api/v1/tokens/rotate',
    summary: 'Replace the presented token by a new one',
    tag,
    access: 'credential',
    status: 200,
    refusals: [422],
    answer: IssuedToken,
  }),
};
