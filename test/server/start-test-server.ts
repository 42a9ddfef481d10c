import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { type RunningServer, type ServeOptions, startServer } from '@pangolin/server';
import { onTestFinished } from 'vitest';
import { createCaller, createFolder, createRecordingLog, type TestCaller } from './harness.ts';
import { databaseOf } from './test-database.ts';

interface Exchange {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface ListeningServer {
  dataDir: string;
  port: number;
  logs: string[];
  running: RunningServer;
  /** One exchange of raw HTTP; `host` is the address that is connected to. */
  exchange(asked: {
    host?: string;
    method?: string;
    path?: string;
    headers?: OutgoingHttpHeaders;
    body?: string | Uint8Array | readonly Uint8Array[];
  }): Promise<Exchange>;
  caller(headers?: Record<string, string>): TestCaller;
  close(): Promise<void>;
}

/** Serves a data directory on a free port until the test ends. */
export async function startTestServer(options: Partial<Omit<ServeOptions, 'log'>> = {}): Promise<ListeningServer> {
  const dataDir = options.dataDir ?? (await createFolder());
  const logs: string[] = [];
  const running = await startServer({
    ownerName: 'ada',
    ...(await databaseOf(dataDir)),
    port: 0,
    insecureHttp: false,
    ...options,
    dataDir,
    log: createRecordingLog(logs),
  });
  const port = Number(/:(\d+)$/.exec(running.addresses[0] ?? '')?.[1]);
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= running.close();
    return closing;
  };
  onTestFinished(close);
  return {
    dataDir,
    port,
    logs,
    running,
    close,
    caller: (headers = {}) =>
      createCaller(async (asked) => {
        for (const [name, value] of Object.entries(headers)) asked.headers.set(name, value);
        return fetch(asked);
      }, `http://127.0.0.1:${port}`),
    exchange: ({ host = '127.0.0.1', method = 'GET', path = '/health', headers = {}, body = [] }) =>
      new Promise((resolve, reject) => {
        const asked = request(
          { agent: false, host, port, method, path, headers: { host: `localhost:${port}`, ...headers } },
          (answer) => {
            let text = '';
            answer.setEncoding('utf8');
            answer.on('data', (chunk: string) => {
              text += chunk;
            });
            answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
          },
        );
        asked.on('error', reject);
        for (const chunk of Array.isArray(body) ? body : [body]) if (chunk.length > 0) asked.write(chunk);
        asked.end();
      }),
  };
}
