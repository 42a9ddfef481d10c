import { tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createServiceUser, createUser, mint, openTestServer, PASSWORD } from '../harness.ts';
import { type ListeningServer, startTestServer } from '../start-test-server.ts';

const WRONG_KEY = `pgl_${'a'.repeat(12)}_${'b'.repeat(49)}`;
const json = { 'content-type': 'application/json' };

/** Every sample by its name and labels. */
async function scrape({ exchange }: ListeningServer): Promise<Map<string, number>> {
  const { status, headers, text } = await exchange({ path: '/metrics' });
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const [, series = '', value = ''] = /^(\S+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
      expect(series, line).not.toBe('');
      return [series, Number(value)];
    }),
  );
}

describe('the metrics', () => {
  test('count what was asked, issued, rotated, revoked and refused', async () => {
    const opened = await openTestServer();
    opened.clock.nowMs = Date.now();
    const root = await mint(opened, opened.owner, { roles: ['root'] });
    const service = await createServiceUser(opened, { name: 'etl' });
    await createUser(opened, 'bob');
    const server = await startTestServer({ dataDir: opened.dataDir, failuresPerMinute: 2 });
    const caller = server.caller({ authorization: `Bearer ${root.token}` });
    const token = await caller.call(tokensApi.create, { body: { name: 'x' } });
    await server.caller({ authorization: `Bearer ${token.token}` }).call(tokensApi.rotate);
    await caller.call(tokensApi.revokeSelf);
    await server.caller().call(usersApi.login, { body: { username: 'bob', password: PASSWORD } });
    await server.exchange({
      method: 'POST',
      path: '/oauth2/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=client_credentials&client_secret=${service.api_key}`,
    });
    for (let i = 0; i < 4; i += 1) {
      await server.exchange({ path: '/v1/config', headers: { authorization: `Bearer ${WRONG_KEY}` } });
    }
    await server.exchange({ path: '/api/v1/nothing' });
    await server.exchange({ method: 'BREW', path: '/api/v1/tokens', headers: json });

    const samples = await scrape(server);
    expect(Object.fromEntries(samples)).toMatchObject({
      'pangolin_credentials_issued_total{kind="personal"}': 1,
      'pangolin_credentials_issued_total{kind="session"}': 1,
      'pangolin_credentials_issued_total{kind="access"}': 1,
      'pangolin_credentials_rotated_total{kind="token"}': 1,
      'pangolin_credentials_revoked_total{kind="token"}': 1,
      'pangolin_http_requests_total{group="sessions",method="POST",status="2xx"}': 1,
      'pangolin_http_requests_total{group="iceberg",method="GET",status="4xx"}': 4,
      'pangolin_http_requests_total{group="other",method="GET",status="4xx"}': 1,
      'pangolin_http_request_duration_seconds_count{group="iceberg"}': 4,
      'pangolin_refusals_total{code="api_key_invalid"}': 2,
      'pangolin_refusals_total{code="too_many_requests"}': 2,
      'pangolin_rate_limited_total{group="iceberg"}': 2,
      pangolin_revocation_check_failures_total: 0,
      pangolin_database_up: 1,
    });
    expect(samples.get('pangolin_signing_key_age_seconds')).toBeGreaterThanOrEqual(0);
    expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect([...samples.keys()].some((name) => name.startsWith('pangolin_build_info{version="'))).toBe(true);
  });

  test('have buckets that add up, and name nobody', async () => {
    const opened = await openTestServer();
    opened.clock.nowMs = Date.now();
    const token = await mint(opened, opened.owner, { name: 'a-name-of-mine' });
    const server = await startTestServer({ dataDir: opened.dataDir });
    for (let i = 0; i < 20; i += 1) {
      await server.exchange({ path: '/api/v1/users/me', headers: { authorization: `Bearer ${token.token}` } });
    }
    await server.exchange({ path: `/api/v1/tokens/${token.id}` });
    const samples = await scrape(server);
    const buckets = [...samples].filter(([name]) =>
      /^pangolin_http_request_duration_seconds_bucket\{group="sessions"/.test(name),
    );
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(counts.at(-1)).toBe(20);
    expect(samples.get('pangolin_http_request_duration_seconds_count{group="sessions"}')).toBe(20);
    const { text } = await server.exchange({ path: '/metrics' });
    for (const secret of [
      token.id,
      token.token,
      'a-name-of-mine',
      'ada',
      '127.0.0.1',
      opened.deps.installation.ownerId,
    ]) {
      expect(text).not.toContain(secret);
    }
  });

  test('are there for this machine alone, and never through a proxy', async () => {
    const server = await startTestServer();
    for (const host of ['127.0.0.1', '::1'])
      expect((await server.exchange({ host, path: '/metrics' })).status).toBe(200);
    for (const name of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'via', 'x-real-ip', 'x-forwarded-host']) {
      const { status, text } = await server.exchange({ path: '/metrics', headers: { [name]: '127.0.0.1' } });
      expect({ name, status, code: JSON.parse(text).code }).toEqual({ name, status: 404, code: 'not_found' });
    }
  });

  test('are there for whom the server was told to allow, by the address of the connection', async () => {
    const server = await startTestServer({ metricsAllow: ['192.0.2.0/24', '::1'], trustedProxies: ['127.0.0.1'] });
    expect((await server.exchange({ host: '::1', path: '/metrics' })).status).toBe(200);
    expect((await server.exchange({ path: '/metrics' })).status).toBe(404);
    const headers = { 'x-forwarded-for': '192.0.2.1' };
    expect((await server.exchange({ path: '/metrics', headers })).status).toBe(404);
  });

  test('are not there for a command that carries the server inside', async () => {
    const { owner } = await openTestServer();
    expect((await owner.send('GET', '/metrics')).status).toBe(404);
  });

  test('count a check that the database could not answer, and come without it', async () => {
    const server = await openTestServer();
    const token = await mint(server, server.owner);
    await server.close();
    expect((await token.caller.ask(usersApi.me)).status).toBe(503);
    const { status, text } = await server.nobody.send('GET', '/metrics');
    expect(status).toBe(200);
    expect(text).toContain('pangolin_revocation_check_failures_total 1\n');
    expect(text).toContain('pangolin_database_up 0\n');
    expect(text).not.toContain('signing_key_age');
  });
});
