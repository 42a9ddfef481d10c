import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printList, readDays } from '@pangolin/shared/cli';
import { SERVICE_USER_COLUMNS, unusedColumns } from './service-user-columns.ts';

/** `list-service-users`: the tenant's service users, or those that nobody uses. */
export function registerListServiceUsers(program: Command, ctx: () => Context): void {
  program
    .command('list-service-users')
    .summary('list service users')
    .description(
      'Lists the service users of the tenant. In a pipe: id, name, role, active, created, expires, last used, ' +
        'from which address, by which client, description, separated by tabs; with --unused-for, for how many days last.',
    )
    .option(
      '--unused-for <days>',
      'only those that nobody used for so long, such as 90d, or since they exist',
      readDays,
    )
    .addHelpText(
      'after',
      examples(
        'pangolin-admin list-service-users',
        'pangolin-admin list-service-users --unused-for 90d',
        'pangolin-admin list-service-users --json',
      ),
    )
    .action((options) => listServiceUsers(ctx(), options));
}

async function listServiceUsers(ctx: Context, { unusedFor }: { unusedFor?: number }): Promise<void> {
  const { client } = await ctx.connect();
  const filter = unusedFor === undefined ? {} : { unused_for_days: unusedFor };
  const users = await ctx.working('Listing service users', client.serviceUsers.list({ all: true, ...filter }));
  const hint =
    unusedFor === undefined
      ? 'No service users yet. Create one: pangolin-admin create-service-user --name NAME'
      : `There is no service user that nobody used for ${unusedFor === 1 ? 'a day' : `${unusedFor} days`}.`;
  await printList(ctx, unusedFor === undefined ? SERVICE_USER_COLUMNS : unusedColumns(ctx.edges.now()), users, hint);
}
