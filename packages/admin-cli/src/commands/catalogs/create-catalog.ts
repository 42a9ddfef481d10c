import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject } from '@pangolin/shared/cli';

/** `create-catalog`: a place for tables. */
export function registerCreateCatalog(program: Command, ctx: () => Context): void {
  program
    .command('create-catalog')
    .summary('create a catalog')
    .description('Creates a catalog in the tenant.')
    .argument('<name>', 'what it is called')
    .option('--warehouse <location>', 'where its tables lie by default')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin create-catalog sales',
        'pangolin-admin create-catalog sales --warehouse s3://bucket/sales',
      ),
    )
    .action((name, options) => createCatalog(ctx(), name, options));
}

async function createCatalog(ctx: Context, name: string, { warehouse }: { warehouse?: string }): Promise<void> {
  const { client } = await ctx.connect({ createDataDir: true });
  const creating = client.catalogs.create({ name, ...(warehouse !== undefined && { warehouse_location: warehouse }) });
  const catalog = await ctx.working('Creating the catalog', creating);
  await printObject(ctx, catalog, { ...catalog });
}
