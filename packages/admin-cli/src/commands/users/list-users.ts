import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printList } from '@pangolin/shared/cli';
import { USER_COLUMNS } from './user-columns.ts';

/** `list-users`: the tenant's users. */
export function registerListUsers(program: Command, ctx: () => Context): void {
  program
    .command('list-users')
    .summary('list users')
    .description(
      'Lists the users of the tenant. In a pipe: id, username, email, role, active, created, last login, ' +
        'separated by tabs.',
    )
    .addHelpText('after', examples('pangolin-admin list-users', 'pangolin-admin list-users --json'))
    .action(() => listUsers(ctx()));
}

async function listUsers(ctx: Context): Promise<void> {
  const { client } = await ctx.connect();
  const users = await ctx.working('Listing users', client.users.list({ all: true }));
  await printList(ctx, USER_COLUMNS, users, 'No users yet. Create one: pangolin-admin create-user USERNAME');
}
