import { type Command, Option } from '@commander-js/extra-typings';
import { PangolinError } from '../../errors.ts';
import { printDone } from '../answers.ts';
import type { Context } from '../context.ts';
import { examples } from '../program.ts';
import { confirmDestruction } from '../prompts.ts';
import { readUuid } from '../values.ts';

interface RevokeTokenOptions {
  id?: string;
  self?: true;
  all?: true;
  reason?: string;
  yes?: true;
}

/** `revoke-token`: one of one's own tokens, the one in use, or all. */
export function registerRevokeToken(program: Command, ctx: () => Context): void {
  const name = program.name();
  program
    .command('revoke-token')
    .summary('revoke one of your tokens, or all of them')
    .description('Revokes a token of yours, and everything obtained with it, at once and for good.')
    .option('--id <uuid>', 'the token to revoke', readUuid)
    .addOption(new Option('--self', 'the token this command is using').conflicts(['id', 'all']))
    .addOption(new Option('--all', 'everything issued to you until now').conflicts(['id', 'self']))
    .option('--reason <text>', 'why, for the audit log')
    .option('--yes', 'do not ask before revoking everything')
    .addHelpText(
      'after',
      examples(`${name} revoke-token --id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11`, `${name} revoke-token --all --yes`),
    )
    .action((options) => revokeToken(ctx(), options));
}

async function revokeToken(ctx: Context, options: RevokeTokenOptions): Promise<void> {
  const { id, self, all, reason } = options;
  if (id === undefined && !self && !all) {
    throw new PangolinError('invalid_argument', 'Say which token: --id ID, --self or --all.', {
      hint: 'List yours: pangolin-user list-tokens',
    });
  }
  const { client, source } = await ctx.connect();
  if (id !== undefined) {
    return printDone(ctx, await ctx.working('Revoking', client.tokens.revoke(id, reason)), `Revoked token ${id}.`);
  }
  if (self && source === 'embedded owner') {
    throw new PangolinError('invalid_argument', 'With embedded data there is no token in use that --self could mean.', {
      hint: 'List yours with pangolin-user list-tokens, then revoke one by --id.',
    });
  }
  if (self) return printDone(ctx, await client.tokens.revokeSelf(reason), 'Revoked the token in use.');
  const me = await client.users.me();
  if (!(await confirmDestruction(ctx, options, `Revoke everything issued to ${me.username} until now?`))) return;
  const answer = await ctx.working('Revoking', client.tokens.revokeOfUser(me.id, reason));
  await printDone(ctx, answer, `Revoked everything issued to ${me.username} until now.`);
}
