import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttpTransport, type HttpTransportOptions } from '../../../packages/shared/src/client/http-transport.ts';
import type { TransportRequest } from '../../../packages/shared/src/client/transport-types.ts';
import { type Answer, type Received, startAnsweringServer } from '../answering-server.ts';

const GET: TransportRequest = { method: 'GET', path: '/x?y=1', headers: {} };

async function serve(answer: (request: Received, count: number) => Answer) {
  const server = await startAnsweringServer(answer);
  onTestFinished(() => server.close());
  return server;
}

function open(options: Partial<HttpTransportOptions> & { origin: string }) {
  const transport = createHttpTransport({ env: {}, ...options });
  onTestFinished(() => transport.close());
  return transport;
}

describe('the HTTP transport', () => {
  test('sends method, path, headers and body as they are, and answers status, headers and text', async () => {
    const server = await serve(() => ({ status: 418, headers: { 'x-one': 'a' }, body: { ok: 'ö' } }));
    const answer = await open(server).send({
      method: 'POST',
      path: '/a?b=c',
      headers: { 'x-h': '1' },
      body: '{"é":1}',
    });
    expect(server.received[0]).toMatchObject({
      method: 'POST',
      path: '/a?b=c',
      headers: { 'x-h': '1' },
      text: '{"é":1}',
    });
    expect(answer).toMatchObject({ status: 418, text: '{"ok":"ö"}' });
    expect(answer.header('x-one')).toBe('a');
    expect(answer.header('x-two')).toBeNull();
  });

  test('does not follow a redirect', async () => {
    const server = await serve(() => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } }));
    expect((await open(server).send(GET)).status).toBe(302);
    expect(server.received).toHaveLength(1);
  });

  test.each(['GET', 'PUT', 'DELETE'] as const)('tries %s again when the connection is cut', async (method) => {
    const server = await serve((_request, count) => (count === 1 ? { cut: true } : { body: {} }));
    expect((await open(server).send({ ...GET, method })).status).toBe(200);
    expect(server.received).toHaveLength(2);
  });

  test('tries GET again on 502, 503 and 504, at most twice', async () => {
    const server = await serve(() => ({ status: 503 }));
    expect((await open(server).send(GET)).status).toBe(503);
    expect(server.received).toHaveLength(3);
  });

  test('never sends a POST twice', async () => {
    const server = await serve((request) => (request.path === '/cut' ? { cut: true } : { status: 503 }));
    const transport = open(server);
    expect((await transport.send({ ...GET, method: 'POST', body: '{}' })).status).toBe(503);
    await expect(transport.send({ ...GET, path: '/cut', method: 'POST', body: '{}' })).rejects.toMatchObject({
      code: 'network_unreachable',
    });
    expect(server.received).toHaveLength(2);
  });

  test('takes a 404 to a repeated DELETE for success', async () => {
    const server = await serve((_request, count) => (count === 1 ? { cut: true } : { status: 404 }));
    expect((await open(server).send({ ...GET, method: 'DELETE' })).status).toBe(204);
    const other = await serve(() => ({ status: 404 }));
    expect((await open(other).send({ ...GET, method: 'DELETE' })).status).toBe(404);
  });

  test('a server that is not there is network_unreachable, naming the origin', async () => {
    const server = await startAnsweringServer(() => ({}));
    await server.close();
    await expect(open(server).send(GET)).rejects.toMatchObject({
      code: 'network_unreachable',
      exitCode: 5,
      message: `${server.origin} cannot be reached: nothing listens there`,
    });
  });

  test('an answer that does not come in time is network_timeout', async () => {
    const server = await serve(() => ({ hang: true }));
    await expect(open({ origin: server.origin, answerTimeoutMs: 100 }).send(GET)).rejects.toMatchObject({
      code: 'network_timeout',
    });
  });

  test('an answer over 32 MiB is given up', async () => {
    const server = await serve(() => ({ body: 'x'.repeat(33 * 1024 * 1024) }));
    await expect(open(server).send(GET)).rejects.toMatchObject({ code: 'unexpected_answer' });
  });

  test('something that does not speak HTTP is unexpected_answer', async () => {
    const server = createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    await expect(open({ origin: `http://127.0.0.1:${port}` }).send(GET)).rejects.toMatchObject({
      code: 'unexpected_answer',
    });
  });

  test.each([
    ['a bearer token', { headers: { authorization: 'Bearer secret-token' } }],
    ['an API key', { headers: { 'x-api-key': 'pgl_secret' } }],
    ['a password', { method: 'POST' as const, body: '{"password":"secret"}' }],
  ])('%s does not travel over plain http to another machine', async (_what, part) => {
    const error = await open({ origin: 'http://pangolin.example' })
      .send({ ...GET, ...part })
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'insecure_transport', exitCode: 5 });
    expect(String(error)).not.toContain('secret');
  });

  test('loopback never uses a proxy', async () => {
    const server = await serve(() => ({ body: {} }));
    const env = { HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1' };
    expect((await open({ origin: server.origin, env }).send(GET)).status).toBe(200);
    const byName = server.origin.replace('127.0.0.1', 'localhost');
    expect((await open({ origin: byName, env }).send(GET)).status).toBe(200);
  });

  test('another machine is reached through the proxy, unless NO_PROXY names it', async () => {
    const server = await serve(() => ({ body: {} }));
    const { origin: proxy, tunnels } = await startProxy(server.port);
    const env = { HTTP_PROXY: proxy.replace('//', '//user:hidden@') };
    const origin = 'http://pangolin.invalid:8080';
    expect((await open({ origin, env }).send(GET)).status).toBe(200);
    expect(tunnels).toEqual(['pangolin.invalid:8080']);
    const direct = open({ origin, env: { ...env, NO_PROXY: '.invalid' } }).send(GET);
    await expect(direct).rejects.toMatchObject({ code: 'network_unreachable' });
    expect(tunnels).toHaveLength(1);
  });

  test('a proxy that cannot be reached is named without its password', async () => {
    const env = { HTTP_PROXY: 'http://user:hidden@127.0.0.1:1' };
    const error = await open({ origin: 'http://pangolin.invalid', env })
      .send(GET)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'network_unreachable' });
    expect(String(error)).toContain('127.0.0.1:1');
    expect(String(error)).not.toContain('hidden');
  });
});

