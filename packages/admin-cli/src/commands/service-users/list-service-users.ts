import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printList } from '@pangolin/shared/cli';
import { SERVICE_USER_COLUMNS } from './service-user-columns.ts';

/** `list-service-users`: the tenant's service users. */
export function registerListServiceUsers(program: Command, ctx: () => Context): void {
  program
    .command('list-service-users')
    .summary('list service users')
    .description(
      'Lists the service users of the tenant. In a pipe: id, name, role, active, created, expires, last used, ' +
        'from which address, by which client, description, separated by tabs.',
    )
    .addHelpText('after', examples('pangolin-admin list-service-users', 'pangolin-admin list-service-users --json'))
    .action(() => listServiceUsers(ctx()));
}

async function listServiceUsers(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const users = await ctx.working('Listing service users', client.serviceUsers.list({ all: true }));
  const hint = 'No service users yet. Create one: pangolin-admin create-service-user --name NAME';
  await printList(ctx, SERVICE_USER_COLUMNS, users, hint);
}
