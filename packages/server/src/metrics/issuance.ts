import type { Endpoint } from '@pangolin/shared/contract/endpoint';

/** What a successful request to an endpoint does to credentials: what, and of which kind. */
const ISSUANCE: [method: Endpoint['method'], path: RegExp, what: string][] = [
  ['post', /^\/api\/v1\/tokens$/, 'issued personal'],
  ['post', /^\/api\/v1\/users\/login$/, 'issued session'],
  ['post', /^\/(?:oauth2\/token|v1\/(?:\{\w+\}\/(?:v1\/)?)?oauth\/tokens)$/, 'issued access'],
  ['post', /^\/api\/v1\/service-users$/, 'issued api_key'],
  ['post', /^\/api\/v1\/tokens\/rotate$/, 'rotated token'],
  ['post', /^\/api\/v1\/service-users\/\{\w+\}\/rotate$/, 'rotated api_key'],
  ['post', /^\/api\/v1\/(?:tokens|auth)\/revoke(?:\/|$)/, 'revoked token'],
  ['post', /^\/oauth2\/revoke$/, 'revoked token'],
  ['post', /^\/api\/v1\/users\/logout$/, 'revoked token'],
  ['delete', /^\/api\/v1\/tokens\/\{\w+\}$/, 'revoked token'],
  ['post', /^\/api\/v1\/users\/\{\w+\}\/tokens\/revoke$/, 'revoked principal'],
  ['delete', /^\/api\/v1\/(?:users|service-users)\/\{\w+\}$/, 'revoked principal'],
];

/** Such as `issued personal`; undefined for endpoints that issue, rotate and revoke nothing. */
export const readIssuance = (endpoint: Endpoint): string | undefined =>
  ISSUANCE.find(([method, path]) => method === endpoint.method && path.test(endpoint.path))?.[2];
