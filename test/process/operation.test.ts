import { copyFile, writeFile } from 'node:fs/promises';
import { Agent, request as startRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readPem, writeTlsFiles } from '../tls-files.ts';
import { type Box, openBox } from './box.ts';
import { bearer, request } from './request.ts';
import { type Server, startServer } from './start-server.ts';

let box: Box;
beforeEach(async () => {
  box = await openBox();
});
afterEach(() => box.remove());

/** Runs `serve` with TLS and waits until it listens. */
async function startTls() {
  const files = await writeTlsFiles();
  const argv = ['serve', '--port', '0', '--json', '--tls-cert', files.server, '--tls-key', files.serverKey];
  const { child, ended } = box.start('pangolin-admin', argv);
  let log = '';
  child.stderr?.on('data', (text: string) => {
    log += text;
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', resolve);
    ended.then(({ stderr }) => reject(new Error(stderr)), reject);
  });
  const { url }: { url: string } = JSON.parse(line);
  return { files, child, ended, url, log: () => log };
}

/** Who a server on loopback says it is. */
const readName = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls(
      { host: '127.0.0.1', port: Number(new URL(url).port), servername: 'localhost', ca: readPem('authority') },
      () => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.destroy();
      },
    );
    socket.on('error', reject);
  });

describe('over TLS', () => {
  test('the tools reach a server whose authority they are told, and name the fix where they are not', async () => {
    const token = (await box.user(['get-token'])).stdout.trim();
    const { files, url, child, ended } = await startTls();
    expect(url).toMatch(/^https:\/\/localhost:\d+$/);
    const env = { PANGOLIN_TOKEN: token, PANGOLIN_URL: url };
    const byFlag = await box.user(['whoami', '--json', '--ca-file', files.authority], { env });
    expect(byFlag).toMatchObject({ stderr: '', code: 0 });
    expect(JSON.parse(byFlag.stdout)).toMatchObject({ server: url });
    const byNode = await box.user(['whoami', '--json'], { env: { ...env, NODE_EXTRA_CA_CERTS: files.authority } });
    expect(byNode).toMatchObject({ stderr: '', code: 0 });
    const byVariable = await box.user(['whoami'], { env: { ...env, PANGOLIN_CA_FILE: files.authority } });
    expect(byVariable.code).toBe(0);
    for (const argv of [['whoami'], ['whoami', '--ca-file', files.otherAuthority]]) {
      const { stdout, stderr, code } = await box.user(argv, { env });
      expect({ stdout, code }).toEqual({ stdout: '', code: 5 });
      expect(stderr).toContain('not signed by an authority known here');
      expect(stderr).toContain('--ca-file FILE or PANGOLIN_CA_FILE=FILE');
    }
    child.kill('SIGTERM');
    expect((await ended).code).toBe(0);
  });

  test('SIGHUP shows the renewed certificate, and keeps the old one where the files are wrong', async () => {
    const { files, url, child, ended, log } = await startTls();
    expect(await readName(url)).toBe('server');
    await writeFile(files.server, 'nonsense');
    child.kill('SIGHUP');
    await expect.poll(log).toContain('TLS files not reloaded; the old certificate stays');
    expect(await readName(url)).toBe('server');
    await copyFile(files.renewed, files.server);
    await copyFile(files.renewedKey, files.serverKey);
    child.kill('SIGHUP');
    await expect.poll(() => readName(url)).toBe('renewed');
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });
});

test('SIGHUP without TLS harms nothing', async () => {
  const server = await startServer(box);
  process.kill(server.pid, 'SIGHUP');
  await sleep(200);
  expect((await request(`${server.origin}/health/ready`)).status).toBe(200);
  expect((await server.stop()).code).toBe(0);
});

