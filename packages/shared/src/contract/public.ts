import * as z from 'zod/mini';
import { endpoint } from './endpoint.ts';

export const Health = z.object({ status: z.literal('ok') });

/** What a client needs to know before it logs in; an original Pangolin server answers without `features`. */
export const AppConfig = z.object({
  auth_enabled: z.boolean(),
  version: z.string(),
  features: z.array(z.string()),
  token_policy: z.object({ default_days: z.int(), max_days: z.int(), max_per_user: z.nullable(z.int()) }),
});
export type AppConfig = z.output<typeof AppConfig>;

/** JSON Web Key Set, RFC 7517 §5. */
export const Jwks = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
export type Jwks = z.output<typeof Jwks>;

/** RFC 8414 §2. */
export const AuthorizationServerMetadata = z.record(z.string(), z.unknown());

const common = { method: 'get', tag: 'Public', access: 'public', status: 200 } as const;

export const publicApi = {
  health: endpoint({ ...common, path: '/health', summary: 'The process answers', answer: Health }),
  ready: endpoint({ ...common, path: '/health/ready', summary: 'The database answers', answer: Health }),
  metrics: endpoint({
    ...common,
    path: '/metrics',
    summary: 'Counters in the text format of Prometheus; for loopback, or whom the server was told to allow',
    refusals: [404],
    answer: z.string(),
    answerType: 'text/plain',
  }),
  appConfig: endpoint({
    ...common,
    path: '/api/v1/app/config',
    summary: 'What this server is and allows',
    answer: AppConfig,
  }),
  jwks: endpoint({
    ...common,
    path: '/.well-known/jwks.json',
    summary: 'Public signing keys (RFC 7517)',
    answer: Jwks,
  }),
  metadata: endpoint({
    ...common,
    path: '/.well-known/oauth-authorization-server',
    summary: 'Authorization server metadata (RFC 8414)',
    answer: AuthorizationServerMetadata,
  }),
};
