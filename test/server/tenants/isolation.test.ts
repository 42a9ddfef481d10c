import {
  auditApi,
  catalogsApi,
  type Endpoint,
  policiesApi,
  serviceUsersApi,
  settingsApi,
  tenantsApi,
  tokensApi,
  usersApi,
} from '@pangolin/shared/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../packages/server/src/http/openapi.ts';
import { ENDPOINTS as ICEBERG_ENDPOINTS } from '../../../packages/server/src/iceberg/endpoints.ts';
import { mint, openTestServer, PASSWORD, type TestCaller, type TestServer } from '../harness.ts';
import { createCatalogCaller, createTestTable } from '../iceberg/catalog-caller.ts';
import { createRequest } from '../iceberg/views/sample-views.ts';
import { API_KEY, ICEBERG_PROBES, PROBES, type Things } from './isolation-probes.ts';

const nameOf = ({ method, path }: Endpoint) => `${method.toUpperCase()} ${path}`;
const icebergNames = [...ICEBERG_ENDPOINTS].flatMap(([path, methods]) =>
  [...methods.keys()].map((m) => `${m} ${path}`),
);

describe('what is tried', () => {
  test('is every endpoint', () => {
    const how =
      'Add it to PROBES in test/server/tenants/isolation-probes.ts: what an administrator of another tenant could ask of ' +
      'it, with every id and name that it takes in its query and body (those in its path are tried anyway).';
    const missing = ENDPOINTS.map(nameOf).filter((name) => !Object.hasOwn(PROBES, name));
    expect(missing, `No test says that these keep tenants apart. ${how}`).toEqual([]);
    const gone = Object.keys(PROBES).filter((name) => !ENDPOINTS.map(nameOf).includes(name));
    expect(gone, 'These are served no more: take them out of PROBES.').toEqual([]);
    expect(Object.keys(ICEBERG_PROBES).sort(), `The same for ICEBERG_PROBES. ${how}`).toEqual(icebergNames.sort());
  });
});

interface Tenant {
  id: string;
  admin: TestCaller;
  /** An administrator, by each kind of credential. */
  callers: [string, TestCaller][];
  serviceUser: string;
  apiKey: string;
}

interface Stage {
  server: TestServer;
  own: Tenant;
  their: Things;
  nowhere: Things;
  /** All rows of the other tenant. */
  dump(): Promise<string>;
}

/** Two tenants, each with one of everything; their names are nowhere else, but `default`, `ns` and `tbl` are in both. */
async function openStage(ownName: string): Promise<Stage> {
  const server = await openTestServer();
  const own = await openTenant(server, ownName);
  await createTestTable(createCatalogCaller(own.admin));
  const { admin, ...other } = await openTenant(server, 'grace-hopper');
  const tenant = other.id;
  const user = await admin.call(usersApi.create, { body: { username: 'grace', password: PASSWORD } });
  const body = { username: 'grace', password: PASSWORD, tenant_id: tenant };
  const { token: session } = await server.nobody.call(usersApi.login, { body });
  const issued = await mint(server, server.bearer(session), { name: 'their-token' });
  const key = await admin.call(serviceUsersApi.create, { body: { name: 'their-etl' } });
  const grant = await admin.call(policiesApi.create, { body: { privilege: 'VIEW_AUDIT', user_id: user.id } });
  const catalog = await admin.call(catalogsApi.create, { body: { name: 'theirs' } });
  await admin.call(settingsApi.update, { body: { max_tokens_per_user: 7 } });
  const lake = createCatalogCaller(admin, '/v1/theirs/v1');
  await createTestTable(createCatalogCaller(admin));
  const table = await createTestTable(lake, 'their_ns', 'their_table');
  await createTestTable(createCatalogCaller(admin), 'their_ns', 'their_table');
  const view = await lake.ok<{ 'metadata-location': string }>(
    'POST',
    'namespaces/their_ns/views',
    createRequest({ name: 'their_view' }),
  );
  const [event] = await admin.call(auditApi.list);
  if (!event) throw new Error('nothing was recorded');
  const their: Things = {
    tenant,
    tenantName: 'grace-hopper',
    user: user.id,
    username: 'grace',
    serviceUser: key.id,
    serviceUserName: 'their-etl',
    key: key.key_id,
    token: issued.id,
    secret: issued.token,
    grant: grant.id,
    event: event.id,
    catalog: catalog.id,
    catalogName: 'theirs',
    namespace: 'their_ns',
    table: 'their_table',
    view: 'their_view',
    warehouse: catalog.warehouse_location ?? '',
    tableLocation: table.metadata.location,
    metadataLocation: table['metadata-location'],
    viewMetadataLocation: view['metadata-location'],
  };
  const { deps } = server;
  await deps.lastUsed.flush();
  return { server, own, their, nowhere: elsewhere(their, deps.newId), dump: () => dumpTenant(server, tenant) };
}

