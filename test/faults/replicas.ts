import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, startServer } from '../process/start-server.ts';
import { ask } from './ask.ts';
import type { Engine } from './engines.ts';

/** Two servers on one database, each of which may be killed, frozen and started again. */
export interface Replicas {
  servers: Server[];
  origins(): string[];
  /** Ends a server at once, or starts it again; `before` is put before its command line. */
  kill(index: number): Promise<void>;
  start(index: number, before?: string[]): Promise<void>;
  /** Resolves when every server says that it is ready. */
  ready(): Promise<void>;
  /** What the running servers' logs say of failures that nobody foresaw. */
  failures(): string;
  stop(): Promise<void>;
}

const PATIENCE_MS = 45_000;

/** Starts both at the same moment. */
export async function startReplicas({ box, env }: Engine): Promise<Replicas> {
  const startOne = (before: string[] = []) => startServer(box, ['--quiet'], { env, before });
  const servers = await Promise.all([startOne(), startOne()]);
  return {
    servers,
    origins: () => servers.map(({ origin }) => origin),
    async kill(index) {
      await servers[index]?.stop('SIGKILL');
    },
    async start(index, before) {
      servers[index] = await startOne(before);
    },
    async ready() {
      const deadline = performance.now() + PATIENCE_MS;
      for (const { origin, log } of servers) {
        while ((await ask(origin, '/health/ready', null, { patienceMs: 2_000 }))?.status !== 200) {
          if (performance.now() > deadline) throw new Error(`a server does not recover: ${log().slice(-2_000)}`);
          await sleep(100);
        }
      }
    },
    failures() {
      const lines = servers.flatMap(({ log }) => log().split('\n'));
      return lines.filter((line) => line.includes('unexpected failure')).join('\n');
    },
    async stop() {
      await Promise.all(servers.map((server) => server.stop('SIGKILL')));
    },
  };
}
