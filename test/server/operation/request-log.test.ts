import { once } from 'node:events';
import { connect } from 'node:net';
import { tokensApi, usersApi } from '@pangolin/shared/contract';
import { describe, expect, test } from 'vitest';
import { createBoundedLog } from '../../../packages/server/src/http/bounded-log.ts';
import { createClock, createRecordingLog, mint, openTestServer } from '../harness.ts';
import { type ListeningServer, startTestServer } from '../start-test-server.ts';

interface Line {
  level: string;
  message: string;
  [field: string]: unknown;
}

const readLines = (logs: string[]): Line[] => logs.map((line) => JSON.parse(line));
const requestsOf = ({ logs }: ListeningServer) => readLines(logs).filter(({ method }) => method !== undefined);

async function openLogged(options: Parameters<typeof startTestServer>[0] = {}) {
  const opened = await openTestServer();
  opened.clock.nowMs = Date.now();
  const token = await mint(opened, opened.owner);
  const server = await startTestServer({ dataDir: opened.dataDir, ...options });
  return { opened, token, server, caller: server.caller({ authorization: `Bearer ${token.token}` }) };
}

describe('the log of requests', () => {
  test('has one line for each that changed something, with who, what, from where, and how long', async () => {
    const { opened, server, caller } = await openLogged();
    await caller.ask(tokensApi.create, { body: { name: 'x' }, headers: { 'x-request-id': 'build-7' } });
    expect(requestsOf(server)).toEqual([
      {
        level: 'info',
        message: 'request',
        request_id: 'build-7',
        method: 'POST',
        path: '/api/v1/tokens',
        status: 200,
        ms: expect.any(Number),
        tenant_id: opened.deps.installation.defaultTenantId,
        principal_id: opened.deps.installation.ownerId,
        address: '127.0.0.1',
      },
    ]);
  });

  test('has one line for each that was refused, with the reason, and none for what was read', async () => {
    const { server, caller } = await openLogged();
    await caller.call(usersApi.me);
    await server.exchange({ path: '/api/v1/users/me' });
    await server.exchange({ headers: { host: 'evil.example' } });
    await server.exchange({ path: `/api/v1/tokens/eyJ${'x'.repeat(40)}?token=secret` });
    expect(requestsOf(server)).toMatchObject([
      { level: 'warn', message: 'refused', path: '/api/v1/users/me', status: 401, code: 'authentication_required' },
      { status: 421, code: 'wrong_host', host: 'evil.example' },
      { status: 401, path: '/api/v1/tokens/[secret]' },
    ]);
  });

  test('has every request at level debug', async () => {
    const { server, caller } = await openLogged({ logLevel: 'debug' });
    await caller.call(usersApi.me);
    expect(requestsOf(server)).toMatchObject([{ level: 'debug', path: '/api/v1/users/me', status: 200 }]);
  });

  test('cannot be flooded by refusals: what was left out is counted', async () => {
    const { server } = await openLogged();
    const began = performance.now();
    await Promise.all(Array.from({ length: 300 }, () => server.exchange({ path: '/api/v1/users/me' })));
    await server.close();
    const seconds = Math.ceil((performance.now() - began) / 1000) + 1;
    const lines = readLines(server.logs);
    const refused = lines.filter(({ message }) => message === 'refused');
    const leftOut = lines.filter(({ message }) => message === 'lines left out');
    expect(refused.length).toBeLessThanOrEqual(50 * seconds);
    expect(refused.length + leftOut.reduce((sum, line) => sum + Number(line.left_out), 0)).toBe(300);
  });
});

test('a bounded log leaves out what repeats within a second, and never what was done', () => {
  const clock = createClock();
  const lines: string[] = [];
  const log = createBoundedLog(createRecordingLog(lines), () => clock.nowMs);
  for (let i = 0; i < 80; i += 1) {
    log.warn({ i }, 'refused');
    log.info({ i }, 'request');
  }
  log.error({}, 'something else');
  expect(lines.filter((line) => line.includes('"refused"'))).toHaveLength(50);
  expect(lines.filter((line) => line.includes('"request"'))).toHaveLength(80);
  expect(lines.filter((line) => line.includes('something else'))).toHaveLength(1);
  clock.advance(1000);
  log.warn({}, 'refused');
  expect(lines.slice(-2).map((line) => JSON.parse(line))).toEqual([
    { level: 'warn', message: 'lines left out', left_out: 30, of: 'refused' },
    { level: 'warn', message: 'refused' },
  ]);
  log.close();
});

describe('what is no HTTP', () => {
  const send = async (port: number, text: string): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      answer += part;
    });
    socket.write(text);
    await once(socket, 'close');
    return answer;
  };

  test.each([
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, 431],
  ])('is answered as problem details with a request id: %j'.slice(0, 50), async (text, status) => {
    const server = await startTestServer();
    const answer = await send(server.port, text);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/content-type: application\/problem\+json/);
    const problem = JSON.parse(body);
    expect(problem).toMatchObject({ status, code: 'invalid_request' });
    expect(head).toContain(`x-request-id: ${problem.request_id}`);
    expect(readLines(server.logs)).toContainEqual(expect.objectContaining({ request_id: problem.request_id, status }));
    expect((await server.exchange({})).status).toBe(200);
  });
});
