import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printList } from '@pangolin/shared/cli';
import { TENANT_COLUMNS } from './tenant-columns.ts';

/** `list-tenants`: all there are. */
export function registerListTenants(program: Command, ctx: () => Context): void {
  program
    .command('list-tenants')
    .summary('list tenants')
    .description('Lists the tenants (root only). In a pipe: id, name, created, description, separated by tabs.')
    .addHelpText('after', examples('pangolin-admin list-tenants', 'pangolin-admin list-tenants --json'))
    .action(() => listTenants(ctx()));
}

async function listTenants(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const tenants = await ctx.working('Listing tenants', client.tenants.list({ all: true }));
  await printList(ctx, TENANT_COLUMNS, tenants, 'No tenants.');
}
