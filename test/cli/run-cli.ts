import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { type ProcessEdges, type ProgramDescriptor, runProgram, type StopSignal } from '@pangolin/shared/cli';

/** What a command line left behind. */
export interface CliResult {
  stdout: string;
  stderr: string;
  code: number;
}

export interface CliOptions {
  env?: Record<string, string>;
  /** stdout, stderr and stdin are a terminal. */
  terminal?: boolean;
  /** Only stderr is one, as in `TOKEN=$(pangolin-user get-token)`. */
  stderrTerminal?: boolean;
  stdin?: string;
  /** Typed at each prompt, in order, once it is shown. */
  answers?: string[];
  /** The error every write to stdout ends with. */
  stdoutError?: NodeJS.ErrnoException;
  /** Called with what the program writes to stdout, as it writes. */
  onStdout?(text: string): void;
  /** Receives what sends a signal to the program. */
  onStart?(signal: (name: StopSignal) => void): void;
  /** Receives what has the program reload its files. */
  onReload?(reload: () => void): void;
}

/** A folder of its own, with nothing in it, in which command lines run. */
export interface Home {
  folder: string;
  dataDir: string;
  run(program: ProgramDescriptor, argv: string[], options?: CliOptions): Promise<CliResult>;
  remove(): Promise<void>;
}

class Capture extends Writable {
  text = '';
  readonly isTTY: boolean;
  readonly columns = 200;
  readonly #failure: Error | null;
  readonly #onText: (text: string) => void;

  constructor(isTTY: boolean, failure: Error | null = null, onText: (text: string) => void = () => {}) {
    super();
    this.isTTY = isTTY;
    this.#failure = failure;
    this.#onText = onText;
  }

  // What a spinner asks of a terminal, when a command takes long.
  cursorTo(): boolean {
    return true;
  }

  clearLine(): boolean {
    return true;
  }

  /** Like the streams of a process, it stays open when whoever writes to it ends. */
  override end(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (!this.#failure) {
      this.text += chunk.toString();
      this.#onText(chunk.toString());
    }
    done(this.#failure);
  }
}

/** An empty home; nothing of the machine's own settings or environment reaches the command lines that run in it. */
export async function openHome(): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'pangolin-cli-'));
  const dataDir = join(folder, 'data');
  return {
    folder,
    dataDir,
    run: (program, argv, options = {}) => runIn(folder, dataDir, program, argv, options),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function runIn(
  folder: string,
  dataDir: string,
  program: ProgramDescriptor,
  argv: string[],
  options: CliOptions,
): Promise<CliResult> {
  const terminal = options.terminal ?? false;
  const stdin = Object.assign(new PassThrough(), { isTTY: terminal });
  const answers = [...(options.answers ?? [])];
  const onPrompt = (text: string) => {
    if (answers.length > 0 && /[:?)]\S*\s/.test(text) && !text.includes('\n')) {
      const answer = answers.shift();
      setTimeout(() => stdin.write(`${answer}\r`), 20);
    }
  };
  const stdout = new Capture(terminal, options.stdoutError ?? null, options.onStdout);
  const stderr = new Capture(terminal || (options.stderrTerminal ?? false), null, onPrompt);
  if (options.stdin !== undefined || !terminal) stdin.end(options.stdin ?? '');
  const edges: ProcessEdges = {
    argv,
    env: { PANGOLIN_DATA_DIR: dataDir, PANGOLIN_CREDENTIAL_STORE: 'file', NO_COLOR: '1', ...options.env },
    platform: process.platform,
    nodeVersion: process.version,
    homeDir: folder,
    accountName: 'ada',
    hostName: 'analytics-1',
    now: () => Date.now(),
    stdin: () => stdin,
    stdout,
    stderr,
    onSignal: (listener) => {
      options.onStart?.(listener);
      return () => {};
    },
    onReload: (listener) => {
      options.onReload?.(listener);
      return () => {};
    },
  };
  const code = await runProgram(program, edges);
  return { stdout: stdout.text, stderr: stderr.text, code };
}
