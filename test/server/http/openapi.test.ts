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
  parameters: Parameter[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: object }> }>;
}

interface Document {
  openapi: string;
  info: { title: string; version: string };
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object>; securitySchemes: Record<string, object> };
}

const readDocument = async (server: TestServer) => {
  const { status, json } = await server.nobody.send('GET', '/api/v1/openapi.json');
  expect(status).toBe(200);
  return json as Document;
};

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
    const inPath = operation.parameters.filter((one) => one.in === 'path');
    expect(inPath.map(({ name }) => name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
    expect(inPath.every(({ required }) => required)).toBe(true);
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['4XX', '5XX']));
    for (const { description } of Object.values(operation.responses)) expect(description).not.toBe('');
    for (const requirement of operation.security) {
      expect(Object.keys(document.components.securitySchemes)).toEqual(
        expect.arrayContaining(Object.keys(requirement)),
      );
    }
  }
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)) {
    expect(document.components.schemas).toHaveProperty(reference);
  }
});

test('lists have their query in the document, and bodies their schema', async () => {
  const document = await readDocument(await openTestServer());
  const list = document.paths['/api/v1/users/me/tokens']?.get;
  expect(list?.parameters.map(({ name }) => name).sort()).toEqual(['count', 'cursor', 'limit', 'offset', 'status']);
  expect(list?.parameters.every(({ required }) => !required)).toBe(true);
  const create = document.paths['/api/v1/tokens']?.post?.requestBody?.content['application/json']?.schema;
  expect(create).toMatchObject({ additionalProperties: false, properties: { expires_in_days: { type: 'integer' } } });
  const token = document.paths['/oauth2/token']?.post?.requestBody?.content;
  expect(Object.keys(token ?? {})).toEqual(['application/x-www-form-urlencoded']);
});