describe('stopping', () => {
  /** Clients that ask on and on, each over its own connection, and what became of their requests. */
  function startLoad(server: Server, token: string) {
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const outcomes = { answered: 0, refused: 0, cut: [] as string[] };
    let stopping = false;
    const client = async () => {
      while (!stopping) {
        const outcome = await new Promise<string>((resolve) => {
          let begun = false;
          const asked = startRequest(
            `${server.origin}/api/v1/tokens`,
            { method: 'POST', agent, headers: { ...bearer(token), 'content-type': 'application/json' } },
            (answer) => {
              begun = true;
              answer.on('error', (error) => resolve(`cut: ${error.message}`));
              answer.resume().on('end', () => resolve(answer.statusCode === 200 ? 'answered' : `${answer.statusCode}`));
            },
          );
          asked.on('error', (error: NodeJS.ErrnoException) => {
            // A kept connection that was closed while idle is the client's to open again.
            const idle = asked.reusedSocket && !begun && error.code === 'ECONNRESET';
            resolve(error.code === 'ECONNREFUSED' || idle ? 'refused' : `cut: ${error.message}`);
          });
          asked.end('{}');
        });
        if (outcome === 'answered') outcomes.answered += 1;
        else if (outcome === 'refused') {
          outcomes.refused += 1;
          return;
        } else outcomes.cut.push(outcome);
      }
    };
    const clients = Promise.all(Array.from({ length: 16 }, client));
    return {
      outcomes,
      async end() {
        stopping = true;
        await clients;
        agent.destroy();
      },
    };
  }

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'on %s under load finishes what it took, and ends with 0 within ten seconds',
    async (signal) => {
      const token = (await box.user(['get-token'])).stdout.trim();
      const server = await startServer(box, ['--quiet']);
      const load = startLoad(server, token);
      await expect.poll(() => load.outcomes.answered, { timeout: 10_000 }).toBeGreaterThan(50);
      const began = Date.now();
      const { code } = await server.stop(signal);
      expect({ code, inTime: Date.now() - began < 10_000 }).toEqual({ code: 0, inTime: true });
      await load.end();
      expect(load.outcomes.cut).toEqual([]);
      await expect(request(`${server.origin}/health`)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    },
  );

  test('is not ready first, for as long as it was told, and goes on answering', async () => {
    const server = await startServer(box, ['--shutdown-delay', '2']);
    const ended = server.stop();
    await expect.poll(async () => (await request(`${server.origin}/health/ready`)).status, { interval: 20 }).toBe(503);
    const { text, headers } = await request(`${server.origin}/health/ready`);
    expect(JSON.parse(text)).toMatchObject({ code: 'unavailable', reason: 'shutting_down' });
    expect(headers['retry-after']).toBe('1');
    expect((await request(`${server.origin}/health`)).status).toBe(200);
    expect((await ended).code).toBe(0);
  });
});

test('two servers on one data directory count wrong passwords as one, also after a kill', async () => {
  const password = 'correct horse battery';
  await box.admin(['create-user', 'ada', '--password-stdin'], { stdin: password });
  const [one, two] = [await startServer(box, ['--quiet']), await startServer(box, ['--quiet'])];
  const login = async (server: Server, secret: string) => {
    const began = Date.now();
    const { status } = await request(`${server.origin}/api/v1/users/login`, {
      json: { username: 'ada', password: secret },
    });
    return { status, ms: Date.now() - began };
  };
  for (let i = 0; i < 4; i += 1) expect((await login(one, 'wrong')).status).toBe(401);
  await login(one, 'wrong');
  await sleep(1_500);
  process.kill(one.pid, 'SIGKILL');
  const slowed = await login(two, 'wrong');
  expect(slowed.status).toBe(401);
  expect(slowed.ms).toBeGreaterThanOrEqual(250);
  const right = await login(two, password);
  expect(right.status).toBe(200);
  expect(right.ms).toBeGreaterThanOrEqual(500);
  await two.stop();
});

test('the log is one JSON object a line, and holds no secret', async () => {
  const token = (await box.user(['get-token'])).stdout.trim();
  const server = await startServer(box, ['--log-level', 'debug']);
  await request(`${server.origin}/api/v1/users/me`, { headers: bearer(token) });
  await request(`${server.origin}/api/v1/tokens/${token}`);
  await server.stop();
  const lines = server
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines).toContainEqual(expect.objectContaining({ level: 'debug', path: '/api/v1/users/me', status: 200 }));
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'warn', path: '/api/v1/tokens/[secret]', status: 401 }),
  );
  expect(server.log()).not.toContain(token.split('.')[2]);
});
