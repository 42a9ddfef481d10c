import {
  type Endpoint,
  PRIVILEGES,
  type Privilege,
  policiesApi,
  ROLES,
  type Role,
  roleRank,
  SCOPES,
  type ScopeName,
} from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import { ENDPOINTS } from '../../../packages/server/src/http/openapi.ts';
import {
  createServiceUser,
  createUser,
  mint,
  openTestServer,
  type TestCaller,
  type TestServer,
  UNKNOWN_ID,
} from '../harness.ts';

/** What somebody must be: any of a role or above, or holder of a privilege; of several all. */
type Taken = Role | Privilege | 'nothing' | 'a credential' | 'a service user or tenant-admin';

interface Asked {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: object;
}

/** What a request takes, which scopes let a narrowed credential do it, and the request where it is more than its path. */
type Decision = [takes: Taken | Taken[], scopes: readonly ScopeName[], asked?: Asked | ((who: Who) => Asked)];

const NEVER: readonly ScopeName[] = [];
const ANY = SCOPES;
const CATALOG: readonly ScopeName[] = ['catalog:read', 'catalog:write'];
const form = (body: object = {}) => ({ body });
const own = ({ id }: Who) => ({ params: { id } });

/** The policy of the whole API: an endpoint that is new gets a line here. What follows a dot is another way to ask the same endpoint. */
const DECISIONS: Record<string, Decision> = {
  'GET /health': ['nothing', ANY],
  'GET /health/ready': ['nothing', ANY],
  'GET /api/v1/app/config': ['nothing', ANY],
  // By the address of who asks.
  'GET /metrics': ['nothing', ANY],
  'GET /.well-known/jwks.json': ['nothing', ANY],
  'GET /.well-known/oauth-authorization-server': ['nothing', ANY],

  'GET /api/v1/tenants': ['root', NEVER],
  'POST /api/v1/tenants': ['root', NEVER, { body: { name: 'taken' } }],
  'GET /api/v1/tenants/{id}': ['root', NEVER],
  'PUT /api/v1/tenants/{id}': ['root', NEVER, { body: {} }],
  'DELETE /api/v1/tenants/{id}': ['root', NEVER],

  'GET /api/v1/users/me': ['a credential', ANY],
  'GET /api/v1/users': ['MANAGE_USERS', NEVER],
  'POST /api/v1/users': ['MANAGE_USERS', NEVER, { body: { username: 'target', password: 'long-enough' } }],
  'GET /api/v1/users/{id}': ['MANAGE_USERS', NEVER],
  'PUT /api/v1/users/{id}': ['MANAGE_USERS', NEVER, { body: {} }],
  'DELETE /api/v1/users/{id}': ['MANAGE_USERS', NEVER],
  'POST /api/v1/users/{id}/password': ['MANAGE_USERS', NEVER],

  'POST /api/v1/tokens': ['GENERATE_PERSONAL_ACCESS_TOKENS', ['tokens:write'], { body: {} }],
  'POST /api/v1/tokens · for another': ['MANAGE_ACCESS_TOKENS', NEVER, { body: { username: 'target' } }],
  'GET /api/v1/tokens': ['MANAGE_ACCESS_TOKENS', NEVER],
  'GET /api/v1/users/me/tokens': ['tenant-user', ['tokens:read']],
  'GET /api/v1/users/{id}/tokens': ['MANAGE_ACCESS_TOKENS', NEVER],
  'GET /api/v1/users/{id}/tokens · one’s own': ['tenant-user', ['tokens:read'], own],
  'GET /api/v1/tokens/self': ['a credential', ANY],
  'GET /api/v1/tokens/{id}': ['tenant-user', ['tokens:read']],
  'DELETE /api/v1/tokens/{id}': ['tenant-user', ['tokens:write']],
  'POST /api/v1/tokens/revoke/{jti}': ['tenant-user', ['tokens:write']],
  'POST /api/v1/auth/revoke/{jti}': ['tenant-user', ['tokens:write']],
  'POST /api/v1/users/{id}/tokens/revoke': ['MANAGE_ACCESS_TOKENS', NEVER],

  'POST /api/v1/tokens/prune': ['MANAGE_ACCESS_TOKENS', NEVER, { body: { unused_for_days: 90 } }],

  'GET /api/v1/service-users': ['MANAGE_SERVICE_ACCOUNTS', NEVER],
  'POST /api/v1/service-users': ['MANAGE_SERVICE_ACCOUNTS', NEVER, { body: { name: 'taken' } }],
  'GET /api/v1/service-users/{id}': ['MANAGE_SERVICE_ACCOUNTS', NEVER],
  'PUT /api/v1/service-users/{id}': ['MANAGE_SERVICE_ACCOUNTS', NEVER, { body: {} }],
  'DELETE /api/v1/service-users/{id}': ['MANAGE_SERVICE_ACCOUNTS', NEVER],
  'POST /api/v1/service-users/{id}/rotate': ['MANAGE_SERVICE_ACCOUNTS', NEVER],

  'POST /oauth2/introspect': ['a service user or tenant-admin', ANY, form({ token: 'x' })],

  'GET /api/v1/catalogs': ['tenant-user', CATALOG],
  'POST /api/v1/catalogs': ['MANAGE_CATALOGS', NEVER, { body: { name: 'taken' } }],
  'GET /api/v1/catalogs/{name}': ['tenant-user', CATALOG],
  'PUT /api/v1/catalogs/{name}': ['MANAGE_CATALOGS', NEVER, { body: {} }],
  'DELETE /api/v1/catalogs/{name}': ['MANAGE_CATALOGS', NEVER],

  'GET /api/v1/audit': ['VIEW_AUDIT', NEVER],
  'GET /api/v1/audit · of no tenant': ['root', NEVER, { query: { chain: 'system' } }],
  'GET /api/v1/audit/count': ['VIEW_AUDIT', NEVER],
  'GET /api/v1/audit/{id}': ['VIEW_AUDIT', NEVER],
  'GET /api/v1/audit/verify': ['VIEW_AUDIT', NEVER],
  'POST /api/v1/audit/checkpoints': ['VIEW_AUDIT', NEVER],
  'POST /api/v1/audit/checkpoints · of no tenant': ['root', NEVER, { query: { chain: 'system' } }],

  'GET /api/v1/signing-keys': ['root', NEVER],
  'POST /api/v1/signing-keys/rotate': ['root', NEVER],
  'POST /api/v1/signing-keys/reseal': ['root', NEVER],

  'GET /api/v1/config/settings': ['tenant-user', NEVER],
  'PUT /api/v1/config/settings': ['tenant-admin', NEVER, { query: { dry_run: 'true' }, body: {} }],

  'GET /api/v1/policies': ['tenant-admin', NEVER],
  'POST /api/v1/policies': [['tenant-admin', 'VIEW_AUDIT'], NEVER, { body: grantTo('VIEW_AUDIT') }],
  'POST /api/v1/policies · another': [['tenant-admin', 'MANAGE_USERS'], NEVER, { body: grantTo('manage-users') }],
  'DELETE /api/v1/policies/{id}': ['tenant-admin', NEVER],

  // Who logs in, or shows a secret, is judged by that.
  'POST /api/v1/users/login': ['nothing', ANY, { body: {} }],
  'POST /oauth2/token': ['nothing', ANY, form()],
  'POST /v1/oauth/tokens': ['nothing', ANY, form()],
  'POST /v1/{catalog}/v1/oauth/tokens': ['nothing', ANY, form()],
  'POST /v1/{catalog}/oauth/tokens': ['nothing', ANY, form()],
  'POST /oauth2/revoke': ['nothing', ANY, form()],

  // These come last, for they end what they are asked with.
  'POST /api/v1/tokens/rotate': ['GENERATE_PERSONAL_ACCESS_TOKENS', ['tokens:write']],
  'POST /api/v1/users/logout': ['a credential', ANY],
  'POST /api/v1/tokens/revoke/self': ['a credential', ANY],
  'POST /api/v1/auth/revoke': ['a credential', ANY],
  'POST /api/v1/users/{id}/tokens/revoke · one’s own': ['tenant-user', NEVER, own],
};

