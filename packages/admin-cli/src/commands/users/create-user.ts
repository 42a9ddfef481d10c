import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject, roleOption } from '@pangolin/shared/cli';
import { printPassword } from './print-password.ts';
import { readNewPassword } from './read-new-password.ts';
import { userFields } from './user-columns.ts';

interface CreateUserOptions {
  email?: string;
  role?: string;
  passwordStdin?: true;
}

/** `create-user`: somebody who logs in with a password. */
export function registerCreateUser(program: Command, ctx: () => Context): void {
  program
    .command('create-user')
    .summary('create a user')
    .description('Creates a user. Without --password-stdin a password is generated and printed once.')
    .argument('<username>', 'what they log in with')
    .option('--email <address>', 'their e-mail address')
    .addOption(roleOption('what they may do (default: tenant-user)'))
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin create-user ada --email ada@example.com',
        'pangolin-admin create-user ada --role tenant-admin --password-stdin < password.txt',
      ),
    )
    .action((username, options) => createUser(ctx(), username, options));
}

async function createUser(ctx: Context, username: string, options: CreateUserOptions): Promise<void> {
  const given = await readNewPassword(ctx, options);
  const { client } = await ctx.connect({ createDataDir: true });
  const creating = client.users.create({
    username,
    ...(options.email !== undefined && { email: options.email }),
    ...(options.role !== undefined && { role: options.role }),
    ...(given !== undefined && { password: given }),
  });
  const user = await ctx.working('Creating the user', creating);
  if (user.password === undefined) return printObject(ctx, user, userFields(user));
  await printPassword(ctx, {
    title: 'User created',
    json: user,
    password: user.password,
    undo: () => client.users.delete(user.id),
    undone: 'The user was deleted again.',
    remedy: `Delete the user: pangolin-admin delete-user --id ${user.id}`,
  });
}
