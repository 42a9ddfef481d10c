import { setTimeout as sleep } from 'node:timers/promises';
import { tokensApi, usersApi } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import { createServiceUser, createUser, mint, openTestServer, PASSWORD } from '../harness.ts';
import { type ListeningServer, startTestServer } from '../start-test-server.ts';

const WRONG_KEY = `pgl_${'a'.repeat(12)}_${'b'.repeat(49)}`;
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const json = { 'content-type': 'application/json' };

/** A server behind a proxy on this machine, which says who the client is. */
async function openProxied(failuresPerMinute = 5) {
  const opened = await openTestServer();
  opened.clock.nowMs = Date.now();
  const token = await mint(opened, opened.owner);
  const service = await createServiceUser(opened, { name: 'etl' });
  await createUser(opened, 'bob');
  const options = { dataDir: opened.dataDir, trustedProxies: ['127.0.0.1', '::1'], failuresPerMinute };
  const server = await startTestServer(options);
  return { opened, token, service, options, server };
}

/** Begins in a minute that is not about to end. */
async function awaitEarlyInMinute(): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < 15_000) await sleep(left);
}

const from = (address: string) => ({ 'x-forwarded-for': address });
const present = ({ exchange }: ListeningServer, secret: string, address: string, path = '/api/v1/users/me') =>
  exchange({ path, headers: { ...from(address), authorization: `Bearer ${secret}` } });

test('a hundred wrong keys end in 429 with Retry-After, and a right one passes at once', async () => {
  await awaitEarlyInMinute();
  const { server, token, service } = await openProxied(60);
  const statuses: number[] = [];
  for (let i = 0; i < 100; i += 1) statuses.push((await present(server, WRONG_KEY, '192.0.2.1')).status);
  expect(statuses).toEqual([...Array(60).fill(401), ...Array(40).fill(429)]);
  const refused = await present(server, WRONG_KEY, '192.0.2.1');
  expect(JSON.parse(refused.text)).toMatchObject({ code: 'too_many_requests', status: 429 });
  expect(refused.text).toContain('The API key is not valid.');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(60);
  for (const secret of [token.token, service.api_key]) {
    expect((await present(server, secret, '192.0.2.1')).status).toBe(200);
  }
  expect((await present(server, WRONG_KEY, '192.0.2.2')).status).toBe(401);
});

test('every route that takes a credential counts: the API, OAuth, Iceberg, login', async () => {
  await awaitEarlyInMinute();
  const { server, token, service } = await openProxied();
  const post = (path: string, body: Record<string, string>, address: string, headers = {}) =>
    server.exchange({
      method: 'POST',
      path,
      headers: { ...form, ...from(address), ...headers },
      body: new URLSearchParams(body).toString(),
    });
  const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const basic = { authorization: `Basic ${Buffer.from(`etl:${WRONG_KEY}`).toString('base64')}` };
  const login = (password: string, address: string) =>
    server.exchange({
      method: 'POST',
      path: '/api/v1/users/login',
      headers: { ...json, ...from(address) },
      body: JSON.stringify({ username: 'bob', password }),
    });
  const routes: Record<
    string,
    { wrong(address: string): Promise<{ status: number; headers: object }>; first: number }
  > = {
    api: { wrong: (address) => present(server, WRONG_KEY, address), first: 401 },
    malformed: { wrong: (address) => present(server, 'no-token', address), first: 401 },
    iceberg: { wrong: (address) => present(server, WRONG_KEY, address, '/v1/config'), first: 401 },
    client_secret: {
      wrong: (address) =>
        post('/oauth2/token', { grant_type: 'client_credentials', client_secret: WRONG_KEY }, address),
      first: 401,
    },
    basic: {
      wrong: (address) => post('/oauth2/token', { grant_type: 'client_credentials' }, address, basic),
      first: 401,
    },
    subject_token: {
      wrong: (address) => post('/oauth2/token', { grant_type: exchange, subject_token: 'no-token' }, address),
      first: 400,
    },
    introspection: {
      wrong: (address) => post('/oauth2/introspect', { token: 'x' }, address, { authorization: `Bearer ${WRONG_KEY}` }),
      first: 401,
    },
    revocation: { wrong: (address) => post('/oauth2/revoke', { token: 'no-token' }, address), first: 200 },
  };
  for (const [i, [name, { wrong, first }]] of Object.entries(routes).entries()) {
    const address = `192.0.2.${i + 1}`;
    const statuses: number[] = [];
    for (let n = 0; n < 6; n += 1) statuses.push((await wrong(address)).status);
    expect({ name, statuses }).toEqual({ name, statuses: [...Array(5).fill(first), 429] });
    expect(await wrong(address)).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    });
    // Whoever brings what is right is let through at the same address.
    expect((await present(server, token.token, address)).status).toBe(200);
    const granted = await post(
      '/oauth2/token',
      { grant_type: 'client_credentials', client_secret: service.api_key },
      address,
    );
    expect(granted.status).toBe(200);
  }
  for (let n = 0; n < 5; n += 1) await present(server, WRONG_KEY, '198.51.100.1');
  expect((await login('a-wrong-password', '198.51.100.1')).status).toBe(429);
  expect((await login(PASSWORD, '198.51.100.1')).status).toBe(200);
});

