import { type Command, Option } from '@commander-js/extra-typings';
import { logIn, readLoginTarget } from '../../auth/log-in.ts';
import { PangolinError } from '../../errors.ts';
import { printObject } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';
import { askSecret, askText } from '../prompts.ts';

interface LoginOptions {
  username?: string;
  password?: string;
  passwordStdin?: true;
}

/** `login`: username and password for a session that the keyring keeps. */
export function registerLogin(program: Command, ctx: () => Context): void {
  const name = program.name();
  program
    .command('login')
    .summary('log in to a server')
    .description(
      'Logs in with username and password and keeps the session in the keyring of the operating system, or in a ' +
        'private file where there is none. The server becomes a profile.',
    )
    .option('--username <name>', 'who you are')
    .addOption(new Option('--password-stdin', 'read the password from standard input').conflicts('password'))
    .option('--password <password>', 'the password; others on this machine can see it, use --password-stdin')
    .addHelpText(
      'after',
      examples(
        `${name} login --url https://pangolin.example.com --username ada`,
        `${name} login --url https://pangolin.example.com --username ada --password-stdin < password.txt`,
        `${name} login --url https://pangolin.example.com --tenant acme --username ada`,
      ),
    )
    .action((options) => login(ctx(), options));
}

async function login(ctx: Context, options: LoginOptions): Promise<void> {
  if (options.passwordStdin && ctx.flags.tokenStdin) {
    throw new PangolinError('invalid_argument', 'Logging in takes a password, not a token: leave --token-stdin out.');
  }
  if (options.password !== undefined) {
    await ctx.say('Warning: --password shows your password to others on this machine. Use --password-stdin.');
  }
  const connecting = await ctx.connectOptions(false);
  const target = await readLoginTarget(connecting, ctx.edges);
  const username = options.username ?? target.username ?? (await askText(ctx, 'Username:', '--username'));
  const password = await readPassword(ctx, options);
  await ctx.mask(password);
  const done = await ctx.working('Logging in', logIn({ ...connecting, username, password }, ctx.edges));
  const { user, expires_at } = done.answer;
  await printObject(
    ctx,
    { profile: done.profile, server: done.origin, user, expires_at },
    {
      profile: done.profile,
      server: done.origin,
      username: user.username,
      role: user.role,
      tenant_id: user.tenant_id,
      expires_at,
    },
  );
}

async function readPassword(ctx: Context, { password, passwordStdin }: LoginOptions): Promise<string> {
  if (password !== undefined) return password;
  if (!passwordStdin) return askSecret(ctx, 'Password:', '--password-stdin');
  const given = await ctx.readStdin();
  if (given === '') throw new PangolinError('invalid_argument', 'Standard input holds no password.');
  return given;
}
