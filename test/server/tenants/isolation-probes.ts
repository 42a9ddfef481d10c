import { SCHEMA } from '../iceberg/catalog-caller.ts';
import { createRequest } from '../iceberg/views/sample-views.ts';

/** Everything by which one could ask for what belongs to another tenant; or, of the same shape, for what is nowhere. */
export interface Things {
  tenant: string;
  tenantName: string;
  user: string;
  username: string;
  serviceUser: string;
  serviceUserName: string;
  key: string;
  token: string;
  /** The token itself. */
  secret: string;
  grant: string;
  event: string;
  catalog: string;
  catalogName: string;
  namespace: string;
  table: string;
  view: string;
  warehouse: string;
  tableLocation: string;
  metadataLocation: string;
  viewMetadataLocation: string;
}

/** What is asked besides the path; `params` take the place of every id and name that is tried in it. */
interface Question {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: unknown;
}

/** What is asked of an endpoint besides trying all ids and names in its path; `mine` is a service user of one's own. */
export type Probe = (their: Things, mine: { serviceUser: string }) => Question[];

/** For an endpoint that takes no id or name but those in its path. */
const onlyPath: Probe = () => [{}];

/** For an endpoint that takes the presented credential, to end it. */
const onlyItself: Probe = () => [];

/** Every endpoint of the contract, by method and path. */
export const PROBES: Record<string, Probe> = {
  'GET /health': onlyPath,
  'GET /health/ready': onlyPath,
  'GET /metrics': onlyPath,
  'GET /api/v1/app/config': onlyPath,
  'GET /.well-known/jwks.json': onlyPath,
  'GET /.well-known/oauth-authorization-server': onlyPath,

  'GET /api/v1/tenants': (their) => [{}, { query: { name: their.tenantName } }],
  'POST /api/v1/tenants': (their) => [{ body: { name: their.tenantName } }],
  'GET /api/v1/tenants/{id}': onlyPath,
  'PUT /api/v1/tenants/{id}': () => [{ body: { description: 'seen' } }],
  'DELETE /api/v1/tenants/{id}': onlyPath,

  // Nobody logs in as an administrator of another tenant: see tenants.test.ts.
  'POST /api/v1/users/login': onlyPath,
  'POST /api/v1/users/logout': (their) => [{ body: { id: their.token } }],
  'GET /api/v1/users/me': onlyPath,
  'GET /api/v1/users': (their) => [
    { query: { count: 'true' } },
    { query: { username: their.username, count: 'true' } },
  ],
  'POST /api/v1/users': (their) => [{ body: { username: 'new', tenant_id: their.tenant } }],
  'GET /api/v1/users/{id}': onlyPath,
  'PUT /api/v1/users/{id}': () => [{ body: { email: 'eve@example.com' } }],
  'DELETE /api/v1/users/{id}': onlyPath,
  'POST /api/v1/users/{id}/password': () => [{ body: { password: 'correct-horse-battery' } }],

  'POST /api/v1/tokens': (their) => [
    { body: { tenant_id: their.tenant } },
    { body: { user_id: their.user } },
    { body: { user_id: their.serviceUser } },
    { body: { username: their.username } },
    { body: { username: their.serviceUserName } },
    { body: { user_id: their.user, tenant_id: their.tenant } },
  ],
  'GET /api/v1/tokens': (their) => [
    { query: { count: 'true' } },
    { query: { user_id: their.user, count: 'true' } },
    { query: { user_id: their.serviceUser } },
    { query: { username: their.username } },
    { query: { username: their.serviceUserName } },
  ],
  'GET /api/v1/users/me/tokens': () => [{ query: { count: 'true', limit: '1' } }],
  'GET /api/v1/users/{id}/tokens': () => [{ query: { count: 'true' } }],
  'GET /api/v1/tokens/self': onlyPath,
  'GET /api/v1/tokens/{id}': onlyPath,
  'DELETE /api/v1/tokens/{id}': onlyPath,
  'POST /api/v1/tokens/revoke/self': (their) => [{ body: { token_id: their.token } }],
  'POST /api/v1/auth/revoke': (their) => [{ body: { token_id: their.token } }],
  'POST /api/v1/tokens/revoke/{jti}': () => [{ body: {} }],
  'POST /api/v1/auth/revoke/{jti}': () => [{ body: { reason: 'because' } }],
  'POST /api/v1/users/{id}/tokens/revoke': () => [{ body: {} }],
  'POST /api/v1/tokens/rotate': onlyItself,
  'POST /api/v1/tokens/prune': (their) => [
    { body: { unused_for_days: 1, dry_run: true } },
    { body: { unused_since: '2026-11-22T12:00:00Z', cursor: their.token, dry_run: true } },
    { body: { unused_since: '2026-11-22T12:00:00Z', user_id: their.user } },
  ],

  'GET /api/v1/service-users': (their) => [{ query: { count: 'true' } }, { query: { name: their.serviceUserName } }],
  'POST /api/v1/service-users': (their) => [{ body: { name: 'new', tenant_id: their.tenant } }],
  'GET /api/v1/service-users/{id}': onlyPath,
  'PUT /api/v1/service-users/{id}': () => [{ body: { active: false } }],
  'DELETE /api/v1/service-users/{id}': onlyPath,
  'POST /api/v1/service-users/{id}/rotate': (their, mine) => [
    { body: {} },
    { params: { id: mine.serviceUser }, body: { expected_key_id: their.key } },
  ],

  'POST /oauth2/token': askClient,
  'POST /v1/oauth/tokens': askClient,
  'POST /v1/{catalog}/v1/oauth/tokens': askClient,
  'POST /v1/{catalog}/oauth/tokens': askClient,
  // Whoever holds a token may end it (RFC 7009): ids are not tokens.
  'POST /oauth2/revoke': (their) => [{ body: { token: their.token } }, { body: { token: their.key } }],
  'POST /oauth2/introspect': (their) => [
    { body: { token: their.secret } },
    { body: { token: their.token } },
    { body: { token: their.key } },
  ],

  'GET /api/v1/catalogs': () => [{ query: { count: 'true' } }],
  'POST /api/v1/catalogs': (their) => [{ body: { name: 'new', warehouse_location: their.warehouse } }],
  'GET /api/v1/catalogs/{name}': onlyPath,
  'PUT /api/v1/catalogs/{name}': () => [{ body: { name: 'renamed' } }],
  'DELETE /api/v1/catalogs/{name}': onlyPath,

  'GET /api/v1/audit': (their) => [
    { query: { user_id: their.user, count: 'true' } },
    { query: { user_id: their.serviceUser, count: 'true' } },
    { query: { chain: their.tenant } },
    { query: { chain: 'system' } },
  ],
  'GET /api/v1/audit/count': (their) => [
    { query: { user_id: their.user } },
    { query: { user_id: their.serviceUser } },
    { query: { chain: their.tenant } },
  ],
  'GET /api/v1/audit/verify': (their) => [{}, { query: { chain: their.tenant } }],
  'POST /api/v1/audit/checkpoints': (their) => [{ query: { chain: their.tenant } }],
  'GET /api/v1/audit/{id}': onlyPath,
  'GET /api/v1/config/settings': onlyPath,
  'PUT /api/v1/config/settings': () => [{ query: { dry_run: 'true' }, body: { max_token_days: 1 } }],

  'GET /api/v1/policies': (their) => [
    { query: { count: 'true' } },
    ...grantees(their).map((query) => ({ query: { ...query, count: 'true' } })),
  ],
  'POST /api/v1/policies': (their) => grantees(their).map((one) => ({ body: { privilege: 'VIEW_AUDIT', ...one } })),
  'DELETE /api/v1/policies/{id}': onlyPath,

  'GET /api/v1/signing-keys': onlyPath,
  'POST /api/v1/signing-keys/rotate': onlyPath,
  'POST /api/v1/signing-keys/reseal': onlyPath,
};

