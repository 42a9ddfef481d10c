import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printDone, readUuid } from '@pangolin/shared/cli';
import { chooseUser, findUserId, type UserChoice } from './find-user.ts';
import { printPassword } from './print-password.ts';
import { readNewPassword } from './read-new-password.ts';

/** `reset-password`: a new password, and the end of every credential of the user. */
export function registerResetPassword(program: Command, ctx: () => Context): void {
  program
    .command('reset-password')
    .summary('give a user a new password')
    .description(
      'Gives a user a new password and ends every credential of theirs. ' +
        'Without --password-stdin one is generated and printed once.',
    )
    .argument('[user]', 'their username or id')
    .option('--id <uuid>', 'their id', readUuid)
    .option('--username <name>', 'their username')
    .option('--password-stdin', 'read the password from standard input')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin reset-password ada',
        'pangolin-admin reset-password --username ada --password-stdin < password.txt',
      ),
    )
    .action((user, options) => resetPassword(ctx(), user, options));
}

async function resetPassword(
  ctx: Context,
  argument: string | undefined,
  options: UserChoice & { passwordStdin?: true },
): Promise<void> {
  const choice = chooseUser('reset-password', argument, options);
  const given = await readNewPassword(ctx, options);
  const { client } = await ctx.connect();
  const id = await findUserId(client, choice);
  const resetting = client.users.resetPassword(id, given === undefined ? {} : { password: given });
  const answer = await ctx.working('Resetting the password', resetting);
  if (answer.password === undefined) {
    return printDone(ctx, answer, `The password of ${answer.username} was reset; their credentials have ended.`);
  }
  await printPassword(ctx, {
    title: 'Password reset; every credential of theirs has ended',
    json: answer,
    password: answer.password,
    undone: 'The new password is lost, and the old one no longer works.',
    remedy: `Reset it again: pangolin-admin reset-password --id ${answer.id}`,
  });
}
