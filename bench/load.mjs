// A load generator on bare sockets: it must cost less than what it measures.
import { connect } from 'node:net';

/** A GET request as bytes. */
export const getRequest = (port, path, headers) =>
  Buffer.from(
    `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
  );

/** A POST request of JSON as bytes. */
export function postRequest(port, path, headers, json) {
  const body = JSON.stringify(json);
  const length = Buffer.byteLength(body);
  const all = { ...headers, 'Content-Type': 'application/json', 'Content-Length': length };
  return Buffer.concat([Buffer.from('POST'), getRequest(port, path, all).subarray('GET'.length), Buffer.from(body)]);
}

/**
 * Sends requests over several connections, one at a time on each, in turn; stops after `total` or `durationMs`.
 * Answers how many were answered per second; anything but 200 is an error.
 */
export async function measureLoad({
  port,
  requests,
  connections = 32,
  total = Number.POSITIVE_INFINITY,
  durationMs = Number.POSITIVE_INFINITY,
}) {
  let sent = 0;
  let answered = 0;
  const started = performance.now();
  const isOver = () => sent >= total || performance.now() - started >= durationMs;

  const run = () =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let chunks = [];
      let received = 0;
      let expected = null;
      const next = () => {
        if (isOver()) {
          socket.destroy();
          return resolve();
        }
        chunks = [];
        received = 0;
        expected = null;
        socket.write(requests[sent++ % requests.length]);
      };
      socket.on('connect', next);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        chunks.push(chunk);
        received += chunk.length;
        expected ??= readLength(chunks.length === 1 ? chunk : Buffer.concat(chunks));
        if (expected === null || received < expected.total) return;
        if (!expected.isOk) return reject(new Error(Buffer.concat(chunks).toString('latin1')));
        answered += 1;
        next();
      });
    });

  await Promise.all(Array.from({ length: connections }, run));
  return (answered * 1000) / (performance.now() - started);
}

/** How long an answer is with its head, as soon as that has arrived. */
function readLength(bytes) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.latin1Slice(0, end).toLowerCase();
  const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
  return { total: end + 4 + length, isOk: head.startsWith('http/1.1 200') };
}

/** Runs jobs with bounded concurrency. */
export async function inParallel(count, limit, job) {
  const results = new Array(count);
  let at = 0;
  await Promise.all(
    Array.from({ length: limit }, async () => {
      while (at < count) {
        const i = at++;
        results[i] = await job(i);
      }
    }),
  );
  return results;
}
