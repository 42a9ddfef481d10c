import { TOKEN_EXCHANGE } from '@pangolin/shared/contract/oauth';
import { SCOPES } from '@pangolin/shared/contract/scopes';

/** RFC 8414 §2; `issuer` is where the client found this server. */
export const createMetadata = (issuer: string) => ({
  issuer,
  token_endpoint: `${issuer}/oauth2/token`,
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  revocation_endpoint: `${issuer}/oauth2/revoke`,
  revocation_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
  introspection_endpoint: `${issuer}/oauth2/introspect`,
  introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  grant_types_supported: ['client_credentials', TOKEN_EXCHANGE],
  response_types_supported: [],
  scopes_supported: ['catalog', ...SCOPES],
});
