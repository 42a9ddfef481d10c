import { hostname } from 'node:os';
import { CommanderError } from '@commander-js/extra-typings';
import { refuseEmptyVariables } from '../client/find-server.ts';
import { readSurroundings } from '../client/process-surroundings.ts';
import { ERRORS, PangolinError } from '../errors.ts';
import { createContext, type Progress } from './context.ts';
import type { ProcessEdges, StopSignal } from './edges.ts';
import type { GlobalFlags } from './flags.ts';
import { buildProgram, type ProgramDescriptor, welcome } from './program.ts';
import { describeError } from './report-error.ts';
import { loadStyle, wantsColor } from './style.ts';
import { isClosedPipe, writeText } from './write.ts';

const EXIT_BY_SIGNAL: Record<StopSignal, number> = { SIGINT: 130, SIGTERM: 143 };

/** Runs one command line and answers its exit code; the only place where a command's errors are caught. */
export async function runProgram(descriptor: ProgramDescriptor, edges: ProcessEdges): Promise<number> {
  const progress: Progress = { connection: null, interrupted: false, onStop: null, stopSpinner: null };
  // A stream's error arrives with the write that failed; without a listener it would end the process as well.
  for (const stream of [edges.stdout, edges.stderr]) stream.on('error', () => {});
  let stopListening = () => {};
  const stopped = new Promise<number>((resolve) => {
    stopListening = edges.onSignal((signal) => {
      if (progress.onStop) return progress.onStop();
      progress.interrupted = true;
      resolve(EXIT_BY_SIGNAL[signal]);
    });
  });
  try {
    const command = runCommand(descriptor, edges, progress);
    const code = await Promise.race([command, stopped]);
    // A credential that was being made when the signal came is taken back rather than left behind unseen.
    if (progress.interrupted && progress.connection) await within(TAKE_BACK_MS, command);
    return code;
  } finally {
    progress.stopSpinner?.();
    await progress.connection?.client.close().catch(() => {});
    stopListening();
  }
}

const TAKE_BACK_MS = 500;

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}

async function runCommand(descriptor: ProgramDescriptor, edges: ProcessEdges, progress: Progress): Promise<number> {
  let help = '';
  let flags: GlobalFlags | null = null;
  const program = buildProgram(descriptor, {
    writeHelp: (text) => {
      help += text;
    },
    helpWidth: Math.min(edges.stdout.columns ?? 80, 120),
    onFlags: (given) => {
      flags = given;
      refuseEmptyVariables(edges.env);
    },
    ctx: () => {
      if (!flags) throw new Error('a command asked for its context before it was parsed');
      return createContext(descriptor, edges, flags, progress);
    },
  });
  try {
    await program.parseAsync([...edges.argv], { from: 'user' });
    return 0;
  } catch (error) {
    const failure = error instanceof CommanderError ? readCommanderError(error, descriptor, edges.argv) : error;
    if (failure === 'help') return printHelp(edges, help || welcome(descriptor));
    if (progress.interrupted || isAbandonedPrompt(failure)) return EXIT_BY_SIGNAL.SIGINT;
    return reportFailure(failure, descriptor, edges, flags ?? guessFlags(edges.argv));
  }
}

/** Tells help that was asked for from a command line that cannot be used. */
function readCommanderError(
  error: CommanderError,
  { name, commands }: ProgramDescriptor,
  argv: readonly string[],
): PangolinError | 'help' {
  if (error.exitCode === 0) return 'help';
  const words = argv.filter((word) => !word.startsWith('-'));
  if (error.code === 'commander.help') {
    if (words.length === 0 && commands.length > 0) return 'help';
    return new PangolinError('invalid_argument', `What shall ${words[0] ?? name} do?`, {
      hint: `See: ${name} ${words[0] ?? ''} --help`.replace('  ', ' '),
    });
  }
  const unknown = error.code === 'commander.unknownCommand' || words[0] === undefined;
  const message = error.message.replace(/^error: /, '').replace(/\n+/g, ' ');
  return new PangolinError('invalid_argument', message.charAt(0).toUpperCase() + message.slice(1), {
    hint: `See: ${name} ${unknown ? '' : `${words[0]} `}--help`,
  });
}

// @inquirer/prompts says so when somebody presses Ctrl-C.
const isAbandonedPrompt = (error: unknown): boolean => error instanceof Error && error.name === 'ExitPromptError';

/** The flags that matter for an error, where parsing itself failed. */
function guessFlags(argv: readonly string[]): Pick<GlobalFlags, 'json' | 'color'> {
  const end = argv.indexOf('--');
  const words = end === -1 ? argv : argv.slice(0, end);
  return { json: words.includes('--json'), color: !words.includes('--no-color') };
}

async function printHelp(edges: ProcessEdges, text: string): Promise<number> {
  try {
    await writeText(edges.stdout, text);
    return 0;
  } catch (error) {
    return isClosedPipe(error) ? 0 : ERRORS.output_failed.exit;
  }
}

async function reportFailure(
  failure: unknown,
  descriptor: ProgramDescriptor,
  edges: ProcessEdges,
  flags: Pick<GlobalFlags, 'json' | 'color'>,
): Promise<number> {
  const report = describeError(failure, {
    program: descriptor.name,
    version: descriptor.version,
    nodeVersion: edges.nodeVersion,
    platform: edges.platform,
    debug: Boolean(edges.env.PANGOLIN_DEBUG),
  });
  const text = flags.json
    ? `${JSON.stringify(report.json)}\n`
    : report.text(await loadStyle(wantsColor(edges.env, flags, edges.stderr)));
  await writeText(edges.stderr, text).catch(() => {});
  return report.exitCode;
}

const LINGER_MS = 1000;

/** Runs a program as this process: the one place where the command-line tools read the process. */
export async function runProcess(descriptor: ProgramDescriptor): Promise<void> {
  let lastSignal: StopSignal | null = null;
  let usedStdin = false;
  process.exitCode = await runProgram(descriptor, {
    argv: process.argv.slice(2),
    ...readSurroundings(),
    nodeVersion: process.version,
    hostName: hostname(),
    stdin: () => {
      usedStdin = true;
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    onSignal: (listener) => {
      const onSignal = (signal: NodeJS.Signals) => {
        lastSignal = signal === 'SIGTERM' ? signal : 'SIGINT';
        listener(lastSignal);
      };
      process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
      return () => process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    },
    onReload: (listener) => {
      process.on('SIGHUP', listener);
      return () => process.off('SIGHUP', listener);
    },
  });
  if (usedStdin) process.stdin.destroy();
  const signal = lastSignal;
  // Work that a signal left behind must not keep the process: the signal itself, no longer listened to, ends it.
  if (signal && process.exitCode === EXIT_BY_SIGNAL[signal]) {
    setTimeout(() => process.kill(process.pid, signal), LINGER_MS).unref();
  }
}
