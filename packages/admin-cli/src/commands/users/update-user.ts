import type { Command } from '@commander-js/extra-typings';
import {
  type Context,
  examples,
  PangolinError,
  printObject,
  readBoolean,
  readUuid,
  roleOption,
} from '@pangolin/shared/cli';
import { chooseUser, findUserId, type UserChoice } from './find-user.ts';
import { userFields } from './user-columns.ts';

interface UpdateUserOptions extends UserChoice {
  email?: string;
  role?: string;
  active?: boolean;
  newUsername?: string;
}

/** `update-user`: their address, role, name, or whether they may do anything at all. */
export function registerUpdateUser(program: Command, ctx: () => Context): void {
  program
    .command('update-user')
    .summary('change a user')
    .description('Changes a user. Deactivating stops every credential of theirs; reactivating revives none.')
    .argument('[user]', 'their username or id')
    .option('--id <uuid>', 'their id', readUuid)
    .option('--username <name>', 'their username')
    .option('--email <address>', 'their new e-mail address')
    .addOption(roleOption('what they may do'))
    .option('--active <true|false>', 'whether they may do anything', readBoolean)
    .option('--new-username <name>', 'what they log in with from now on')
    .addHelpText(
      'after',
      examples('pangolin-admin update-user ada --role tenant-admin', 'pangolin-admin update-user ada --active false'),
    )
    .action((user, options) => updateUser(ctx(), user, options));
}

async function updateUser(ctx: Context, argument: string | undefined, options: UpdateUserOptions): Promise<void> {
  const choice = chooseUser('update-user', argument, options);
  const change = {
    ...(options.email !== undefined && { email: options.email }),
    ...(options.role !== undefined && { role: options.role }),
    ...(options.active !== undefined && { active: options.active }),
    ...(options.newUsername !== undefined && { username: options.newUsername }),
  };
  if (Object.keys(change).length === 0) {
    throw new PangolinError('invalid_argument', 'Nothing to change.', {
      hint: 'Give --email, --role, --active or --new-username.',
    });
  }
  const { client } = await ctx.connect();
  const id = await findUserId(client, choice);
  const user = await ctx.working('Changing the user', client.users.update(id, change));
  await printObject(ctx, user, userFields(user));
}