const grantees = (their: Things): Record<string, string>[] => [
  { user_id: their.user },
  { username: their.username },
  { service_user_id: their.serviceUser },
  { service_user_name: their.serviceUserName },
];

/** The API key is the asking one's own, whatever client it claims to be: `API_KEY` stands for it. */
function askClient(their: Things): Question[] {
  return [their.serviceUser, their.serviceUserName, their.user].map((id) => ({
    body: { grant_type: 'client_credentials', client_id: id, client_secret: API_KEY },
  }));
}

/** Stands for the API key of whoever asks. */
export const API_KEY = '{api key}';

/** Every operation of the Iceberg REST API, by method and path: what is sent, asked of their catalog and of one's own. */
export const ICEBERG_PROBES: Record<string, (their: Things) => { query?: string; body?: object }[]> = {
  'GET namespaces': (their) => [{ query: `?parent=${their.namespace}` }],
  'POST namespaces': (their) => [{ body: { namespace: [their.namespace, 'new'] } }],
  'GET namespaces/{namespace}': () => [{}],
  'HEAD namespaces/{namespace}': () => [{}],
  'DELETE namespaces/{namespace}': () => [{}],
  'POST namespaces/{namespace}/properties': () => [{ body: { updates: { a: '1' } } }],
  'GET namespaces/{namespace}/tables': () => [{}],
  'POST namespaces/{namespace}/tables': (their) => [
    { body: { name: 'new', schema: SCHEMA } },
    { body: { name: 'new', schema: SCHEMA, location: their.tableLocation } },
    { body: { name: 'new', schema: SCHEMA, location: their.tableLocation, 'stage-create': true } },
  ],
  'GET namespaces/{namespace}/tables/{table}': () => [{}],
  'HEAD namespaces/{namespace}/tables/{table}': () => [{}],
  'POST namespaces/{namespace}/tables/{table}': (their) => [
    { body: { updates: [{ action: 'set-properties', updates: { a: '1' } }] } },
    { body: { updates: [{ action: 'set-location', location: their.tableLocation }] } },
  ],
  'DELETE namespaces/{namespace}/tables/{table}': () => [{}, { query: '?purgeRequested=true' }],
  'POST namespaces/{namespace}/register': (their) => [
    { body: { name: 'new', 'metadata-location': their.metadataLocation } },
    { body: { name: 'tbl', 'metadata-location': their.metadataLocation, overwrite: true } },
  ],
  'POST namespaces/{namespace}/tables/{table}/metrics': () => [{ body: { 'report-type': 'scan-report' } }],
  'GET namespaces/{namespace}/tables/{table}/credentials': () => [{}],
  'POST tables/rename': (their) => rename(their.namespace, their.table),
  'POST transactions/commit': (their) => [
    {
      body: {
        'table-changes': [
          {
            identifier: { namespace: [their.namespace], name: their.table },
            updates: [{ action: 'set-properties', updates: { a: '1' } }],
          },
        ],
      },
    },
  ],
  'GET namespaces/{namespace}/views': () => [{}],
  'POST namespaces/{namespace}/views': (their) => [
    { body: createRequest({ name: 'new', location: their.tableLocation }) },
  ],
  'GET namespaces/{namespace}/views/{view}': () => [{}],
  'HEAD namespaces/{namespace}/views/{view}': () => [{}],
  'POST namespaces/{namespace}/views/{view}': () => [
    { body: { updates: [{ action: 'set-properties', updates: { a: '1' } }] } },
  ],
  'DELETE namespaces/{namespace}/views/{view}': () => [{}],
  'POST namespaces/{namespace}/register-view': (their) => [
    { body: { name: 'new', 'metadata-location': their.viewMetadataLocation } },
  ],
  'POST views/rename': (their) => rename(their.namespace, their.view),
};

const rename = (namespace: string, name: string) => [
  { body: { source: { namespace: [namespace], name }, destination: { namespace: ['ns'], name: 'new' } } },
  { body: { source: { namespace: ['ns'], name: 'tbl' }, destination: { namespace: [namespace], name: 'new' } } },
];
