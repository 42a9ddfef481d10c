import { type Command, Option } from '@commander-js/extra-typings';
import { type Context, examples, printList, tokenColumns, type WireClient } from '@pangolin/shared/cli';
import type { Token } from '@pangolin/shared/contract';

interface ListTokensOptions {
  all?: true;
  expired?: true;
  revoked?: true;
}

/** `list-tokens`: one's own tokens, the valid ones unless asked otherwise. */
export function registerListTokens(program: Command, ctx: () => Context): void {
  program
    .command('list-tokens')
    .summary('list your tokens')
    .description(
      'Lists your valid tokens. In a pipe: id, status, kind, name, description, created, expires, last used, ' +
        'from which address, by which client, separated by tabs.',
    )
    .addOption(new Option('--all', 'expired and revoked ones too').conflicts(['expired', 'revoked']))
    .option('--expired', 'only expired ones')
    .option('--revoked', 'only revoked ones')
    .addHelpText('after', examples('pangolin-user list-tokens', 'pangolin-user list-tokens --all --json'))
    .action((options) => listTokens(ctx(), options));
}

async function listTokens(ctx: Context, options: ListTokensOptions): Promise<void> {
  const { client } = await ctx.connect();
  const tokens = await ctx.working('Listing tokens', readTokens(client, options));
  const hint = options.expired || options.revoked ? 'No such tokens.' : 'No tokens yet.';
  await printList(ctx, tokenColumns(ctx.edges.now()), tokens, `${hint} Mint one: pangolin-user get-token`);
}

async function readTokens(client: WireClient, { all, expired, revoked }: ListTokensOptions): Promise<Token[]> {
  if (all) return client.tokens.list({ all: true });
  if (!expired && !revoked) return client.tokens.list({ all: true, status: 'valid' });
  const lists = [
    ...(expired ? await client.tokens.list({ all: true, status: 'expired' }) : []),
    ...(revoked ? await client.tokens.list({ all: true, status: 'revoked' }) : []),
  ];
  return [...new Map(lists.map((token) => [token.id, token])).values()];
}