function grantTo(privilege: string) {
  return { privilege, username: 'nobody of this name' };
}

interface Who {
  label: string;
  id: string;
  kind: 'nobody' | 'user' | 'service_user';
  role: Role;
  /** What was granted to them, where no role was granted anything. */
  privileges: readonly Privilege[];
  scopes: readonly ScopeName[];
  present(): Promise<TestCaller>;
}

const endpointOf = (row: string): Endpoint => {
  const [name] = row.split(' · ');
  const found = ENDPOINTS.find(({ method, path }) => `${method.toUpperCase()} ${path}` === name);
  if (!found) throw new Error(`the table names ${name}, which is not in the contract`);
  return found;
};

const isMet = (who: Who, taken: Taken): boolean => {
  if (taken === 'nothing') return true;
  if (who.kind === 'nobody') return false;
  if (taken === 'a credential' || who.role === 'root') return true;
  if (taken === 'a service user or tenant-admin') return who.kind === 'service_user' || who.role === 'tenant-admin';
  return taken === 'tenant-user' || taken === 'tenant-admin' || taken === 'root'
    ? roleRank(who.role) >= roleRank(taken)
    : who.privileges.includes(taken);
};

function expected(who: Who, [takes, scopes]: Decision): 'unauthenticated' | 'forbidden' | 'allowed' {
  const taken = [takes].flat();
  if (taken.includes('nothing')) return 'allowed';
  if (who.kind === 'nobody') return 'unauthenticated';
  const isWideEnough = who.scopes.length === 0 || who.scopes.some((scope) => scopes.includes(scope));
  return isWideEnough && taken.every((one) => isMet(who, one)) ? 'allowed' : 'forbidden';
}

const outcome = (status: number) => (status === 401 ? 'unauthenticated' : status === 403 ? 'forbidden' : 'allowed');

