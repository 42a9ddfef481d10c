import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printList, readUuid, tokenColumns } from '@pangolin/shared/cli';

/** `list-user-tokens`: the tokens of any principal of the tenant. */
export function registerListUserTokens(program: Command, ctx: () => Context): void {
  program
    .command('list-user-tokens')
    .summary("list somebody's tokens")
    .description(
      'Lists the valid tokens of a user or service user. In a pipe: id, status, kind, name, description, created, ' +
        'expires, last used, from which address, by which client, separated by tabs.',
    )
    .requiredOption('--user-id <uuid>', 'whose', readUuid)
    .option('--all', 'expired and revoked ones too')
    .addHelpText('after', examples('pangolin-admin list-user-tokens --user-id 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11'))
    .action((options) => listUserTokens(ctx(), options));
}

async function listUserTokens(ctx: Context, { userId, all }: { userId: string; all?: true }): Promise<void> {
  const { client } = await ctx.connect();
  const listing = client.tokens.listOfUser(userId, { all: true, ...(!all && { status: 'valid' }) });
  const tokens = await ctx.working('Listing tokens', listing);
  const hint = all ? 'No tokens.' : 'No valid tokens. Expired and revoked ones too: --all';
  await printList(ctx, tokenColumns(ctx.edges.now()), tokens, hint);
}
