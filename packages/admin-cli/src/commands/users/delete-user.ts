import type { Command } from '@commander-js/extra-typings';
import { type Context, confirmDestruction, examples, printDone, readUuid } from '@pangolin/shared/cli';
import { chooseUser, findUserId, type UserChoice } from './find-user.ts';

/** `delete-user`: for good, with every credential of theirs. */
export function registerDeleteUser(program: Command, ctx: () => Context): void {
  program
    .command('delete-user')
    .summary('delete a user')
    .description('Deletes a user. Every credential of theirs stops at once.')
    .argument('[user]', 'their username or id')
    .option('--id <uuid>', 'their id', readUuid)
    .option('--username <name>', 'their username')
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('pangolin-admin delete-user ada --yes'))
    .action((user, options) => deleteUser(ctx(), user, options));
}

async function deleteUser(
  ctx: Context,
  argument: string | undefined,
  options: UserChoice & { yes?: true },
): Promise<void> {
  const choice = chooseUser('delete-user', argument, options);
  const { client } = await ctx.connect();
  const id = await findUserId(client, choice);
  const label = choice.username ?? id;
  if (!(await confirmDestruction(ctx, options, `Delete user ${label} and end their credentials?`))) return;
  await ctx.working('Deleting the user', client.users.delete(id));
  await printDone(ctx, { id, deleted: true }, `Deleted user ${label}.`);
}
