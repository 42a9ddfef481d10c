import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startTestServer } from '../start-test-server.ts';

describe('a page in a browser', () => {
  test('cannot reach the server under a name that is not its own: 421', async () => {
    const server = await startTestServer();
    const { port } = server;
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.nip.io',
      '192.0.2.1',
      '0.0.0.0',
    ]) {
      const { status, text } = await server.exchange({ headers: { host } });
      expect({ host, status, code: JSON.parse(text).code }).toEqual({ host, status: 421, code: 'wrong_host' });
    }
    for (const host of ['localhost', `LOCALHOST:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
      expect((await server.exchange({ headers: { host } })).status).toBe(200);
    }
  });

  test('cannot change anything from a foreign origin: 403', async () => {
    const server = await startTestServer();
    const asked = { method: 'POST', path: '/oauth2/token', body: 'grant_type=x' };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const own = `http://localhost:${server.port}`;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'http://localhost:1' },
      { origin: 'http://localhost' },
      { origin: 'null' },
      { origin: `${own}.evil.example` },
      { origin: `${own}@evil.example` },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: own, 'sec-fetch-site': 'cross-site' },
    ]) {
      const { status, text } = await server.exchange({ ...asked, headers: { ...form, ...headers } });
      expect({ headers, status }).toEqual({ headers, status: 403 });
      expect(JSON.parse(text)).toEqual({
        error: 'invalid_request',
        error_description: 'Requests from other sites are refused.',
      });
    }
    for (const headers of [
      { origin: own },
      { origin: own, 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' },
      {},
    ]) {
      expect((await server.exchange({ ...asked, headers: { ...form, ...headers } })).status).toBe(400);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const headers = { origin: 'https://evil.example' };
      expect((await server.exchange({ method, path: '/api/v1/tokens', headers })).status).toBe(403);
    }
  });

  test('is refused in the words of whoever the path belongs to', async () => {
    const server = await startTestServer();
    const refused = async (path: string) =>
      JSON.parse((await server.exchange({ method: 'POST', path, headers: { origin: 'https://evil.example' } })).text);
    expect(await refused('/api/v1/tokens')).toMatchObject({ code: 'cross_site_request', status: 403 });
    const message = 'Requests from other sites are refused.';
    const iceberg = { error: { message, type: 'ForbiddenException', code: 403 } };
    expect(await refused('/v1/default/v1/namespaces')).toEqual(iceberg);
    expect(await refused('//v1/default/namespaces')).toEqual(iceberg);
    expect(await refused('/v1/default/v1/oauth/tokens')).toEqual({
      error: 'invalid_request',
      error_description: message,
    });
  });

  test('is told by no answer that it may read it', async () => {
    const server = await startTestServer();
    const { headers } = await server.exchange({ headers: { origin: 'https://evil.example' } });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['cross-origin-resource-policy']).toBe('same-origin');
    expect(headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('a path', () => {
  test('with dot segments is refused as it was sent, before anybody collapses them', async () => {
    const server = await startTestServer();
    const raw = (target: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let text = '';
        const socket = connect(server.port, '127.0.0.1', () =>
          socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost:${server.port}\r\nConnection: close\r\n\r\n`),
        );
        socket.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        socket.on('end', () => resolve(text.split('\r\n', 1)[0] ?? '')).on('error', reject);
      });
    for (const target of [
      '/api/v1/../../health',
      '/./health',
      '/%2e/health',
      '/api/%2E%2e/health',
      '/api/.%2e/health',
      '/api/v1/..',
      '/api\\..\\health',
      '/x/..\\health',
    ]) {
      expect({ target, answer: await raw(target) }).toEqual({ target, answer: 'HTTP/1.1 400 Bad Request' });
    }
    expect(await raw('/health?path=../..')).toBe('HTTP/1.1 200 OK');
  });
});
