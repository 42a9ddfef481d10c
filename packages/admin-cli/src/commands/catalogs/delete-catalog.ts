import type { Command } from '@commander-js/extra-typings';
import { type Context, confirmDestruction, examples, printDone } from '@pangolin/shared/cli';

/** `delete-catalog`: takes a catalog away. */
export function registerDeleteCatalog(program: Command, ctx: () => Context): void {
  program
    .command('delete-catalog')
    .summary('delete a catalog')
    .description('Deletes a catalog of the tenant.')
    .argument('<name>', 'its name')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('pangolin-admin delete-catalog sales --yes'))
    .action((name, options) => deleteCatalog(ctx(), name, options));
}

async function deleteCatalog(ctx: Context, name: string, options: { yes?: true }): Promise<void> {
  const { client } = await ctx.connect();
  if (!(await confirmDestruction(ctx, options, `Delete catalog ${name}?`))) return;
  await ctx.working('Deleting the catalog', client.catalogs.delete(name));
  await printDone(ctx, { name, deleted: true }, `Deleted catalog ${name}.`);
}
