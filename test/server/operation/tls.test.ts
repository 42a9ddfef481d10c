import { once } from 'node:events';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { startServer } from '@pangolin/server';
import { describe, expect, test } from 'vitest';
import { readPem, writeTlsFiles } from '../../tls-files.ts';
import { createFolder } from '../harness.ts';
import { startTestServer } from '../start-test-server.ts';

async function openTls() {
  const files = await writeTlsFiles();
  const server = await startTestServer({ tls: { cert: files.server, key: files.serverKey } });
  return { files, server, ca: readPem('authority') };
}

/** Asks once over TLS; answers what was said and who the server said it is. */
function ask(port: number, agent: Agent, path = '/health'): Promise<{ status: number; text: string; name: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: '127.0.0.1', port, path, agent, headers: { host: `localhost:${port}` } },
      (answer) => {
        const certificate: PeerCertificate = (answer.socket as TLSSocket).getPeerCertificate();
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, text, name: String(certificate.subject?.CN ?? '') });
        });
      },
    );
    asked.on('error', reject).end();
  });
}

const handshake = (options: ConnectionOptions): Promise<string | null> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', servername: 'localhost', ...options }, () => {
      resolve(socket.getProtocol());
      socket.destroy();
    });
    socket.on('error', reject);
  });

describe('a server with a certificate', () => {
  test('speaks TLS 1.2 and 1.3, nothing older, and says so in its address and its metadata', async () => {
    const { server, ca } = await openTls();
    expect(server.running.url).toBe(`https://localhost:${server.port}`);
    const { status, text } = await ask(server.port, new Agent({ ca }), '/.well-known/oauth-authorization-server');
    expect(status).toBe(200);
    expect(JSON.parse(text).issuer).toBe(`https://localhost:${server.port}`);
    const { port } = server;
    expect(await handshake({ port, ca })).toBe('TLSv1.3');
    expect(await handshake({ port, ca, maxVersion: 'TLSv1.2' })).toBe('TLSv1.2');
    const old = { port, ca, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    await expect(handshake(old)).rejects.toThrow();
  });

  test('shows a renewed one after a reload, and drops no connection for it', async () => {
    const { files, server, ca } = await openTls();
    const kept = new Agent({ ca, keepAlive: true, maxSockets: 1 });
    expect((await ask(server.port, kept)).name).toBe('server');
    await copyFile(files.renewed, files.server);
    await copyFile(files.renewedKey, files.serverKey);
    await server.running.reload();
    expect(await ask(server.port, kept)).toMatchObject({ status: 200, name: 'server' });
    expect(await ask(server.port, new Agent({ ca }))).toMatchObject({ status: 200, name: 'renewed' });
    expect(server.logs.some((line) => line.includes('TLS certificate reloaded'))).toBe(true);
    kept.destroy();
  });

  test('keeps the old one where the new one cannot be used, and logs why', async () => {
    const { files, server, ca } = await openTls();
    const reloads: [() => Promise<void>, RegExp][] = [
      [() => writeFile(files.server, 'nonsense'), /holds no certificate/],
      [() => copyFile(files.expired, files.server), /is not the one of the certificate/],
      [() => copyFile(files.expiredKey, files.serverKey), /expired at 2021-01-01/],
      [() => writeFile(files.serverKey, ''), /holds no private key/],
      [() => chmod(files.serverKey, 0o644), /chmod 600/],
    ];
    for (const [spoil, reason] of reloads) {
      await spoil();
      server.logs.length = 0;
      await server.running.reload();
      expect(server.logs.join('\n')).toMatch(reason);
      expect(await ask(server.port, new Agent({ ca }))).toMatchObject({ status: 200, name: 'server' });
    }
    await Promise.all([copyFile(files.renewed, files.server), copyFile(files.renewedKey, files.serverKey)]);
    await chmod(files.serverKey, 0o600);
    await server.running.reload();
    expect((await ask(server.port, new Agent({ ca }))).name).toBe('renewed');
  });

  test('may listen beyond this machine', async () => {
    const files = await writeTlsFiles();
    const server = await startTestServer({ host: '0.0.0.0', tls: { cert: files.server, key: files.serverKey } });
    expect((await ask(server.port, new Agent({ ca: readPem('authority') }))).status).toBe(200);
  });

  test('does not wait at its end for a connection that never shook hands, nor answer plain http', async () => {
    const { server } = await openTls();
    const silent = connect({ host: '127.0.0.1', port: server.port });
    await once(silent, 'connect');
    await expect(server.exchange({})).rejects.toThrow();
    const closed = once(silent, 'close');
    await server.close();
    await closed;
  });

  test('says in its metrics when the certificate ends', async () => {
    const { server, ca } = await openTls();
    const { text } = await ask(server.port, new Agent({ ca }), '/metrics');
    expect(text).toContain(`pangolin_tls_certificate_expiry_seconds ${Date.UTC(2120, 0, 1) / 1000}\n`);
  });
});

describe('a certificate that cannot be used is named at the start', () => {
  test.each([
    ['a file that is not there', 'missing', 'serverKey', /does not exist/],
    ['a key that is no key', 'server', 'authority', /holds no private key/],
    ['a certificate that is none', 'serverKey', 'serverKey', /holds no certificate/],
    ['the key of another certificate', 'server', 'renewedKey', /is not the one of the certificate/],
    ['an expired certificate', 'expired', 'expiredKey', /expired at 2021-01-01T00:00:00Z/],
  ] as const)('%s', async (_, cert, key, message) => {
    const files: Record<string, string> = { ...(await writeTlsFiles()), missing: '/nowhere/tls.crt' };
    const tls = { cert: files[cert] ?? '', key: files[key] ?? '' };
    const options = { dataDir: await createFolder(), ownerName: 'ada', port: 0, insecureHttp: false, tls };
    await expect(startServer(options)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  test('a key that everybody on the machine can read', async () => {
    const files = await writeTlsFiles();
    await chmod(files.serverKey, 0o644);
    const tls = { cert: files.server, key: files.serverKey };
    const options = { dataDir: await createFolder(), ownerName: 'ada', port: 0, insecureHttp: false, tls };
    await expect(startServer(options)).rejects.toMatchObject({
      code: 'invalid_argument',
      hint: `Make it private: chmod 600 ${files.serverKey}`,
    });
  });
});