/** Of the same shape, and nowhere. */
function elsewhere(their: Things, newId: () => string): Things {
  const nowhereId = newId();
  const move = (location: string) =>
    location
      .replaceAll(their.tenant, nowhereId)
      .replace(/theirs|their_(?:ns|table|view)/g, (name) => `no${name.slice(2)}`);
  return {
    ...Object.fromEntries(Object.keys(their).map((name) => [name, newId()])),
    ...{ tenant: nowhereId, tenantName: 'nobody-hopper', username: 'nobody', serviceUserName: 'no-etl' },
    ...{
      key: '0'.repeat(12),
      secret: their.secret
        .split('.')
        .map((part) => part.replace(/^.{9}/, 'eyJhbGciO'))
        .join('.'),
    },
    ...{ catalogName: 'noeirs', namespace: 'noeir_ns', table: 'noeir_table', view: 'noeir_view' },
    warehouse: move(their.warehouse),
    tableLocation: move(their.tableLocation),
    metadataLocation: move(their.metadataLocation),
    viewMetadataLocation: move(their.viewMetadataLocation),
  } as Things;
}

/** A tenant with an administrator, and a service user that is one. */
async function openTenant(server: TestServer, name: string): Promise<Tenant> {
  const isThere = name === 'default';
  const id = isThere
    ? server.deps.installation.defaultTenantId
    : (await server.owner.call(tenantsApi.create, { body: { name } })).id;
  const account = { username: `admin-of-${name}`, password: PASSWORD };
  await server.owner.call(usersApi.create, {
    body: { ...account, role: 'tenant-admin' },
    headers: { 'x-pangolin-tenant': id },
  });
  const { token } = await server.nobody.call(usersApi.login, { body: { ...account, tenant_id: id } });
  const admin = server.bearer(token);
  const body = { name: `bot-of-${name}`, role: 'tenant-admin' };
  const key = await admin.call(serviceUsersApi.create, { body });
  const personal = await mint(server, admin);
  return {
    id,
    admin,
    callers: [
      ['session', admin],
      ['token', personal.caller],
      ['api key', server.apiKey(key.api_key)],
    ],
    serviceUser: key.id,
    apiKey: key.api_key,
  };
}

/** Everything that is kept of a tenant. */
async function dumpTenant({ deps }: TestServer, tenantId: string): Promise<string> {
  const tables = await deps.db.read.introspection.getTables();
  const dump: Record<string, unknown[]> = {};
  for (const { name, columns } of tables) {
    for (const column of name === 'tenants' ? ['id'] : ['tenant_id', 'chain']) {
      if (!columns.some((one) => one.name === column)) continue;
      const from = deps.db.read.selectFrom(name as 'users').selectAll();
      const rows = await from.where(column as 'tenant_id', '=', tenantId).execute();
      dump[`${name} by ${column}`] = rows.map((row) => JSON.stringify(row)).sort();
    }
  }
  return JSON.stringify(dump, null, 1);
}

interface Answer {
  status: number;
  text: string;
  headers: Headers;
}

