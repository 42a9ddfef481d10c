import { connect } from 'node:net';
import { startServer } from '@pangolin/server';
import { usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createFolder } from '../harness.ts';
import { startTestServer } from '../start-test-server.ts';

const path = '/api/v1/users/me';

describe('a server without authentication', () => {
  test('answers this machine, by whichever name it has there', async () => {
    const server = await startTestServer({ noAuth: true });
    expect(await server.caller().call(usersApi.me)).toMatchObject({ kind: 'owner', credential: { type: 'none' } });
    for (const host of ['127.0.0.1', '::1']) expect((await server.exchange({ host, path })).status).toBe(200);
    for (const host of [`localhost:${server.port}`, `127.0.0.1:${server.port}`, `[::1]:${server.port}`])
      expect((await server.exchange({ path, headers: { host } })).status).toBe(200);
  });

  test.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '192.0.2.1', '0.0.0.0'])(
    'answers nobody who asks for %s, as a page does whose name was pointed at this machine: 421',
    async (host) => {
      const server = await startTestServer({ noAuth: true });
      const { status, text, headers } = await server.exchange({ path, headers: { host } });
      expect({ status, code: JSON.parse(text).code }).toEqual({ status: 421, code: 'wrong_host' });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
    },
  );

  test('answers no page of another site, not even whether something is there', async () => {
    const server = await startTestServer({ noAuth: true });
    const own = `http://localhost:${server.port}`;
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS'])
      for (const foreign of [
        { origin: 'https://evil.example' },
        { origin: 'http://localhost:1' },
        { origin: 'null' },
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' },
        { origin: own, 'sec-fetch-site': 'cross-site' },
      ])
        for (const asked of [path, '/v1/default/namespaces', '/api/v1/app/config', '/nothing']) {
          const { status, headers } = await server.exchange({ method, path: asked, headers: foreign });
          expect({ method, foreign, asked, status }).toEqual({ method, foreign, asked, status: 403 });
          expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
        }
    for (const headers of [{ origin: own }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }])
      expect((await server.exchange({ path, headers })).status).toBe(200);
  });

  test.each([
    ['X-Forwarded-For', '192.0.2.1'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Host', 'pangolin.example.com'],
    ['Forwarded', 'for=192.0.2.1'],
    ['Via', '1.1 proxy'],
    ['X-Real-IP', '192.0.2.1'],
    ['CF-Connecting-IP', '192.0.2.1'],
    ['CDN-Loop', 'cdn.example'],
    ['X-Client-IP', '192.0.2.1'],
    ['X-Cluster-Client-IP', '192.0.2.1'],
    ['Fly-Client-IP', '192.0.2.1'],
    ['X-Envoy-External-Address', '192.0.2.1'],
    ['X-Original-Forwarded-For', '192.0.2.1'],
    ['X-Amzn-Trace-Id', 'Root=1-0'],
    ['Tailscale-User-Login', 'eve@example.com'],
  ])('answers nothing that came through a proxy: %s: %s', async (name, value) => {
    const server = await startTestServer({ noAuth: true });
    const { status, text } = await server.exchange({ path, headers: { [name]: value } });
    expect(status).toBe(403);
    expect(JSON.parse(text)).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('through a proxy') });
  });

  test('answers nothing by HTTP/1.0, which proxies speak that say nothing else of themselves', async () => {
    const server = await startTestServer({ noAuth: true });
    const ask = (version: string) =>
      new Promise<string>((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: server.port });
        let text = '';
        socket.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        socket.on('end', () => resolve(text)).on('error', reject);
        socket.write(`GET ${path} HTTP/${version}\r\nHost: localhost:${server.port}\r\nConnection: close\r\n\r\n`);
      });
    expect(await ask('1.0')).toMatch(/^HTTP\/1\.1 403 /);
    expect(await ask('1.1')).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('is the only one that does: with authentication those are nobody’s business', async () => {
    const server = await startTestServer();
    for (const headers of [{ 'x-forwarded-for': '192.0.2.1' }, { 'sec-fetch-site': 'cross-site' }])
      expect((await server.exchange({ path, headers })).status).toBe(401);
  });

  test.each([
    [{ host: '0.0.0.0' }, '--host 0.0.0.0'],
    [{ host: '::' }, '--host ::'],
    [{ host: '192.0.2.1', insecureHttp: true }, '--host 192.0.2.1'],
    [{ host: '0.0.0.0', tls: { cert: 'tls.crt', key: 'tls.key' } }, '--host 0.0.0.0'],
    [{ publicUrl: 'https://pangolin.example.com' }, '--public-url https://pangolin.example.com'],
    [{ publicUrl: 'http://localhost.example.com' }, '--public-url http://localhost.example.com'],
    [{ publicUrl: 'http://127.example.com' }, '--public-url http://127.example.com'],
    [{ trustedProxies: ['127.0.0.1/32'] }, '--trusted-proxy'],
  ])('does not start where others might reach it: %j', async (options, setting) => {
    const dataDir = await createFolder();
    const starting = startServer({ dataDir, ownerName: 'ada', port: 0, insecureHttp: false, noAuth: true, ...options });
    await expect(starting).rejects.toMatchObject({
      code: 'invalid_argument',
      message: `A server without authentication answers this machine alone, and ${setting} is for others to reach it by.`,
      hint: expect.stringContaining('--no-auth'),
    });
  });

  test.each([
    { host: '127.0.0.1' },
    { host: '127.8.9.10' },
    { host: 'localhost' },
    { host: '[::1]' },
    { publicUrl: 'http://localhost:8080' },
    { publicUrl: 'http://[::1]:8080' },
  ])('starts on this machine: %j', async (options) => {
    const server = await startTestServer({ noAuth: true, ...options });
    expect(server.logs.filter((line) => JSON.parse(line).level === 'warn')).toEqual([
      expect.stringContaining('without authentication'),
    ]);
    await server.close();
  });
});
