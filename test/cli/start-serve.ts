import type { StopSignal } from '@pangolin/shared/cli';
import { admin } from './programs.ts';
import type { CliOptions, CliResult, Home } from './run-cli.ts';

/** Runs `pangolin-admin serve` on a free port and waits until it listens. */
export async function startServe(
  home: Home,
  { argv = [], ...options }: Pick<CliOptions, 'env'> & { argv?: string[] } = {},
) {
  let send: (signal: StopSignal) => void = () => {};
  let ended: Promise<CliResult> | undefined;
  const line = await new Promise<string>((resolve, reject) => {
    ended = home.run(admin, ['serve', '--port', '0', '--json', '--quiet', ...argv], {
      ...options,
      onStart: (signal) => {
        send = signal;
      },
      onStdout: resolve,
    });
    ended.then((result) => reject(new Error(`serve ended: ${result.stderr}`)), reject);
  });
  const { url }: { url: string } = JSON.parse(line);
  return {
    url,
    line,
    async stop(signal: StopSignal = 'SIGTERM'): Promise<CliResult> {
      send(signal);
      return (await ended) ?? { stdout: '', stderr: '', code: -1 };
    },
  };
}
