import type { Command } from '@commander-js/extra-typings';
import { type Context, confirmDestruction, examples, printDone, readUuid } from '@pangolin/shared/cli';

interface RevokeUserTokensOptions {
  userId: string;
  reason?: string;
  yes?: true;
}

/** `revoke-user-tokens`: everything issued to a principal until now. */
export function registerRevokeUserTokens(program: Command, ctx: () => Context): void {
  program
    .command('revoke-user-tokens')
    .summary('revoke everything issued to somebody')
    .description('Revokes everything issued to a user or service user until now.')
    .requiredOption('--user-id <uuid>', 'whose', readUuid)
    .option('--reason <text>', 'why, for the audit log')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples('pangolin-admin revoke-user-tokens --user-id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11 --yes'),
    )
    .action((options) => revokeUserTokens(ctx(), options));
}

async function revokeUserTokens(ctx: Context, options: RevokeUserTokensOptions): Promise<void> {
  const { userId, reason } = options;
  const { client } = await ctx.connect();
  if (!(await confirmDestruction(ctx, options, `Revoke everything issued to ${userId} until now?`))) return;
  const answer = await ctx.working('Revoking', client.tokens.revokeOfUser(userId, reason));
  await printDone(ctx, answer, `Revoked everything issued to ${userId} until now.`);
}
