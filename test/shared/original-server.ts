import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the original server received it. */
interface ReceivedRequest {
  method: string;
  path: string;
  tenant: string | undefined;
  body: unknown;
}

export interface OriginalServerDouble {
  origin: string;
  requests: ReceivedRequest[];
  /** The token a login answers. */
  sessionToken: string;
  close(): Promise<void>;
}

export const ORIGINAL_TENANT = '11111111-1111-4111-8111-111111111111';
export const ORIGINAL_USER = { username: 'ada', password: 'correct horse' };
const KEY_HOLDER = '22222222-2222-4222-8222-222222222222';

/** A JWT as the original server makes them; nobody checks its signature here. */
function originalJwt(claims: Record<string, unknown>): string {
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}.c2ln`;
}

/** `required?` names the fields a request must have, and those it may have. */
const SHAPES: Record<string, { required: string[]; optional: string[] }> = {
  '/api/v1/users/login': { required: ['username', 'password', 'tenant-id'], optional: [] },
  '/api/v1/tokens': { required: ['tenant_id', 'username', 'expires_in_hours'], optional: [] },
  '/api/v1/service-users': { required: ['name', 'role'], optional: ['description', 'expires_in_days'] },
  '/api/v1/service-users/{id}/rotate': { required: [], optional: [] },
  '/api/v1/auth/revoke': { required: [], optional: [] },
  '/api/v1/auth/revoke/{id}': { required: [], optional: [] },
};

/**
 * A server that answers as an original Pangolin 0.8 does, as far as http-api.md tells: unknown and missing fields are 422
 * in plain text, errors are `{"error": …}`, answers name fewer fields than ours.
 */
export async function startOriginalServer(): Promise<OriginalServerDouble> {
  const requests: ReceivedRequest[] = [];
  const sessionToken = originalJwt({
    sub: 'u-1',
    jti: '33333333-3333-4333-8333-333333333333',
    username: ORIGINAL_USER.username,
    tenant_id: ORIGINAL_TENANT,
    role: 'TenantAdmin',
    exp: 4_000_000_000,
  });
  const tokens = new Set([sessionToken]);

  const server = createServer(async (request, response) => {
    const reply = (status: number, body: unknown) => {
      const isText = typeof body === 'string';
      response.writeHead(status, { 'content-type': isText ? 'text/plain; charset=utf-8' : 'application/json' });
      response.end(isText ? body : JSON.stringify(body));
    };
    const { method = '', url: path = '' } = request;
    const text = await readText(request);
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const tenant = request.headers['x-pangolin-tenant'];
    requests.push({ method, path, tenant: typeof tenant === 'string' ? tenant : undefined, body });
    if (path === '/api/v1/app/config') return reply(200, { auth_enabled: true });
    const isLogin = path === '/api/v1/users/login';
    const bearer = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (!isLogin && !tokens.has(bearer)) return reply(401, 'Invalid token');
    if (method === 'POST') {
      const shape = SHAPES[path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '{id}')];
      if (shape === undefined) return reply(404, { error: 'Not Found' });
      const problem = findProblem(body, shape);
      if (problem !== null) return reply(422, `Failed to deserialize the JSON body into the target type: ${problem}`);
    }
    const fields = { ...(body as Record<string, unknown> | undefined) };
    if (isLogin) {
      const isKnown = fields.username === ORIGINAL_USER.username && fields.password === ORIGINAL_USER.password;
      return isKnown
        ? reply(200, {
            token: sessionToken,
            user: { id: 'u-1', username: 'ada', role: 'TenantAdmin', 'tenant-id': ORIGINAL_TENANT },
          })
        : reply(401, { error: 'Invalid credentials' });
    }
    if (path === '/api/v1/users/me')
      return reply(200, { id: 'u-1', username: 'ada', role: 'TenantAdmin', 'tenant-id': ORIGINAL_TENANT });
    if (path === '/api/v1/tokens') {
      const token = originalJwt({
        jti: '44444444-4444-4444-8444-444444444444',
        username: fields.username,
        tenant_id: fields.tenant_id,
      });
      tokens.add(token);
      return reply(200, { token, expires_at: '2027-02-20T12:00:00Z', tenant_id: fields.tenant_id });
    }
    if (path === '/api/v1/service-users' && method === 'GET') {
      return reply(200, [
        {
          id: KEY_HOLDER,
          name: 'etl',
          role: 'tenant-user',
          'tenant-id': ORIGINAL_TENANT,
          'created-at': '2026-01-01T00:00:00Z',
        },
      ]);
    }
    if (path === '/api/v1/service-users') {
      return reply(201, {
        'service-user-id': KEY_HOLDER,
        name: fields.name,
        'api-key': 'pgl_first',
        'expires-at': null,
      });
    }
    if (path === `/api/v1/service-users/${KEY_HOLDER}`) {
      return reply(200, {
        id: KEY_HOLDER,
        name: 'etl',
        role: 'tenant-user',
        'tenant-id': ORIGINAL_TENANT,
        'created-at': '2026-01-01T00:00:00Z',
      });
    }
    if (path === `/api/v1/service-users/${KEY_HOLDER}/rotate`) {
      return reply(200, { service_user_id: KEY_HOLDER, name: 'etl', api_key: 'pgl_second', expires_at: null });
    }
    if (path === '/api/v1/auth/revoke') {
      tokens.delete(bearer);
      return reply(200, { message: 'Token revoked successfully' });
    }
    if (path.startsWith('/api/v1/auth/revoke/')) return reply(200, { message: 'Token revoked successfully' });
    return reply(404, { error: 'Not Found' });
  });

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    sessionToken,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function findProblem(body: unknown, { required, optional }: { required: string[]; optional: string[] }): string | null {
  if (body === null || typeof body !== 'object') return 'invalid type, expected a map';
  const names = Object.keys(body);
  const unknown = names.find((name) => !required.includes(name) && !optional.includes(name));
  if (unknown !== undefined)
    return `unknown field \`${unknown}\`, expected one of ${required.join(', ')} at line 1 column 20`;
  const missing = required.find((name) => !names.includes(name));
  if (missing !== undefined) return `missing field \`${missing}\` at line 1 column 20`;
  const role = 'role' in body ? body.role : 'tenant-user';
  return role === 'tenant-user' || role === 'tenant-admin' || role === 'root' ? null : `unknown variant \`${role}\``;
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