async function startProxy(targetPort: number) {
  const tunnels: string[] = [];
  const proxy = createServer();
  proxy.on('connect', (request, socket) => {
    tunnels.push(request.url ?? '');
    const target = connectTcp(targetPort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      target.pipe(socket).pipe(target);
    });
    target.on('error', () => socket.destroy());
    socket.on('error', () => target.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    proxy.close();
    proxy.closeAllConnections();
  });
  return { origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, tunnels };
}

describe('a server whose certificate a private authority signed', () => {
  test('is tls_failed naming --ca-file, and works with the authority file', async () => {
    const { origin, certificate, folder } = await startTlsServer();
    await expect(open({ origin }).send(GET)).rejects.toMatchObject({
      code: 'tls_failed',
      hint: expect.stringContaining('--ca-file'),
    });
    expect((await open({ origin, caFile: certificate }).send(GET)).text).toBe('over tls');
    const other = join(folder, 'other.pem');
    writeFileSync(other, readFileSync(certificate));
    const env = { NODE_EXTRA_CA_CERTS: certificate };
    expect((await open({ origin, caFile: other, env }).send(GET)).text).toBe('over tls');
  });

  test('under another name is tls_failed even with the authority file', async () => {
    const { origin, certificate } = await startTlsServer();
    const other = origin.replace('localhost', '127.0.0.1');
    await expect(open({ origin: other, caFile: certificate }).send(GET)).rejects.toMatchObject({
      code: 'tls_failed',
      message: expect.stringContaining('another host name'),
    });
  });

  test('a plain http server spoken to in https is tls_failed', async () => {
    const server = await serve(() => ({}));
    await expect(open({ origin: server.origin.replace('http:', 'https:') }).send(GET)).rejects.toMatchObject({
      code: 'tls_failed',
    });
  });

  test('an authority file that is missing or holds no certificate is invalid_argument, naming it', async () => {
    const { origin, folder } = await startTlsServer();
    const empty = join(folder, 'empty.pem');
    writeFileSync(empty, 'nothing');
    for (const caFile of [empty, join(folder, 'missing.pem')]) {
      await expect(open({ origin, caFile }).send(GET)).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining(caFile),
      });
    }
  });
});

async function startTlsServer() {
  const folder = mkdtempSync(join(tmpdir(), 'pangolin-tls-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  execFileSync('openssl', [...kind, '-keyout', key, '-out', certificate, ...subject], { stdio: 'ignore' });
  const server = createHttpsServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (_request, response) =>
    response.end('over tls'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { origin: `https://localhost:${(server.address() as AddressInfo).port}`, certificate, folder };
}
