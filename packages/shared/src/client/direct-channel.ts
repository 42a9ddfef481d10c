import type { ClientRequest } from 'node:http';
import { type Channel, type ChannelOptions, createBodyCollector, headerReader, withinTime } from './channel.ts';
import type { TransportAnswer } from './transport-types.ts';

/** Shorter than servers keep an idle connection, so that a request is not written into one that is being closed. */
const IDLE_TIMEOUT_MS = 2_000;

/**
 * Talks to a server without a proxy, by Node's own client. undici's parser is a WebAssembly module that V8 goes on
 * optimising after the last answer: a short command took 100 ms longer to end with it, and 30 ms longer to begin.
 */
export async function openDirectChannel(options: ChannelOptions): Promise<Channel> {
  const { origin, authorities, connectTimeoutMs, answerTimeoutMs } = options;
  const { protocol } = new URL(origin);
  const isTls = protocol === 'https:';
  const { Agent, request } = isTls ? await import('node:https') : await import('node:http');
  const ca = authorities === undefined ? {} : { ca: authorities };
  const agent = new Agent({ keepAlive: true, timeout: IDLE_TIMEOUT_MS, ...ca });

  function exchange(sending: ClientRequest, body: string | undefined): Promise<TransportAnswer> {
    return new Promise((resolve, reject) => {
      sending.on('error', reject);
      sending.on('socket', (socket) => {
        if (!socket.connecting) return;
        const timer = setTimeout(() => {
          sending.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
        }, connectTimeoutMs);
        socket.once(isTls ? 'secureConnect' : 'connect', () => clearTimeout(timer));
        socket.once('close', () => clearTimeout(timer));
      });
      sending.on('response', (answer) => {
        const collected = createBodyCollector(origin);
        answer.on('data', (chunk: Buffer) => {
          try {
            collected.add(chunk);
          } catch (error) {
            reject(error);
            sending.destroy();
          }
        });
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, header: headerReader(answer.headers), text: collected.text() });
        });
      });
      sending.end(body);
    });
  }

  return {
    send({ method, path, headers, body }) {
      const sending = request(`${origin}/`, { agent, method, path, headers });
      return withinTime(exchange(sending, body), answerTimeoutMs, (error) => sending.destroy(error));
    },
    async close() {
      agent.destroy();
    },
  };
}
