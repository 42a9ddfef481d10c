import type { Command } from '@commander-js/extra-typings';
import {
  addTokenFilters,
  type Context,
  examples,
  listFiltered,
  printList,
  type TokenFilters,
  tokenColumns,
} from '@pangolin/shared/cli';

/** `list-tokens`: one's own tokens, the valid ones unless asked otherwise. */
export function registerListTokens(program: Command, ctx: () => Context): void {
  addTokenFilters(program.command('list-tokens'))
    .summary('list your tokens')
    .description(
      'Lists your valid tokens. In a pipe: id, status, kind, name, description, created, expires, last used, ' +
        'from which address, by which client, separated by tabs.',
    )
    .addHelpText('after', examples('pangolin-user list-tokens', 'pangolin-user list-tokens --all --json'))
    .action((options: TokenFilters) => listTokens(ctx(), options));
}

async function listTokens(ctx: Context, options: TokenFilters): Promise<void> {
  const { client } = await ctx.connect();
  const tokens = await ctx.working('Listing tokens', listFiltered(options, client.tokens.list));
  const hint = options.expired || options.revoked ? 'No such tokens.' : 'No tokens yet.';
  await printList(ctx, tokenColumns(ctx.edges.now()), tokens, `${hint} Mint one: pangolin-user get-token`);
}
