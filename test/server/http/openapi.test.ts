import { usersApi } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import { ENDPOINTS } from '../../../packages/server/src/http/openapi.ts';
import { openTestServer, type TestServer } from '../harness.ts';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: object;
}

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: object[];
  parameters: (Parameter | { $ref: string })[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

interface Document {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<string, Record<string, object>>;
}

const readDocument = async (server: TestServer) => {
  const { status, json } = await server.nobody.send('GET', '/api/v1/openapi.json');
  expect(status).toBe(200);
  return json as Document;
};

const parametersOf = ({ parameters }: Operation) => parameters.filter((one) => 'name' in one);

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

test('the document describes exactly what is served', async () => {
  const document = await readDocument(await openTestServer());
  const described = operationsOf(document).map(({ path, method }) => `${method} ${path}`);
  expect(described.sort()).toEqual(ENDPOINTS.map(({ path, method }) => `${method} ${path}`).sort());
});

test('the document is a sound OpenAPI 3.1 document', async () => {
  const document = await readDocument(await openTestServer());
  expect(document.openapi).toBe('3.1.0');
  expect(document.info).toMatchObject({ title: 'Pangolin', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
  const operations = operationsOf(document);
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
  const tags = document.tags.map(({ name }) => name);
  for (const { path, operation } of operations) {
    expect(tags).toEqual(expect.arrayContaining(operation.tags));
    const inPath = parametersOf(operation).filter((one) => one.in === 'path');
    expect(inPath.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    expect(inPath.every(({ required }) => required)).toBe(true);
    for (const status of Object.keys(operation.responses)) expect(status).toMatch(/^[2-5]\d\d$/);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '421', '503']));
    if (operation.security.length > 0 && !operation.security.some((one) => Object.keys(one).length === 0))
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403', '404', '429']));
    for (const requirement of operation.security) {
      expect(Object.keys(document.components.securitySchemes ?? {})).toEqual(
        expect.arrayContaining(Object.keys(requirement)),
      );
    }
  }
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/([\w/-]+)"/g)) {
    const [kind = '', name = ''] = reference.split('/');
    expect(Object.keys(document.components[kind] ?? {})).toContain(name);
  }
});

test('lists have their query in the document, and bodies their schema', async () => {
  const document = await readDocument(await openTestServer());
  const list = document.paths['/api/v1/users/me/tokens']?.get;
  const query = list ? parametersOf(list) : [];
  expect(query.map(({ name }) => name).sort()).toEqual(['count', 'cursor', 'limit', 'offset', 'status']);
  expect(query.every(({ required }) => !required)).toBe(true);
  const create = document.paths['/api/v1/tokens']?.post?.requestBody?.content['application/json']?.schema;
  expect(create).toMatchObject({ additionalProperties: false, properties: { expires_in_days: { type: 'integer' } } });
  const token = document.paths['/oauth2/token']?.post?.requestBody?.content;
  expect(Object.keys(token ?? {})).toEqual(['application/x-www-form-urlencoded']);
});

test('its patterns are regular expressions that every dialect reads', async () => {
  const text = JSON.stringify(await readDocument(await openTestServer()));
  const patterns = [...text.matchAll(/"pattern":("(?:[^"\\\\]|\\\\.)*")/g)].map(([, source = '""']) =>
    JSON.parse(source),
  );
  expect(patterns.length).toBeGreaterThan(10);
  for (const source of new Set<string>(patterns)) {
    expect(() => new RegExp(source, 'u')).not.toThrow();
    expect(source, 'no Unicode property, no looking ahead or behind').not.toMatch(/\\p|\(\?[=!<]/i);
  }
});

test('what was counted in characters is, as JSON Schema counts them', async () => {
  const server = await openTestServer();
  await server.owner.call(usersApi.create, { body: { username: '😀'.repeat(255) } });
  const { detail } = await server.owner.refused(usersApi.create, { body: { username: '😀'.repeat(256) } });
  expect(detail).toContain('must be at most 255 characters long');
});
