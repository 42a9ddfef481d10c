import { Argument, type Command } from '@commander-js/extra-typings';
import { SHELLS, type Shell, writeCompletion } from '../completion.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';

/** `completion`: what a shell needs to complete this program's commands and options. */
export function registerCompletion(program: Command, ctx: () => Context): void {
  const name = program.name();
  program
    .command('completion')
    .summary('print a shell completion script')
    .description('Prints a completion script. Load it in the start file of your shell.')
    .addArgument(new Argument('<shell>', 'your shell').choices(SHELLS))
    .addHelpText('after', examples(`${name} completion bash`, `${name} completion zsh`, `${name} completion fish`))
    .action((shell) => completion(ctx(), program, shell));
}

async function completion(ctx: Context, program: Command, shell: Shell): Promise<void> {
  const script = writeCompletion(shell, program);
  await ctx.print({ json: { shell, script }, plain: script });
}
