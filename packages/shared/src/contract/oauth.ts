import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';
import { anyText } from './fields.ts';

/** A request has 1 MiB at most. */
const parameter = anyText(0, 1_048_576);

/** RFC 8693 §2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** RFC 6749 §3.2 and RFC 8693 §2.1; unknown parameters are ignored, empty ones count as absent (RFC 6749 §3.1). */
export const TokenRequest = z
  .object({
    grant_type: z.optional(parameter.check(z.meta({ enum: ['client_credentials', TOKEN_EXCHANGE] }))),
    client_id: z.optional(parameter),
    client_secret: z.optional(parameter),
    scope: z.optional(parameter),
    subject_token: z.optional(parameter),
    subject_token_type: z.optional(parameter),
    requested_token_type: z.optional(parameter),
    actor_token: z.optional(parameter),
  })
  .check(z.meta({ required: ['grant_type'] }));
export type TokenRequest = z.output<typeof TokenRequest>;

/** RFC 6749 §5.1 and RFC 8693 §2.2.1. */
export const TokenAnswer = z.object({
  access_token: z.string(),
  token_type: z.literal('bearer'),
  expires_in: z.int(),
  issued_token_type: z.literal('urn:ietf:params:oauth:token-type:access_token'),
  scope: z.string(),
});
export type TokenAnswer = z.output<typeof TokenAnswer>;

/** RFC 7009 §2.1 and RFC 7662 §2.1. */
export const TokenQuestion = z
  .object({
    token: z.optional(parameter.check(z.meta({ minLength: 1 }))),
    token_type_hint: z.optional(parameter),
    client_id: z.optional(parameter),
    client_secret: z.optional(parameter),
  })
  .check(z.meta({ required: ['token'] }));

/** RFC 7662 §2.2: `active: false` alone, or with everything known of the token. */
export const Introspection = z.looseObject({ active: z.boolean() });

const tag = 'OAuth 2.0';
const token = {
  method: 'post',
  summary: 'Obtain an access token (RFC 6749, RFC 8693)',
  tag,
  access: 'public',
  body: TokenRequest,
  bodyType: 'form',
  authentication: ['client'],
  status: 200,
  refusals: [401, 429],
  answer: TokenAnswer,
} as const;
const inCatalog = { params: z.strictObject({ catalog: anyText(1, 255) }) };

export const oauthApi = {
  token: endpoint({ ...token, path: '/oauth2/token' }),
  tokenIceberg: endpoint({ ...token, path: '/v1/oauth/tokens' }),
  tokenInCatalog: endpoint({ ...token, ...inCatalog, path: '/v1/{catalog}/v1/oauth/tokens' }),
  tokenInCatalogAlias: endpoint({ ...token, ...inCatalog, path: '/v1/{catalog}/oauth/tokens' }),
  revoke: endpoint({
    method: 'post',
    path: '/oauth2/revoke',
    summary: 'Revoke a token (RFC 7009)',
    tag,
    access: 'public',
    body: TokenQuestion,
    bodyType: 'form',
    authentication: ['client'],
    status: 200,
    refusals: [401, 429],
    answer: null,
  }),
  introspect: endpoint({
    method: 'post',
    path: '/oauth2/introspect',
    summary: 'Ask about a token (RFC 7662); service users and administrators only',
    tag,
    access: 'public',
    body: TokenQuestion,
    bodyType: 'form',
    authentication: ['client', 'credential'],
    status: 200,
    refusals: [401, 429],
    answer: Introspection,
  }),
};