test('two servers on one database count as one, and a restart forgets nothing', async () => {
  await awaitEarlyInMinute();
  const { server, options } = await openProxied();
  const beside = await startTestServer(options);
  for (let i = 0; i < 3; i += 1) await present(server, WRONG_KEY, '192.0.2.1');
  await sleep(1_500);
  const statuses: number[] = [];
  for (let i = 0; i < 3; i += 1) statuses.push((await present(beside, WRONG_KEY, '192.0.2.1')).status);
  expect(statuses).toEqual([401, 401, 429]);
  await server.close();
  await beside.close();
  const again = await startTestServer(options);
  expect((await present(again, WRONG_KEY, '192.0.2.1')).status).toBe(429);
});

test('without trusted proxies X-Forwarded-For means nothing', async () => {
  await awaitEarlyInMinute();
  const { opened, token } = await openProxied();
  const server = await startTestServer({ dataDir: opened.dataDir, failuresPerMinute: 5 });
  const statuses: number[] = [];
  for (let i = 0; i < 6; i += 1) statuses.push((await present(server, WRONG_KEY, `192.0.2.${i}`)).status);
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  expect((await present(server, token.token, '192.0.2.1')).status).toBe(200);
  await server.close();
  const shown = await opened.owner.call(tokensApi.get, { params: { id: token.id } });
  expect(shown.last_used_ip).toBe('127.0.0.1');
});

test('behind a trusted proxy the client is whom last use names', async () => {
  const { opened, server, token } = await openProxied();
  await present(server, token.token, '203.0.113.9, 192.0.2.44');
  await server.close();
  const shown = await opened.owner.call(tokensApi.get, { params: { id: token.id } });
  expect(shown.last_used_ip).toBe('192.0.2.44');
});

test('no credential at all is no failed one', async () => {
  await awaitEarlyInMinute();
  const { server } = await openProxied();
  const ask = () => server.exchange({ path: '/api/v1/users/me', headers: from('192.0.2.1') });
  for (let i = 0; i < 10; i += 1) expect((await ask()).status).toBe(401);
  expect((await present(server, WRONG_KEY, '192.0.2.1')).status).toBe(401);
});

test('minutes that are over are forgotten', async () => {
  const { server, opened } = await openProxied();
  await present(server, WRONG_KEY, '192.0.2.1');
  await server.close();
  const rows = () => opened.deps.db.read.selectFrom('credential_failures').selectAll().execute();
  expect(await rows()).toMatchObject([{ address: '192.0.2.1', failures: 1 }]);
  opened.clock.nowMs = Date.now() + 2 * 60_000;
  await opened.deps.failedCredentials.prune();
  expect(await rows()).toEqual([]);
});

test('a login without the database is 503, never a guess', async () => {
  const server = await openTestServer();
  await createUser(server, 'bob');
  await server.close();
  const { status } = await server.nobody.ask(usersApi.login, { body: { username: 'bob', password: PASSWORD } });
  expect(status).toBe(503);
});

test('what was good once is always told that it is no longer', async () => {
  const { server, opened, token } = await openProxied();
  await opened.owner.call(tokensApi.revoke, { params: { jti: token.id }, body: {} });
  const statuses: number[] = [];
  for (let i = 0; i < 20; i += 1) statuses.push((await present(server, token.token, '192.0.2.9')).status);
  expect(statuses).toEqual(Array(20).fill(401));
});
