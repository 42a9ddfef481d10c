import type { Command } from '@commander-js/extra-typings';
import type { Catalog } from '../../contract/catalogs.ts';
import { formatTime, printList } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';
import type { Column } from '../table.ts';

/** `list-catalogs`: the catalogs one may see. */
export function registerListCatalogs(program: Command, ctx: () => Context): void {
  const name = program.name();
  program
    .command('list-catalogs')
    .summary('list the catalogs you may see')
    .description('Lists the catalogs you may see. In a pipe: name, warehouse, id, created, separated by tabs.')
    .addHelpText('after', examples(`${name} list-catalogs`, `${name} list-catalogs --json`))
    .action(() => listCatalogs(ctx()));
}

const COLUMNS: Column<Catalog>[] = [
  { title: 'NAME', value: (catalog) => catalog.name },
  { title: 'WAREHOUSE', value: (catalog) => catalog.warehouse_location, flexible: true },
  { title: 'ID', value: (catalog) => catalog.id },
  { title: 'CREATED', value: (catalog) => catalog.created_at, terminal: (catalog) => formatTime(catalog.created_at) },
];

async function listCatalogs(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const catalogs = await ctx.working('Listing catalogs', client.catalogs.list({ all: true }));
  await printList(ctx, COLUMNS, catalogs, 'No catalogs yet. Create one: pangolin-admin create-catalog NAME');
}
