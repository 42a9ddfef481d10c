import { expect } from 'vitest';
import { openTestServer, type TestCaller, type TestServer } from '../../harness.ts';
import { createRequest } from './sample-views.ts';

/** A LoadViewResult, as far as tests look at it. */
export interface LoadedView {
  'metadata-location': string;
  metadata: {
    'view-uuid': string;
    location: string;
    properties: Record<string, string>;
    schemas: { 'schema-id': number; fields: { id: number; name: string }[] }[];
    'current-version-id': number;
    versions: { 'version-id': number; 'schema-id': number; representations: { sql: string; dialect: string }[] }[];
    'version-log': { 'version-id': number }[];
  };
  config: Record<string, string>;
}

const PREFIX = '/v1/default';

/** Asks the Iceberg API, whatever it answers. */
export function send(
  caller: TestCaller,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
) {
  return caller.send(method, path.startsWith('/v1/') ? path : `${PREFIX}/${path}`, {
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  });
}

/** Asks and expects 200 with a view. */
export async function ask(caller: TestCaller, method: string, path: string, body?: unknown): Promise<LoadedView> {
  const { status, text, json } = await send(caller, method, path, body);
  expect(status, text).toBe(200);
  return json as LoadedView;
}

/** Asks and expects an error as Iceberg has them: its status, type and message. */
export async function refused(caller: TestCaller, method: string, path: string, body?: unknown): Promise<string> {
  const { status, headers, text, json } = await send(caller, method, path, body);
  expect(headers.get('content-type'), text).toBe('application/json');
  const { error } = json as { error: { message: string; type: string; code: number } };
  expect(Object.keys(json as object)).toEqual(['error']);
  expect(error.code).toBe(status);
  return `${status} ${error.type}: ${error.message}`;
}

/** A server whose default catalog has the namespaces `ns` and `other`. */
export async function openCatalogServer(): Promise<TestServer> {
  const server = await openTestServer();
  for (const name of ['ns', 'other']) {
    expect((await send(server.owner, 'POST', 'namespaces', { namespace: [name] })).status).toBe(200);
  }
  return server;
}

export const VIEWS = 'namespaces/ns/views';
export const VIEW = 'namespaces/ns/views/v';
export const TABLES = 'namespaces/ns/tables';

/** Creates the view `ns.v`, or one of another name. */
export const create = ({ owner }: TestServer, members = {}) => ask(owner, 'POST', VIEWS, createRequest(members));
/** A list, as it is answered. */
export const namesOf = async ({ owner }: TestServer, path: string) => (await send(owner, 'GET', path)).json;
