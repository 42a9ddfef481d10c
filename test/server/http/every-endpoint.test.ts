import { type Endpoint, publicApi } from '@pangolin/shared/contract';
import { beforeEach, describe, expect, test } from 'vitest';
import { ENDPOINTS } from '../../../packages/server/src/http/openapi.ts';
import { openTestServer, type TestServer } from '../harness.ts';

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
});

const name = ({ method, path }: Endpoint) => `${method.toUpperCase()} ${path}`;
const named = (endpoints: readonly Endpoint[]): [string, Endpoint][] => endpoints.map((one) => [name(one), one]);
const withCredential = ENDPOINTS.filter(({ access }) => access === 'credential');
const withJson = ENDPOINTS.filter(({ body, bodyType }) => body && bodyType !== 'form');
const withId = ENDPOINTS.filter(({ path }) => /\{(?:id|jti)\}/.test(path));
const json = { 'content-type': 'application/json' };
const pathOf = ({ path }: Endpoint, id = '01900000-0000-7000-8000-000000000000') => path.replace(/\{\w+\}/g, id);
const post = (endpoint: Endpoint, init: Parameters<TestServer['owner']['send']>[2]) =>
  server.owner.send(endpoint.method.toUpperCase(), pathOf(endpoint), init);

describe('every endpoint', () => {
  test.each(named(ENDPOINTS))('is served: %s', async (_, endpoint) => {
    const { status, headers } = await server.nobody.send(endpoint.method.toUpperCase(), pathOf(endpoint));
    expect([404, 405, 500]).not.toContain(status);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('refuses the methods it does not have with 405, naming those it has', async () => {
    for (const { path } of ENDPOINTS) {
      const { status, headers, json: problem } = await server.owner.send('PATCH', pathOf({ path } as Endpoint));
      expect({ path, status }).toEqual({ path, status: 405 });
      const asked = pathOf({ path } as Endpoint);
      const written = ENDPOINTS.filter((one) => one.path === asked);
      const served = written.length > 0 ? written : ENDPOINTS.filter((one) => matches(one.path, asked));
      const allowed = served.map((one) => one.method.toUpperCase());
      expect(headers.get('allow')?.split(', ').sort()).toEqual([...new Set(allowed)].sort());
      expect((problem as { code: string }).code).toBe('method_not_allowed');
    }
  });
});

const matches = (template: string, path: string) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path);

describe('every endpoint that needs a credential', () => {
  test.each(named(withCredential))('refuses a request without one: %s', async (_, endpoint) => {
    const { status, headers, json: problem } = await server.nobody.ask(endpoint, { body: endpoint.body && {} });
    expect(status).toBe(401);
    expect((problem as { code: string }).code).toBe('authentication_required');
    expect(headers.get('www-authenticate')).toMatch(/^Bearer /);
  });

  test('asks who it is before it reads anything', async () => {
    for (const endpoint of withCredential) {
      const init = endpoint.method === 'get' ? {} : { body: '{', headers: { 'content-type': 'text/plain' } };
      const { status } = await server.nobody.send(endpoint.method.toUpperCase(), pathOf(endpoint, 'no-uuid'), init);
      expect({ endpoint: name(endpoint), status }).toEqual({ endpoint: name(endpoint), status: 401 });
    }
  });
});

describe('every JSON endpoint', () => {
  test.each(named(withJson))('refuses unknown fields, by name: %s', async (_, endpoint) => {
    const problem = await server.owner.refused(endpoint, { body: { colour_of_hair: 'red' } });
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(problem.errors).toContainEqual({ field: 'colour_of_hair', message: 'is not known here' });
  });

  test.each(named(withJson))('refuses a field in both spellings: %s', async (_, endpoint) => {
    const problem = await server.owner.refused(endpoint, { body: { 'tenant-id': 'a', tenant_id: 'a' } });
    expect(problem).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(problem.detail).toContain('tenant_id');
  });

  test.each(named(withJson))('refuses what is not a JSON object: %s', async (_, endpoint) => {
    for (const body of ['{', '[]', '"text"', 'null', '7', '{"a":1}}', "{'a':1}", '\u0000']) {
      const { status, json: problem } = await post(endpoint, { body, headers: json });
      expect({ body, status, code: (problem as { code: string }).code }).toEqual({
        body,
        status: 400,
        code: 'invalid_request',
      });
    }
  });

  test.each(named(withJson))('refuses other content types with 415: %s', async (_, endpoint) => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      '',
    ]) {
      const { status } = await post(endpoint, { body: '{}', headers: { 'content-type': type } });
      expect({ type, status }).toEqual({ type, status: 415 });
    }
  });

  test.each(named(withJson))(
    'refuses bodies over 1 MiB with 413, whatever length they announce: %s',
    async (_, endpoint) => {
      const body = JSON.stringify({ reason: 'x'.repeat(1024 * 1024) });
      expect((await post(endpoint, { body, headers: json })).status).toBe(413);
      let sent = 0;
      const chunked = new ReadableStream({
        pull(controller) {
          sent += 1;
          controller.enqueue(new TextEncoder().encode(' '.repeat(64 * 1024)));
        },
      });
      expect((await post(endpoint, { body: chunked, headers: json })).status).toBe(413);
      expect(sent).toBeLessThan(30);
    },
  );
});

describe('every endpoint with an id', () => {
  test.each(named(withId))('refuses one that is not a UUID with 400, by name: %s', async (_, endpoint) => {
    const field = /\{(\w+)\}/.exec(endpoint.path)?.[1];
    for (const id of ['7', 'default', '01900000-0000-7000-8000-00000000000g', '01900000000070008000000000000000']) {
      const { status, json: problem } = await server.owner.send(endpoint.method.toUpperCase(), pathOf(endpoint, id), {
        ...(endpoint.method === 'get' || endpoint.method === 'delete' ? {} : { body: '{}', headers: json }),
      });
      expect({ id, status }).toEqual({ id, status: 400 });
      expect((problem as { errors: { field: string }[] }).errors[0]?.field).toBe(field);
    }
  });
});

describe('public endpoints', () => {
  test('answer without a credential', async () => {
    expect(await server.nobody.call(publicApi.health)).toEqual({ status: 'ok' });
    expect(await server.nobody.call(publicApi.ready)).toEqual({ status: 'ok' });
    expect(await server.nobody.call(publicApi.appConfig)).toMatchObject({
      auth_enabled: true,
      features: expect.arrayContaining(['tokens', 'service-users']),
      token_policy: { default_days: 90, max_days: 365, max_per_user: null },
    });
    const { keys } = await server.nobody.call(publicApi.jwks);
    const key = {
      kty: 'EC',
      crv: 'P-256',
      alg: 'ES256',
      use: 'sig',
      kid: expect.any(String),
      x: expect.any(String),
      y: expect.any(String),
    };
    expect(keys).toEqual([key, key]);
  });

  test('an unknown path is 404 as problem details', async () => {
    for (const path of ['/', '/api/v1', '/api/v2/tokens', '/api/v1/tokens/', '/health/', '/api/v1/users/me/tokens/x']) {
      const { status, json: problem } = await server.nobody.send('GET', path);
      expect({ path, status, code: (problem as { code: string }).code }).toEqual({
        path,
        status: 404,
        code: 'not_found',
      });
    }
  });
});
