import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startServer } from '@pangolin/server';
import { tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createFolder, mint, openTestServer, refuseLeaks, standingOf } from './harness.ts';
import { startTestServer } from './start-test-server.ts';
import { databaseOf } from './test-database.ts';

const json = { 'content-type': 'application/json' };

describe('a listening server', () => {
  test('serves the same directory: a token minted before it started works', async () => {
    const opened = await openTestServer();
    opened.clock.nowMs = Date.now();
    const { token } = await mint(opened, opened.owner);
    const server = await startTestServer({ dataDir: opened.dataDir });
    const caller = server.caller({ authorization: `Bearer ${token}` });
    expect(await standingOf(caller)).toBe('ok');
    await opened.owner.call(tokensApi.listOwn);
    await caller.call(tokensApi.revokeSelf);
    expect(await standingOf(caller)).toBe('token_revoked');
    expect(await standingOf(opened.bearer(token))).toBe('token_revoked');
  });

  test('is on 127.0.0.1 and ::1 by default, on one port', async () => {
    const server = await startTestServer();
    expect(server.running.addresses).toEqual([`127.0.0.1:${server.port}`, `[::1]:${server.port}`]);
    expect(server.running.url).toBe(`http://localhost:${server.port}`);
    for (const host of ['127.0.0.1', '::1']) expect((await server.exchange({ host })).status).toBe(200);
  });

  test('takes the owner’s place for nobody: without a credential it is 401', async () => {
    const server = await startTestServer();
    expect((await server.exchange({ path: '/api/v1/users/me' })).status).toBe(401);
    expect((await server.exchange({ path: '/api/v1/tokens', method: 'POST', headers: json, body: '{}' })).status).toBe(
      401,
    );
  });

  test('does not wait at its end for a connection that never asked anything', async () => {
    const server = await startTestServer();
    const silent = connect({ host: '127.0.0.1', port: server.port });
    await once(silent, 'connect');
    await server.exchange({});
    const closed = once(silent, 'close');
    const started = Date.now();
    await server.running.close();
    await closed;
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  test('does not start with a master key that is not the database’s', async () => {
    const { dataDir, close } = await openTestServer();
    await close();
    await writeFile(join(dataDir, 'master.key'), `${Buffer.alloc(32, 7).toString('base64url')}\n`);
    const database = await databaseOf(dataDir);
    const starting = startServer({ dataDir, ...database, ownerName: 'ada', port: 0, insecureHttp: false });
    await expect(starting).rejects.toMatchObject({ code: 'master_key_missing' });
  });

  test('refuses to listen beyond loopback without TLS, to listen on names, and on a port that is taken', async () => {
    const server = await startTestServer();
    const options = { dataDir: await createFolder(), ownerName: 'ada', port: 0, insecureHttp: false };
    for (const host of ['0.0.0.0', '192.0.2.1', '::', 'example.org']) {
      await expect(startServer({ ...options, host })).rejects.toMatchObject({ code: 'invalid_argument' });
    }
    await expect(startServer({ ...options, port: server.port })).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('answers with the caller’s request id if it is one, else with its own', async () => {
    const server = await startTestServer();
    const idFor = async (given?: string) =>
      (await server.exchange({ headers: given === undefined ? {} : { 'x-request-id': given } })).headers[
        'x-request-id'
      ];
    expect(await idFor('build_7.b-9')).toBe('build_7.b-9');
    expect(await idFor('x'.repeat(64))).toBe('x'.repeat(64));
    for (const given of [undefined, '', 'x'.repeat(65), 'a b', 'a"b', 'ä']) {
      expect(await idFor(given)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-/);
    }
    const refused = await server.exchange({ headers: { host: 'evil.example', 'x-request-id': 'mine' } });
    expect(refused.headers['x-request-id']).toBe('mine');
    expect(JSON.parse(refused.text).request_id).toBe('mine');
  });

  test('refuses a body over 1 MiB with 413, announced or in chunks', async () => {
    const server = await startTestServer();
    const asked = { method: 'POST', path: '/api/v1/users/login' };
    const announced = await server.exchange({
      ...asked,
      headers: { ...json, 'content-length': 2 ** 20 + 1 },
      body: 'x'.repeat(2 ** 20 + 1),
    });
    expect(announced.status).toBe(413);
    const chunks = Array.from({ length: 20 }, () => Buffer.alloc(64 * 1024, 'x'));
    expect((await server.exchange({ ...asked, headers: json, body: chunks })).status).toBe(413);
  });

  test('answers HEAD like GET, without a body', async () => {
    const server = await startTestServer();
    const answer = await server.exchange({ method: 'HEAD' });
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  test('serves many requests over one connection', async () => {
    const server = await startTestServer();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 5; i += 1) {
      await new Promise<void>((resolve, reject) => {
        const asked = request({ agent, host: '127.0.0.1', port: server.port, path: '/health' }, (answer) => {
          ports.add(answer.socket.localPort);
          answer.resume().on('end', resolve);
        });
        asked.on('error', reject).end();
      });
    }
    agent.destroy();
    expect(ports.size).toBe(1);
  });

  test('notes from where a credential was used', async () => {
    const opened = await openTestServer();
    opened.clock.nowMs = Date.now();
    const token = await mint(opened, opened.owner);
    const server = await startTestServer({ dataDir: opened.dataDir });
    const headers = { authorization: `Bearer ${token.token}`, 'user-agent': 'PyIceberg/0.10' };
    for (const host of ['127.0.0.1', '::1']) await server.exchange({ host, path: '/api/v1/users/me', headers });
    await server.close();
    const shown = await opened.owner.call(tokensApi.get, { params: { id: token.id } });
    expect(shown).toMatchObject({ last_used_ip: '::1', last_used_client: 'PyIceberg/0.10' });
    expect(Math.abs(Date.parse(shown.last_used_at ?? '') - Date.now())).toBeLessThan(60_000);
  });

  test('writes no secret to its log', async () => {
    const opened = await openTestServer();
    opened.clock.nowMs = Date.now();
    const token = await mint(opened, opened.owner);
    const server = await startTestServer({ dataDir: opened.dataDir });
    const caller = server.caller({ authorization: `Bearer ${token.token}` });
    await caller.ask(tokensApi.create, { body: { name: 'x' } });
    await caller.ask(usersApi.login, { body: { username: 'bob', password: 'a-wrong-password' } });
    await caller.send('POST', `/api/v1/tokens?token=${token.token}`, { body: '{}', headers: json });
    await server.close();
    expect(server.logs.length).toBeGreaterThan(3);
    await refuseLeaks(server.dataDir, server.logs);
  });
});

describe('shutting down', () => {
  test('finishes what was accepted, and takes nothing more', async () => {
    const server = await startTestServer();
    const body = JSON.stringify({ username: 'bob', password: 'a-wrong-password' });
    const accepted: ClientRequest[] = [];
    const answers = Array.from({ length: 4 }, async () => {
      const headers = { ...json, expect: '100-continue', 'content-length': body.length };
      const asked = request({
        host: '127.0.0.1',
        port: server.port,
        method: 'POST',
        path: '/api/v1/users/login',
        headers,
      });
      asked.flushHeaders();
      await once(asked, 'continue');
      accepted.push(asked);
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      answer.resume();
      return answer.statusCode;
    });
    while (accepted.length < 4) await new Promise((resolve) => setImmediate(resolve));
    const closed = server.close();
    for (const asked of accepted) asked.end(body);
    expect(await Promise.all(answers)).toEqual([401, 401, 401, 401]);
    await closed;
    await expect(server.exchange({})).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
