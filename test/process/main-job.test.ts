import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Box, openBox } from './box.ts';
import { ID_LINE, JWT_LINE, KEY_LINE, readClaims, readId } from './credentials.ts';
import { bearer, request } from './request.ts';
import { type Server, startServer } from './start-server.ts';

let box: Box;
let server: Server;
let token: string;
let serviceUser: { id: string; oldKey: string; key: string };

beforeAll(async () => {
  box = await openBox();
});
afterAll(() => box.remove());

/** Each step stands on the one before, as they do for a person who types them. */
describe('from an empty folder', () => {
  test('get-token prints one token and a newline in a pipe, and nothing else', async () => {
    const argv = ['get-token', '--description', 'GitHub Actions', '--expires-in', '365'];
    const { stdout, stderr, code } = await box.user(argv);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    expect(stdout).toMatch(JWT_LINE);
    token = stdout.trim();
    const { exp, iat } = readClaims(token);
    expect(exp - iat).toBe(365 * 86_400);
  });

  test('create-service-user prints the key on stdout and the id on stderr', async () => {
    const argv = ['create-service-user', '--name', 'etl-pipeline', '--role', 'TenantUser'];
    const { stdout, stderr, code } = await box.admin(argv);
    expect(code).toBe(0);
    expect(stdout).toMatch(KEY_LINE);
    expect(stderr).toMatch(ID_LINE);
    serviceUser = { id: readId(stderr), oldKey: stdout.trim(), key: '' };
  });

  test('rotate-service-user-key prints another key of the same service user', async () => {
    const { stdout, stderr, code } = await box.admin(['rotate-service-user-key', '--id', serviceUser.id]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: `id: ${serviceUser.id}\n` });
    expect(stdout).toMatch(KEY_LINE);
    serviceUser.key = stdout.trim();
    expect(serviceUser.key).not.toBe(serviceUser.oldKey);
  });

  test('serve answers a token that was minted before it started', async () => {
    server = await startServer(box);
    const { status, text } = await request(`${server.url}/api/v1/users/me`, { headers: bearer(token) });
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ role: 'tenant-user', credential: { id: readClaims(token).jti } });
  });

  test('serve answers the current API key, and no longer the one before', async () => {
    const ask = (key: string) => request(`${server.url}/api/v1/catalogs`, { headers: { 'x-api-key': key } });
    const { status, text } = await ask(serviceUser.key);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject([{ name: 'default' }]);
    expect((await ask(serviceUser.oldKey)).status).toBe(401);
  });

  test('a token that revokes itself is refused from then on', async () => {
    const url = `${server.url}/api/v1/tokens/revoke/self`;
    expect((await request(url, { method: 'POST', headers: bearer(token) })).status).toBe(200);
    expect((await request(`${server.url}/api/v1/users/me`, { headers: bearer(token) })).status).toBe(401);
    expect((await request(url, { method: 'POST', headers: bearer(token) })).status).toBe(401);
  });

  test("an administrator's token revokes another by its jti", async () => {
    const admin = (await box.user(['get-token', '--role', 'tenant-admin'])).stdout.trim();
    const other = (await box.user(['get-token'])).stdout.trim();
    const me = () => request(`${server.url}/api/v1/users/me`, { headers: bearer(other) });
    expect((await me()).status).toBe(200);
    const url = `${server.url}/api/v1/tokens/revoke/${readClaims(other).jti}`;
    expect((await request(url, { method: 'POST', headers: bearer(admin) })).status).toBe(200);
    expect((await me()).status).toBe(401);
  });

  test('client credentials are exchanged for an access token where Iceberg clients ask for it', async () => {
    const { status, headers, text } = await request(`${server.url}/v1/default/v1/oauth/tokens`, {
      form: { grant_type: 'client_credentials', client_id: serviceUser.id, client_secret: serviceUser.key },
    });
    expect({ status, cache: headers['cache-control'] }).toEqual({ status: 200, cache: 'no-store' });
    const { access_token, token_type, expires_in } = JSON.parse(text);
    expect({ token_type, expires_in }).toEqual({ token_type: 'bearer', expires_in: 3600 });
    expect((await request(`${server.url}/api/v1/users/me`, { headers: bearer(access_token) })).status).toBe(200);
    expect((await request(`${server.url}/api/v1/catalogs`, { headers: bearer(access_token) })).status).toBe(200);
  });

  test('serve ends with 0 when it is told to stop', async () => {
    expect(await server.stop()).toMatchObject({ code: 0 });
  });
});
