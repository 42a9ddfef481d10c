import { auditApi, type Endpoint, type Role, serviceUsersApi, settingsApi, usersApi } from '@pangolin/shared/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENDPOINTS } from '../../../packages/server/src/http/openapi.ts';
import { openTestServer, type TestCaller, type TestServer, UNKNOWN_ID } from '../harness.ts';
import { type FuzzedRequest, type Parameter, requestsTo, type Schema, sweep } from './hostile-requests.ts';

const REQUESTS_PER_ENDPOINT = 15;
const MAX_ERROR_LENGTH = 16 * 1024;
const MAX_ANSWER_LENGTH = 2 * 1024 * 1024;
/** A stack, a statement or a path of the server's own. */
const INSIDES =
  /\.[cm]?[jt]s:\d+|node_modules|\b(?:select|insert into|update) .+ (?:from|values|set) |SQLITE_|errcode/i;

interface Operation {
  parameters: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { $ref?: string; content?: Record<string, unknown> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, Operation['responses'][string]> };
}

test('whatever is sent to an endpoint, by whomever, it answers as the OpenAPI document says', async () => {
  const server = await openTestServer();
  const { json } = await server.nobody.send('GET', '/api/v1/openapi.json');
  const document = json as Document;
  const people = await createPeople(server);
  const ids = new Set<string>([UNKNOWN_ID]);
  for (const endpoint of ENDPOINTS) {
    await people.revive();
    const operation = document.paths[endpoint.path]?.[endpoint.method] as Operation;
    const [bodyType, body] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
    const parameters = operation.parameters.filter((one) => 'name' in one);
    const described = { parameters, body: body?.schema, bodyType };
    const requests = requestsTo(described, [...ids]);
    const examples = sweep(described, [...ids]);
    await holds(
      fc.asyncProperty(requests, fc.constantFrom(...people.names), async (request, name) => {
        const answer = await send(people.callers[name] ?? server.nobody, endpoint, request);
        const documented = operation.responses[answer.status];
        const what = `${name}: ${endpoint.method} ${endpoint.path} answered ${answer.status} ${answer.text.slice(0, 500)}`;
        expect(documented, what).toBeDefined();
        const { content = {} } = documented?.$ref ? findResponse(document, documented.$ref) : (documented ?? {});
        const type = answer.headers.get('content-type')?.split(';')[0];
        if (type !== undefined || answer.text !== '') expect(Object.keys(content), what).toContain(type);
        expect(answer.headers.get('x-request-id'), what).toMatch(/^[0-9a-f-]{36}$/);
        for (const secret of people.secrets) expect(answer.text.includes(secret), what).toBe(false);
        if (answer.status < 400) requireAnswer(endpoint, answer, what);
        else requireRefusal(answer, what);
        for (const [, id = ''] of answer.text.matchAll(/"(?:id|jti|user_id)":"([0-9a-f-]{36})"/g)) ids.add(id);
      }),
      examples,
    );
  }
  await people.revive();
  expect(await server.owner.call(auditApi.verify)).toMatchObject({ valid: true, broken: null });
  expect(await server.owner.call(auditApi.verify, { query: { chain: 'system' } })).toMatchObject({ valid: true });
}, 300_000);

/** As `fc.assert`, without printing the whole of a long request. */
async function holds(property: fc.IAsyncProperty<[FuzzedRequest, string]>, examples: FuzzedRequest[]): Promise<void> {
  const { failed, seed, counterexample, errorInstance } = await fc.check(property, {
    numRuns: examples.length + REQUESTS_PER_ENDPOINT,
    examples: examples.map((one) => [one, 'root']),
    endOnFailure: true,
  });
  if (!failed) return;
  const request = JSON.stringify(counterexample).slice(0, 1_000);
  throw new Error(`${(errorInstance as Error).message}\nwith ${request}\nseed ${seed}`, { cause: errorInstance });
}

type Answer = Awaited<ReturnType<TestCaller['send']>>;

const findResponse = (document: Document, reference: string) =>
  document.components.responses[reference.split('/').at(-1) ?? ''] ?? {};

function requireAnswer(endpoint: Endpoint, { status, text, json }: Answer, what: string): void {
  expect([endpoint.status, endpoint.unchangedStatus], what).toContain(status);
  expect(text.length, what).toBeLessThan(MAX_ANSWER_LENGTH);
  if (endpoint.answer === null) expect(text, what).toBe('');
  else if (endpoint.answerType === undefined) expect(endpoint.answer.parse(json), what).toEqual(json);
}

function requireRefusal({ status, text, json, headers }: Answer, what: string): void {
  expect(text.length, what).toBeLessThan(MAX_ERROR_LENGTH);
  expect(text, what).not.toMatch(INSIDES);
  if (status === 401) expect(headers.get('www-authenticate'), what).not.toBeNull();
  if (headers.get('content-type') === 'application/problem+json')
    expect(json, what).toMatchObject({ status, code: expect.any(String), request_id: headers.get('x-request-id') });
  else expect(json, what).toMatchObject({ error: expect.stringMatching(/^[a-z_]+$/) });
}

/** Sends bytes, so that the harness does not take what is made up for secrets. */
function send(caller: TestCaller, { method, path }: Endpoint, { params, query, body, contentType }: FuzzedRequest) {
  const asked = path.replace(/\{(\w+)\}/g, (_, name: string) => encode(params[name] ?? ''));
  const search = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const hasBody = body !== undefined && method !== 'get';
  return caller.send(method.toUpperCase(), search === '' ? asked : `${asked}?${search}`, {
    ...(hasBody && { body: new TextEncoder().encode(body) }),
    headers: hasBody && contentType !== undefined ? { 'content-type': contentType } : {},
  });
}

/** A path's segment is never empty, or a dot: that would be another path. Halves of surrogate pairs are percent-encoded. */
const encode = (word: string): string => {
  const some = word === '' || word === '.' || word === '..' ? '%20' : word.slice(0, 8_000);
  return some === '%20' ? some : encodeURIComponent(some.replace(/\p{Cs}/gu, '\ufffd'));
};

/** Whoever asks; where a request has ended somebody's credential, or everybody's, they get a new one. */
async function createPeople(server: TestServer) {
  const roles: Record<string, Role> = { root: 'root', admin: 'tenant-admin', user: 'tenant-user' };
  const callers: Record<string, TestCaller> = { nobody: server.nobody };
  const secrets = new Set<string>();
  let made = 0;
  const { before: settings } = await server.owner.call(settingsApi.update, { body: {} });
  const revive = async () => {
    await server.owner.call(settingsApi.update, { body: { ...settings, role_limits: {} } });
    for (const [name, role] of Object.entries(roles)) {
      if (callers[name] && (await callers[name].ask(usersApi.me)).status === 200) continue;
      made += 1;
      const { api_key: key } = await server.owner.call(serviceUsersApi.create, {
        body: { name: `${name}-${made}`, role },
      });
      secrets.add(key);
      callers[name] = server.apiKey(key);
    }
  };
  await revive();
  return { callers, secrets, revive, names: Object.keys(callers) };
}
