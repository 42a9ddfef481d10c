import { Command } from '@commander-js/extra-typings';
import type { Context } from './context.ts';
import { type GlobalFlags, globalOptions, readGlobalFlags } from './flags.ts';

/** Registers one command; `ctx` answers the context once the command line is parsed. */
export type RegisterCommand = (program: Command, ctx: () => Context) => void;

/** What one command-line program is. */
export interface ProgramDescriptor {
  name: string;
  version: string;
  summary: string;
  /** What a newcomer types first, with what it does. */
  firstSteps: ReadonlyArray<readonly [command: string, what: string]>;
  commands: readonly RegisterCommand[];
}

/** What a program is built into: where its help goes, and who is told the flags before a command runs. */
export interface ProgramHost {
  writeHelp(text: string): void;
  helpWidth: number;
  onFlags(flags: GlobalFlags): void;
  ctx(): Context;
}

/** Builds the commander tree of a program. */
export function buildProgram(descriptor: ProgramDescriptor, host: ProgramHost): Command {
  const program = new Command(descriptor.name)
    .description(descriptor.summary)
    .version(descriptor.version, '-V, --version', 'print the version')
    .enablePositionalOptions()
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: host.writeHelp, writeErr: () => {}, getOutHelpWidth: () => host.helpWidth })
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .hook('preAction', (_, command) => host.onFlags(readGlobalFlags(command)));
  for (const option of globalOptions()) program.addOption(option);
  for (const register of descriptor.commands) register(program, host.ctx);
  for (const command of program.commands) acceptGlobalOptions(command);
  return program;
}

type AnyCommand = Command['commands'][number];

// Hidden, because help already lists them once under "Global Options".
function acceptGlobalOptions(command: AnyCommand): void {
  command.exitOverride();
  for (const option of globalOptions()) {
    if (!command.options.some((own) => own.long === option.long)) command.addOption(option.hideHelp());
  }
  for (const child of command.commands) acceptGlobalOptions(child);
}

/** The examples below a command's help, each a whole command line. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}\n`;

/** What somebody sees who types only the program's name. */
export function welcome(descriptor: ProgramDescriptor): string {
  const { name, summary, firstSteps } = descriptor;
  const width = Math.max(...firstSteps.map(([command]) => command.length)) + 2;
  return [
    summary,
    '',
    'Start here:',
    ...firstSteps.map(([command, what]) => `  ${command.padEnd(width)}${what}`),
    '',
    `Everything else: ${name} --help`,
    '',
  ].join('\n');
}
