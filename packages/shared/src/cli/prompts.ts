import { PangolinError } from '../errors.ts';
import type { Context } from './context.ts';

/** Whether somebody can be asked: a terminal on both sides, and neither `--no-input` nor `--json`. */
const canPrompt = (ctx: Context): boolean =>
  ctx.flags.input && !ctx.flags.json && ctx.edges.stderr.isTTY === true && ctx.edges.stdin().isTTY === true;

/** Asks for a line of text; where nobody can be asked, fails naming `flag`. */
export async function askText(ctx: Context, message: string, flag: string): Promise<string> {
  requirePrompt(ctx, message, flag);
  const { input } = await import('@inquirer/prompts');
  return input({ message, required: true }, promptStreams(ctx));
}

/** Asks for a secret without showing it; where nobody can be asked, fails naming `flag`. */
export async function askSecret(ctx: Context, message: string, flag: string): Promise<string> {
  requirePrompt(ctx, message, flag);
  const { password } = await import('@inquirer/prompts');
  return password({ message, mask: true }, promptStreams(ctx));
}

/**
 * Asks before something that cannot be undone. True where nobody can be asked or `--yes` was given: a script means what
 * it says.
 */
export async function confirmDestruction(ctx: Context, options: { yes?: true }, question: string): Promise<boolean> {
  if (options.yes || !canPrompt(ctx)) return true;
  const { confirm } = await import('@inquirer/prompts');
  const confirmed = await confirm({ message: question, default: false }, promptStreams(ctx));
  if (!confirmed) await ctx.say('Nothing was changed.');
  return confirmed;
}

// The conversation is held on stderr, so that stdout stays the answer.
const promptStreams = (ctx: Context) => ({ input: ctx.edges.stdin(), output: ctx.edges.stderr });

function requirePrompt(ctx: Context, message: string, flag: string): void {
  if (canPrompt(ctx)) return;
  throw new PangolinError('input_required', `${message.replace(/:?$/, '')} is needed, and nobody can be asked.`, {
    hint: `Give it with ${flag}.`,
  });
}
