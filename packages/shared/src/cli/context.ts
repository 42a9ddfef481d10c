import { connect } from '../client/connect.ts';
import type { Connection, ConnectOptions } from '../client/connect-types.ts';
import { PangolinError } from '../errors.ts';
import type { ProcessEdges } from './edges.ts';
import type { GlobalFlags } from './flags.ts';
import { sanitizeText } from './sanitize.ts';
import { loadStyle, type Style, wantsColor } from './style.ts';
import { isClosedPipe, writeText } from './write.ts';

/** An answer in its three forms; `plain` is what a pipe gets, `terminal` (else `plain`) what a person sees. */
export interface Answer {
  json: unknown;
  plain: string;
  terminal?(style: Style, width: number): string;
}

/** What a program finds out while a command runs, shared by everything the command does. */
export interface Progress {
  connection: Connection | null;
  /** Set by a signal: a secret is no longer shown after it. */
  interrupted: boolean;
  /** Set by `untilStopped`: the command itself ends on a signal. */
  onStop: (() => void) | null;
  stopSpinner: (() => void) | null;
}

/** Everything a command may use: nothing else reaches the process. */
export interface Context {
  readonly program: string;
  /** As it names itself to servers: `pangolin-admin/1.0.0`. */
  readonly client: string;
  readonly flags: GlobalFlags;
  readonly edges: ProcessEdges;
  readonly progress: Progress;
  /** Whether a person reads stdout. */
  readonly terminal: boolean;
  /** Finds the server and who is calling; one connection serves the whole command. */
  connect(options?: { createDataDir?: boolean }): Promise<Connection>;
  /** What `connect` is told, for commands that need it without a connection. */
  connectOptions(createDataDir: boolean): Promise<ConnectOptions>;
  /** The answer, on stdout. */
  print(answer: Answer): Promise<void>;
  /** A remark on stderr; silent with `--quiet` and `--json`. */
  say(message: string): Promise<void>;
  /** Keeps a secret out of a continuous-integration log; before it is printed anywhere. */
  mask(secret: string): Promise<void>;
  /** A spinner for as long as the work takes, on terminals only. */
  working<T>(text: string, work: Promise<T>): Promise<T>;
  /** All of standard input, without the line end. */
  readStdin(): Promise<string>;
  style(stream: 'stdout' | 'stderr'): Promise<Style>;
}

const SPINNER_DELAY_MS = 200;

/** Binds a command to its process and its flags. */
export function createContext(
  { name: program, version }: { name: string; version: string },
  edges: ProcessEdges,
  flags: GlobalFlags,
  progress: Progress,
): Context {
  const { stdout, stderr, env } = edges;
  const terminal = stdout.isTTY === true && !flags.json;
  const silent = flags.quiet || flags.json;
  const client = `${program}/${version}`;
  const style = (stream: 'stdout' | 'stderr') => loadStyle(wantsColor(env, flags, edges[stream]));

  const say = async (message: string): Promise<void> => {
    if (!silent) await writeText(stderr, `${sanitizeText(message)}\n`).catch(ignoreUnread);
  };

  const readStdin = async (): Promise<string> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of edges.stdin()) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    return Buffer.concat(chunks)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  };

  const connectOptions = async (createDataDir: boolean): Promise<ConnectOptions> => {
    const token = flags.tokenStdin ? (await readStdin()).trim() : null;
    if (token === '') throw new PangolinError('invalid_argument', 'Standard input holds no token (--token-stdin).');
    return {
      createDataDir,
      ...(flags.url !== undefined && { url: flags.url }),
      ...(flags.profile !== undefined && { profile: flags.profile }),
      ...(flags.tenantId !== undefined && { tenantId: flags.tenantId }),
      ...(flags.tenant !== undefined && { tenant: flags.tenant }),
      ...(flags.caFile !== undefined && { caFile: flags.caFile }),
      ...(flags.insecureHttp && { insecureHttp: true }),
      ...(token !== null && { tokenFromStdin: token }),
      userAgent: client,
      // Where embedded data is used matters to people, and where a server may have been meant.
      onNotice: (message, kind) => {
        if (kind !== 'embedded' || stderr.isTTY || env.CI) void say(message);
      },
    };
  };

  return {
    program,
    client,
    flags,
    edges,
    progress,
    terminal,
    connectOptions,
    say,
    readStdin,
    style,
    async connect({ createDataDir = false } = {}) {
      if (progress.connection) return progress.connection;
      progress.connection = await connect(await connectOptions(createDataDir), edges);
      return progress.connection;
    },
    async print(answer) {
      const text = flags.json
        ? `${JSON.stringify(answer.json, null, stdout.isTTY ? 2 : 0)}\n`
        : terminal && answer.terminal
          ? answer.terminal(await style('stdout'), stdout.columns ?? 80)
          : answer.plain;
      await writeText(stdout, text).catch((cause) => {
        if (isClosedPipe(cause)) return;
        throw new PangolinError('output_failed', 'The answer could not be written to standard output.', { cause });
      });
    },
    async mask(secret) {
      if (env.GITHUB_ACTIONS !== 'true') return;
      const data = secret.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
      await writeText(stderr, `::add-mask::${data}\n`);
    },
    async working(text, work) {
      if (!terminal || !stderr.isTTY || silent) return work;
      const timer = setTimeout(() => void showSpinner(text, edges, progress, timer), SPINNER_DELAY_MS);
      try {
        return await work;
      } finally {
        clearTimeout(timer);
        progress.stopSpinner?.();
        progress.stopSpinner = null;
      }
    },
  };
}

async function showSpinner(text: string, edges: ProcessEdges, progress: Progress, timer: NodeJS.Timeout) {
  let wanted = true;
  progress.stopSpinner = () => {
    wanted = false;
  };
  const { default: ora } = await import('ora');
  if (!wanted) return;
  const spinner = ora({ text, stream: edges.stderr, discardStdin: false }).start();
  progress.stopSpinner = () => spinner.stop();
  clearTimeout(timer);
}

const ignoreUnread = (): void => {};
