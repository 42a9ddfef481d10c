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
      let head = null;
      let missing = 0;
      const next = () => {
        if (isOver()) {
          socket.destroy();
          return resolve();
        }
        socket.write(requests[sent++ % requests.length]);
      };
      socket.on('connect', next);
      socket.on('error', reject);
      socket.on('data', (chunk) => {
        if (missing === 0) {
          head = head === null ? chunk : Buffer.concat([head, chunk]);
          const end = head.indexOf('\r\n\r\n');
          if (end < 0) return;
          const fields = head.latin1Slice(0, end).toLowerCase();
          if (!fields.startsWith('http/1.1 200')) return reject(new Error(head.toString('latin1')));
          missing = end + 4 + Number(/content-length: (\d+)/.exec(fields)?.[1] ?? 0) - head.length;
          head = null;
        } else missing -= chunk.length;
        if (missing > 0) return;
        answered += 1;
        next();
      });
    });

  await Promise.all(Array.from({ length: connections }, run));
  return (answered * 1000) / (performance.now() - started);
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