/** Puts a server where nothing is granted to a role. */
async function openWithoutRoleGrants(): Promise<TestServer> {
  const server = await openTestServer();
  for (const { id } of await server.owner.call(policiesApi.list))
    await server.owner.call(policiesApi.delete, { params: { id } });
  await createUser(server, 'target');
  return server;
}

async function createKeyHolder(
  server: TestServer,
  label: string,
  role: Role,
  privileges: readonly Privilege[],
  scopes: readonly ScopeName[] = [],
): Promise<Who> {
  const { id, caller } = await createServiceUser(server, { name: label, role, scopes });
  for (const privilege of privileges)
    await server.owner.call(policiesApi.create, { body: { privilege, service_user_id: id } });
  return { label, id, kind: 'service_user', role, privileges, scopes, present: async () => caller };
}

/** Somebody with a personal token, which is minted anew for each request. */
async function createTokenHolder(
  server: TestServer,
  label: string,
  role: Role,
  privileges: readonly Privilege[],
  scopes: readonly ScopeName[] = [],
): Promise<Who> {
  const { id, username } = await createUser(server, label, role);
  for (const privilege of privileges) await server.owner.call(policiesApi.create, { body: { privilege, username } });
  const present = async () => (await mint(server, server.owner, { username, roles: [role], scopes })).caller;
  return { label, id, kind: 'user', role, privileges, scopes, present };
}

async function createEverybody(server: TestServer): Promise<Who[]> {
  const nobody: Who = {
    label: 'nobody',
    id: UNKNOWN_ID,
    kind: 'nobody',
    role: 'tenant-user',
    privileges: [],
    scopes: [],
    present: async () => server.nobody,
  };
  const everybody = [nobody, await createKeyHolder(server, 'root', 'root', [])];
  for (const role of ROLES.filter((one) => one !== 'root')) {
    everybody.push(await createKeyHolder(server, `${role} without privileges`, role, []));
    for (const privilege of PRIVILEGES)
      everybody.push(await createKeyHolder(server, `${role} with ${privilege}`, role, [privilege]));
    everybody.push(await createKeyHolder(server, `${role} with all privileges`, role, PRIVILEGES));
    everybody.push(await createTokenHolder(server, `${role} with a token`, role, []));
  }
  for (const scope of SCOPES)
    everybody.push(await createKeyHolder(server, `root narrowed to ${scope}`, 'root', [], [scope]));
  everybody.push(
    await createTokenHolder(server, 'administrator with a narrowed token', 'tenant-admin', PRIVILEGES, [
      'tokens:write',
    ]),
  );
  return everybody;
}

test('every endpoint of the contract is in the table', () => {
  const decided = new Set(Object.keys(DECISIONS).map(endpointOf));
  const missing = ENDPOINTS.filter((endpoint) => !decided.has(endpoint));
  expect(missing.map(({ method, path }) => `${method.toUpperCase()} ${path}`)).toEqual([]);
});

test('every endpoint is open to exactly whom the table says: by role, by privilege, by scope', async () => {
  const server = await openWithoutRoleGrants();
  const wrong: string[] = [];
  let asked = 0;
  for (const who of await createEverybody(server)) {
    for (const [row, decision] of Object.entries(DECISIONS)) {
      const request = typeof decision[2] === 'function' ? decision[2](who) : decision[2];
      const { status } = await (await who.present()).ask(endpointOf(row), request);
      if (outcome(status) !== expected(who, decision))
        wrong.push(`${who.label}: ${row} answered ${status}, should be ${expected(who, decision)}`);
      if (status >= 500) wrong.push(`${who.label}: ${row} answered ${status}`);
      asked += 1;
    }
  }
  expect(wrong).toEqual([]);
  expect(asked).toBeGreaterThan(1_000);
}, 300_000);

test('a privilege that is granted to a role opens the same to everybody of it, and to those above', async () => {
  const server = await openWithoutRoleGrants();
  const callers = [
    await createKeyHolder(server, 'user', 'tenant-user', []),
    await createKeyHolder(server, 'admin', 'tenant-admin', []),
  ];
  for (const privilege of PRIVILEGES) {
    const rows = Object.entries(DECISIONS).filter(([, [takes]]) => takes === privilege);
    for (const to of ['tenant-admin', 'tenant-user'] as const) {
      const { id } = await server.owner.call(policiesApi.create, { body: { privilege, role: to } });
      for (const who of callers) {
        const holds = roleRank(who.role) >= roleRank(to);
        for (const [row, decision] of rows) {
          const request = typeof decision[2] === 'function' ? decision[2](who) : decision[2];
          const { status } = await (await who.present()).ask(endpointOf(row), request);
          expect({ row, to, role: who.role, outcome: outcome(status) }).toEqual({
            row,
            to,
            role: who.role,
            outcome: holds ? 'allowed' : 'forbidden',
          });
        }
      }
      await server.owner.call(policiesApi.delete, { params: { id } });
    }
  }
}, 120_000);
