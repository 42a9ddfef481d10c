import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BINARIES = {
  'pangolin-user': fileURLToPath(new URL('../../packages/user-cli/bin/pangolin-user.js', import.meta.url)),
  'pangolin-admin': fileURLToPath(new URL('../../packages/admin-cli/bin/pangolin-admin.js', import.meta.url)),
};

type Binary = keyof typeof BINARIES;

/** What a process left behind; `code` is 128 + the signal's number where a signal ended it, as in a shell. */
export interface Ended {
  stdout: string;
  stderr: string;
  code: number;
}

export interface StartOptions {
  env?: Record<string, string>;
  /** Written to the standard input; it is empty otherwise. */
  stdin?: string;
  /** A file descriptor for the standard output, or `closed`: a pipe that nobody reads. */
  stdout?: number | 'closed';
  /** Put before the interpreter, as in `nice node …`. */
  before?: string[];
}

interface Running {
  pid: number;
  child: ChildProcess;
  ended: Promise<Ended>;
}

/** An empty home of its own: the built binaries run in it with nothing of this machine's settings. */
export interface Box {
  home: string;
  /** Where embedded data goes when nothing else is said. */
  dataDir: string;
  configDir: string;
  start(binary: Binary, argv: string[], options?: StartOptions): Running;
  run(binary: Binary, argv: string[], options?: StartOptions): Promise<Ended>;
  user(argv: string[], options?: StartOptions): Promise<Ended>;
  admin(argv: string[], options?: StartOptions): Promise<Ended>;
  /** Ends what still runs and removes the home. */
  remove(): Promise<void>;
}

const SIGNALS: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

export async function openBox(): Promise<Box> {
  const home = await mkdtemp(join(tmpdir(), 'pangolin-process-'));
  const running = new Set<Running>();
  const start: Box['start'] = (binary, argv, options = {}) => {
    const one = startProcess(home, binary, argv, options);
    running.add(one);
    void one.ended.finally(() => running.delete(one));
    return one;
  };
  const run: Box['run'] = (binary, argv, options) => start(binary, argv, options).ended;
  return {
    home,
    dataDir: join(home, '.local', 'share', 'pangolin'),
    configDir: join(home, '.config', 'pangolin'),
    start,
    run,
    user: (argv, options) => run('pangolin-user', argv, options),
    admin: (argv, options) => run('pangolin-admin', argv, options),
    async remove() {
      for (const { child } of running) child.kill('SIGKILL');
      await Promise.all([...running].map(({ ended }) => ended));
      await rm(home, { recursive: true, force: true });
    },
  };
}

function startProcess(home: string, binary: Binary, argv: string[], options: StartOptions): Running {
  const [command = '', ...words] = [...(options.before ?? []), process.execPath, BINARIES[binary], ...argv];
  const child = spawn(command, words, {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH, ...options.env },
    stdio: ['pipe', typeof options.stdout === 'number' ? options.stdout : 'pipe', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} could not be started`);
  let stdout = '';
  let stderr = '';
  if (options.stdout === 'closed') child.stdout?.destroy();
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A process that ends without reading its input is no error here.
  child.stdin?.on('error', () => {}).end(options.stdin ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ stdout, stderr, code: code ?? 128 + (SIGNALS[signal ?? 'SIGKILL'] ?? 0) }),
    );
  });
  return { pid, child, ended };
}
