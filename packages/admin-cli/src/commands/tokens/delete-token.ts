import type { Command } from '@commander-js/extra-typings';
import { type Context, confirmDestruction, examples, printDone, readUuid } from '@pangolin/shared/cli';

/** `delete-token`: revokes a token; its record stays for the audit. */
export function registerDeleteToken(program: Command, ctx: () => Context): void {
  program
    .command('delete-token')
    .summary('revoke a token for good')
    .description('Revokes a token. Its record stays listed as revoked until 30 days after its expiry.')
    .requiredOption('--token-id <uuid>', 'the token', readUuid)
    .option('--yes', 'do not ask')
    .addHelpText('after', examples('pangolin-admin delete-token --token-id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11 --yes'))
    .action((options) => deleteToken(ctx(), options));
}

async function deleteToken(ctx: Context, options: { tokenId: string; yes?: true }): Promise<void> {
  const { tokenId } = options;
  const { client } = await ctx.connect();
  if (!(await confirmDestruction(ctx, options, `Delete token ${tokenId}?`))) return;
  await ctx.working('Deleting the token', client.tokens.delete(tokenId));
  await printDone(ctx, { id: tokenId, deleted: true }, `Deleted token ${tokenId}.`);
}