/** An answer as it would be for anything: what was asked for, and what is new in each answer, by what it is. */
function anonymise({ status, text, headers }: Answer, things: Things): string {
  const named = Object.entries(things).sort(([, a], [, b]) => b.length - a.length);
  const lines = [...headers].filter(([name]) => name !== 'x-request-id' && name !== 'date');
  // Of the metrics the names and labels: what they count goes on meanwhile.
  const counted = headers.get('content-type')?.startsWith('text/plain')
    ? text.replace(/ [\d.e+-]+$/gm, ' <count>')
    : text;
  let whole = JSON.stringify({ status, text: counted, headers: lines.sort() });
  for (const [name, value] of named) whole = whole.replaceAll(value, `<${name}>`);
  return whole
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi, '<new id>')
    .replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<new token>');
}

/** What an answer must never hold: no secret of ours, no name of theirs. */
function expectUnseen(answer: Answer, their: Things): void {
  const whole = answer.text + JSON.stringify([...answer.headers]);
  for (const [name, value] of Object.entries(their)) expect(whole.includes(value), `${name} is seen`).toBe(false);
}

/** Asks for what is theirs and for what is nowhere, by every kind of credential, and expects no difference. */
async function expectAlike(
  { own, their, nowhere }: Stage,
  ask: (caller: TestCaller, things: Things) => Promise<Answer[]>,
): Promise<void> {
  for (const [kind, caller] of own.callers) {
    const theirs = await ask(caller, their);
    const nobodys = await ask(caller, nowhere);
    for (const answer of nobodys) expectUnseen(answer, their);
    expect(
      theirs.map((one) => anonymise(one, their)),
      kind,
    ).toEqual(nobodys.map((one) => anonymise(one, nowhere)));
  }
}

/** Every id that an id in a path could be, and every name. */
const IDS = ['tenant', 'user', 'serviceUser', 'token', 'grant', 'event', 'catalog'] as const;

function fillPath(endpoint: Endpoint, things: Things): Record<string, string>[] {
  const [, param] = /\{(\w+)\}/.exec(endpoint.path) ?? [];
  if (param === undefined) return [{}];
  if (param === 'id' || param === 'jti') return IDS.map((kind) => ({ [param]: things[kind] }));
  return [{ [param]: things.catalogName }, { [param]: things.catalog }];
}

