import { PangolinError } from '../errors.ts';
import type { Answer, Context } from './context.ts';
import type { Style } from './style.ts';
import { writeText } from './write.ts';

/** A secret that is shown once, and what to do when it could not be shown. */
interface SecretAnswer extends Answer {
  secret: string;
  /** What a pipe is told on stderr beside the secret. */
  aside?: string;
  terminal(style: Style, width: number): string;
  /** Takes the new credential back. */
  undo?: () => Promise<unknown>;
  /** What then holds: "The token was revoked again." */
  undone: string;
  /** What to type when it could not be taken back. */
  remedy: string;
}

/**
 * Masks a secret, prints it and waits until it is written.
 * Where that fails, the credential is taken back and the command fails with `output_failed`: nobody holds a credential
 * that nobody saw.
 */
export async function printSecret(ctx: Context, answer: SecretAnswer): Promise<void> {
  try {
    await ctx.mask(answer.secret);
    if (ctx.progress.interrupted) throw new Error('interrupted before the secret was shown');
    await writeText(ctx.edges.stdout, await renderSecret(ctx, answer));
  } catch (cause) {
    throw await takeBack(answer, cause);
  }
  if (answer.aside !== undefined && !ctx.terminal) await ctx.say(answer.aside);
}

async function renderSecret(ctx: Context, answer: SecretAnswer): Promise<string> {
  const { stdout } = ctx.edges;
  if (ctx.flags.json) return `${JSON.stringify(answer.json, null, stdout.isTTY ? 2 : 0)}\n`;
  if (!ctx.terminal) return answer.plain;
  return answer.terminal(await ctx.style('stdout'), stdout.columns ?? 80);
}

async function takeBack(answer: SecretAnswer, cause: unknown): Promise<PangolinError> {
  const message = 'The secret could not be written to standard output.';
  try {
    await answer.undo?.();
  } catch (failure) {
    return new PangolinError('output_failed', `${message} It could not be taken back either.`, {
      cause: new AggregateError([cause, failure]),
      hint: answer.remedy,
    });
  }
  return new PangolinError('output_failed', `${message} ${answer.undone}`, {
    cause,
    ...(!answer.undo && { hint: answer.remedy }),
  });
}

/** The frame around a secret on a terminal. */
export const RULE = '━'.repeat(66);
