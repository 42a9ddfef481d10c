import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject } from '@pangolin/shared/cli';

interface CreateCatalogOptions {
  warehouse?: string;
  withSampleData?: true;
}

const SAMPLE_TABLE = 'sample.sightings';

/** `create-catalog`: a place for tables. */
export function registerCreateCatalog(program: Command, ctx: () => Context): void {
  program
    .command('create-catalog')
    .summary('create a catalog')
    .description('Creates a catalog in the tenant. Its tables are files in its warehouse, which nothing else may use.')
    .argument('<name>', 'what it is called: letters, digits, dots, dashes, underscores')
    .option(
      '--warehouse <location>',
      "where its files lie: s3://bucket/path, with AWS's usual variables where the server runs, or an absolute path on " +
        'the server (default: <data dir>/warehouse/<catalog>)',
    )
    .option('--with-sample-data', `with a small table to try things with, ${SAMPLE_TABLE}`)
    .addHelpText(
      'after',
      examples(
        'pangolin-admin create-catalog sales',
        'pangolin-admin create-catalog demo --with-sample-data',
        'pangolin-admin create-catalog sales --warehouse s3://bucket/sales',
      ),
    )
    .action((name, options) => createCatalog(ctx(), name, options));
}

async function createCatalog(ctx: Context, name: string, options: CreateCatalogOptions): Promise<void> {
  const { client } = await ctx.connect({ createDataDir: true });
  const creating = client.catalogs.create({
    name,
    ...(options.warehouse !== undefined && { warehouse_location: options.warehouse }),
    ...(options.withSampleData && { with_sample_data: true }),
  });
  const catalog = await ctx.working('Creating the catalog', creating);
  await printObject(ctx, catalog, { ...catalog });
  if (ctx.terminal) await ctx.say(nextStep(name, client.origin ?? 'http://localhost:8080', options));
}

function nextStep(name: string, origin: string, { withSampleData }: CreateCatalogOptions): string {
  if (!withSampleData) {
    return `💡 Use it with PyIceberg:\n   catalog = load_catalog('${name}', uri='${origin}/v1/${name}', token='<TOKEN>')`;
  }
  const table = name.includes('.') ? `'"${name}".${SAMPLE_TABLE}'` : `${name}.${SAMPLE_TABLE}`;
  return `💡 Read its table:\n   pangolin-user generate-code --language pyiceberg --table ${table}`;
}
