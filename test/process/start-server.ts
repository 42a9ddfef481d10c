import { setTimeout as sleep } from 'node:timers/promises';
import type { Box, Ended, StartOptions } from './box.ts';
import { request } from './request.ts';

export interface Server {
  pid: number;
  url: string;
  /** `http://127.0.0.1:<port>`, for clients that should not ask for a name. */
  origin: string;
  /** What it has written to stderr so far: its log. */
  log(): string;
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/** Runs `pangolin-admin serve` on a free port, or the given one, and waits until it answers. */
export async function startServer(box: Box, argv: string[] = [], options: StartOptions = {}): Promise<Server> {
  const { child, ended, pid } = box.start('pangolin-admin', ['serve', '--port', '0', '--json', ...argv], options);
  let log = '';
  child.stderr?.on('data', (text: string) => {
    log += text;
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', resolve);
    ended.then((result) => reject(new Error(`serve ended with ${result.code}: ${result.stderr}`)), reject);
  });
  const { url }: { url: string } = JSON.parse(line);
  const origin = url.replace('localhost', '127.0.0.1');
  while ((await request(`${origin}/health`)).status !== 200) await sleep(20);
  return {
    pid,
    url,
    origin,
    log: () => log,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
  };
}
