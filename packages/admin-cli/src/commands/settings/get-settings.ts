import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject } from '@pangolin/shared/cli';
import { settingsFields } from './settings-fields.ts';

/** `get-settings`: lifetimes, limits and allowed networks of the tenant. */
export function registerGetSettings(program: Command, ctx: () => Context): void {
  program
    .command('get-settings')
    .summary('show lifetimes, limits and allowed networks')
    .description("Shows the tenant's lifetimes, limits and allowed networks.")
    .addHelpText('after', examples('pangolin-admin get-settings', 'pangolin-admin get-settings --json'))
    .action(() => getSettings(ctx()));
}

async function getSettings(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const settings = await ctx.working('Asking the server', client.settings.get());
  await printObject(ctx, settings, settingsFields(settings));
}
