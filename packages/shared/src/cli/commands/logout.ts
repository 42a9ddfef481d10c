import type { Command } from '@commander-js/extra-typings';
import { logOut } from '../../auth/log-out.ts';
import { printDone } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';

/** `logout`: ends the session at the server and forgets it here. */
export function registerLogout(program: Command, ctx: () => Context): void {
  const name = program.name();
  program
    .command('logout')
    .summary('log out')
    .description('Ends the session at the server, with everything obtained with it, and forgets it here.')
    .option('--all', 'of every profile')
    .addHelpText('after', examples(`${name} logout`, `${name} logout --profile staging`, `${name} logout --all`))
    .action((options) => logout(ctx(), options));
}

async function logout(ctx: Context, { all = false }: { all?: true | false }): Promise<void> {
  const options = await ctx.connectOptions(false);
  const profiles = await ctx.working('Logging out', logOut({ ...options, all }, ctx.edges));
  await printDone(ctx, { logged_out: profiles }, `Logged out of ${profiles.join(', ')}.`);
}
