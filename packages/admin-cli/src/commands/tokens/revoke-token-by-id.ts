import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printDone } from '@pangolin/shared/cli';
import { readTokenId } from './read-token-id.ts';

/** `revoke-token-by-id`: anybody's token in the tenant. */
export function registerRevokeTokenById(program: Command, ctx: () => Context): void {
  program
    .command('revoke-token-by-id')
    .summary("revoke anybody's token")
    .description('Revokes a token of anybody in the tenant, and everything obtained with it, at once and for good.')
    .requiredOption('--id <uuid>', 'the token, by id or URN', readTokenId)
    .option('--reason <text>', 'why, for the audit log')
    .addHelpText(
      'after',
      examples('pangolin-admin revoke-token-by-id --id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11 --reason "laptop lost"'),
    )
    .action((options) => revokeTokenById(ctx(), options));
}

async function revokeTokenById(ctx: Context, { id, reason }: { id: string; reason?: string }): Promise<void> {
  const { client } = await ctx.connect();
  const answer = await ctx.working('Revoking', client.tokens.revoke(id, reason));
  await printDone(ctx, answer, `Revoked token ${id}.`);
}
