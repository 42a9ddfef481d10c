import { type Context, PangolinError } from '@pangolin/shared/cli';

/** The password given with `--password-stdin`, masked; undefined asks the server to generate one. */
export async function readNewPassword(ctx: Context, { passwordStdin }: { passwordStdin?: true }) {
  if (!passwordStdin) return undefined;
  if (ctx.flags.tokenStdin) {
    throw new PangolinError('invalid_argument', 'Standard input can hold the token or the password, not both.', {
      hint: 'Give the token in PANGOLIN_TOKEN.',
    });
  }
  const password = await ctx.readStdin();
  if (password === '') throw new PangolinError('invalid_argument', 'Standard input holds no password.');
  await ctx.mask(password);
  return password;
}
