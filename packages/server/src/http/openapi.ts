import { auditApi } from '@pangolin/shared/contract/audit';
import { catalogsApi } from '@pangolin/shared/contract/catalogs';
import type { Endpoint } from '@pangolin/shared/contract/endpoint';
import { oauthApi } from '@pangolin/shared/contract/oauth';
import { policiesApi } from '@pangolin/shared/contract/policies';
import { publicApi } from '@pangolin/shared/contract/public';
import { serviceUsersApi } from '@pangolin/shared/contract/service-users';
import { settingsApi } from '@pangolin/shared/contract/settings';
import { signingKeysApi } from '@pangolin/shared/contract/signing-keys';
import { tenantsApi } from '@pangolin/shared/contract/tenants';
import { tokensApi } from '@pangolin/shared/contract/tokens';
import { usersApi } from '@pangolin/shared/contract/users';
import * as z from 'zod/mini';
import { describeResponses, RESPONSE_COMPONENTS } from './openapi-responses.ts';

/** Every endpoint this server has. */
export const ENDPOINTS: readonly Endpoint[] = [
  publicApi,
  tenantsApi,
  usersApi,
  tokensApi,
  serviceUsersApi,
  oauthApi,
  catalogsApi,
  auditApi,
  settingsApi,
  policiesApi,
  signingKeysApi,
].flatMap((api) => Object.values(api));

interface JsonSchema {
  properties?: Record<string, unknown>;
  required?: string[];
  [key: string]: unknown;
}

/** The header by which root picks a tenant. */
const TENANT = {
  name: 'X-Pangolin-Tenant',
  in: 'header',
  description: "The id of the tenant to act in: any for root, else only the credential's own",
  schema: { type: 'string', format: 'uuid' },
};

/** The OpenAPI 3.1 document, from the schemas that the routes parse with. */
export function createOpenApi(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const endpoint of ENDPOINTS) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: describeOperation(endpoint) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pangolin',
      version,
      description: 'Credentials for a data catalog: issue, verify, rotate, revoke.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(ENDPOINTS.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        client: { type: 'http', scheme: 'basic', description: 'client_id and client_secret (RFC 6749 section 2.3.1)' },
      },
      parameters: { Tenant: TENANT },
      ...RESPONSE_COMPONENTS,
    },
  };
}

function describeOperation(endpoint: Endpoint) {
  const isOAuth = endpoint.bodyType === 'form';
  return {
    operationId: operationId(endpoint),
    summary: endpoint.summary,
    tags: [endpoint.tag],
    security: describeSecurity(endpoint),
    parameters: [
      ...describeParameters(endpoint.params, 'path'),
      ...describeParameters(endpoint.query, 'query'),
      ...(endpoint.access === 'credential' ? [{ $ref: '#/components/parameters/Tenant' }] : []),
    ],
    ...(endpoint.body
      ? {
          requestBody: {
            required: !(endpoint.bodyOptional ?? false),
            content: {
              [isOAuth ? 'application/x-www-form-urlencoded' : 'application/json']: {
                schema: toJsonSchema(endpoint.body, 'input'),
              },
            },
          },
        }
      : {}),
    responses: describeResponses(endpoint, describeAnswer(endpoint)),
  };
}

function describeSecurity({ access, authentication = [] }: Endpoint): object[] {
  const credential: object[] = [{ bearer: [] }, { apiKey: [] }];
  if (access === 'credential') return credential;
  if (authentication.length === 0) return [];
  return [{}, ...authentication.flatMap((one) => (one === 'client' ? [{ client: [] }] : credential))];
}

const describeAnswer = ({ answer, answerType = 'application/json' }: Endpoint) =>
  answer ? { [answerType]: { schema: toJsonSchema(answer, 'output') } } : undefined;

function describeParameters(schema: Endpoint['params'], place: 'path' | 'query') {
  if (!schema) return [];
  const { properties = {}, required = [] } = toJsonSchema(schema, 'input');
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: property,
  }));
}

function toJsonSchema(schema: z.ZodMiniType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return json as JsonSchema;
}

const operationId = ({ method, path }: Endpoint): string =>
  method +
  path
    .split('/')
    .filter(Boolean)
    .map((part) =>
      part
        .replace(/[^A-Za-z0-9]+(.)?/g, (_, next: string | undefined) => (next ?? '').toUpperCase())
        .replace(/^./, (first) => first.toUpperCase()),
    )
    .join('');

/** Which methods a path takes, upper case; none when there is no such path. */
export function findMethods(path: string): string[] {
  const found = ENDPOINTS.filter((endpoint) => {
    const parts = endpoint.path.split('/');
    const given = path.split('/');
    return (
      parts.length === given.length &&
      parts.every((part, i) => part === given[i] || (part.startsWith('{') && given[i] !== ''))
    );
  });
  // As in the router, a path that is written out goes before one with a parameter.
  const literal = found.filter((endpoint) => endpoint.path === path);
  const served = literal.length > 0 ? literal : found;
  return [...new Set(served.map((endpoint) => endpoint.method.toUpperCase()))];
}