describe.each(['default', 'ours'])('an administrator of the tenant %s', (name) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await openStage(name);
  });

  const endpoints = ENDPOINTS.filter((one) => Object.hasOwn(PROBES, nameOf(one)));

  test('gets the same answer for what is another tenant’s as for what is nowhere, and changes nothing of it', async () => {
    const before = await stage.dump();
    for (const endpoint of endpoints) {
      await expectAlike(stage, async (caller, things) => {
        const answers: Answer[] = [];
        for (const params of fillPath(endpoint, things)) {
          for (const question of PROBES[nameOf(endpoint)]?.(things, stage.own) ?? []) {
            const body = JSON.parse(JSON.stringify(question.body ?? null).replaceAll(API_KEY, stage.own.apiKey));
            const asked = { params, ...question, ...(body === null ? {} : { body }) };
            const answer = await caller.ask(endpoint, asked);
            expect(answer.status, nameOf(endpoint)).not.toBe(500);
            answers.push(answer);
          }
        }
        return answers;
      }).catch((error: Error) => {
        error.message = `${nameOf(endpoint)}: ${error.message}`;
        throw error;
      });
    }
    expect(await stage.dump()).toBe(before);
  }, 240_000);

  test('cannot enter another tenant, nor tell whether there is one', async () => {
    const before = await stage.dump();
    for (const endpoint of endpoints) {
      for (const named of ['tenant', 'tenantName'] as const) {
        await expectAlike(stage, async (caller, things) => [
          await caller.ask(endpoint, { headers: { 'x-pangolin-tenant': things[named] }, body: endpoint.body && {} }),
        ]);
      }
      if (endpoint.access === 'public') continue;
      const headers = { 'x-pangolin-tenant': stage.their.tenant };
      expect(await stage.own.admin.refused(endpoint, { headers })).toMatchObject({ code: 'token_wrong_tenant' });
    }
    expect(await stage.dump()).toBe(before);
  }, 240_000);

  test('finds nothing of another tenant in the Iceberg REST API, and changes nothing of it', async () => {
    const before = await stage.dump();
    const ours = await createCatalogCaller(stage.own.admin).ok('GET', 'namespaces/ns/tables/tbl');
    for (const operation of icebergNames) {
      const [method = '', template = ''] = operation.split(' ');
      await expectAlike(stage, async (caller, things) => {
        const answers: Answer[] = [];
        const { namespace, table, view } = things;
        for (const catalog of [things.catalogName, things.catalog, 'default']) {
          // In the one tenant's catalog of that name there is what in the other's is not.
          for (const [ns, tbl] of [
            [namespace, table],
            ['ns', table],
            ['ns', 'tbl'],
          ]) {
            const path = template
              .replace('{namespace}', ns ?? '')
              .replace('{table}', tbl ?? '')
              .replace('{view}', tbl === 'tbl' ? 'tbl' : view);
            for (const { query = '', body } of ICEBERG_PROBES[operation]?.(things) ?? []) {
              // What names nothing of theirs is a change to one's own.
              if (catalog === 'default' && !JSON.stringify([path, query, body]).match(/their|noeir|warehouse/))
                continue;
              const answer = await createCatalogCaller(caller, `/v1/${catalog}/v1`).send(method, path + query, body);
              expect(answer.status, `${operation}: ${answer.text}`).toBeGreaterThanOrEqual(400);
              answers.push(answer);
            }
          }
        }
        return answers;
      }).catch((error: Error) => {
        error.message = `${operation}: ${error.message}`;
        throw error;
      });
    }
    await expectAlike(stage, async (caller, { catalogName, catalog }) => [
      ...(await Promise.all([catalogName, catalog].map((one) => caller.send('GET', `/v1/config?warehouse=${one}`)))),
      ...(await Promise.all([catalogName, catalog].map((one) => caller.send('GET', `/v1/${one}/v1/config`)))),
    ]);
    expect(await stage.dump()).toBe(before);
    expect(await createCatalogCaller(stage.own.admin).ok('GET', 'namespaces/ns/tables/tbl')).toEqual(ours);
  }, 240_000);

  test('is not in the way of another: names, counts and limits are each tenant’s own', async () => {
    const { own, their } = stage;
    const before = await stage.dump();
    const { admin } = own;
    for (const [endpoint, expected] of [
      [usersApi.list, 1],
      [serviceUsersApi.list, 1],
      [catalogsApi.list, 1],
      [policiesApi.list, 7],
    ] as [Endpoint, number][]) {
      const { headers, json } = await admin.ask(endpoint, { query: { count: 'true' } });
      expect({ path: endpoint.path, total: headers.get('x-total-count') }).toEqual({
        path: endpoint.path,
        total: String(expected),
      });
      expect(json).toHaveLength(expected);
    }
    const events = await admin.ask(auditApi.list, { query: { count: 'true', limit: 1000 } });
    expect(events.headers.get('x-total-count')).toBe(String((events.json as unknown[]).length));
    const user = await admin.call(usersApi.create, { body: { username: their.username, password: PASSWORD } });
    await admin.call(serviceUsersApi.create, { body: { name: their.serviceUserName } });
    await admin.call(catalogsApi.create, { body: { name: their.catalogName } });
    const lake = createCatalogCaller(admin, `/v1/${their.catalogName}/v1`);
    const table = await createTestTable(lake, their.namespace, their.table);
    expect(table.metadata.location).not.toBe(their.tableLocation);
    await lake.ok('POST', `namespaces/${their.namespace}/views`, createRequest({ name: their.view }));
    expect(await admin.call(settingsApi.get)).toMatchObject({ max_tokens_per_user: null });
    await admin.call(settingsApi.update, { body: { max_tokens_per_user: 1 } });
    const login = { username: their.username, password: PASSWORD, tenant_id: own.id };
    const { token } = await stage.server.nobody.call(usersApi.login, { body: login });
    await mint(stage.server, stage.server.bearer(token));
    expect(user.tenant_id).toBe(own.id);
    expect(await stage.server.bearer(token).call(tokensApi.listOwn)).toHaveLength(2);
    expect(await stage.dump()).toBe(before);
  });
});
