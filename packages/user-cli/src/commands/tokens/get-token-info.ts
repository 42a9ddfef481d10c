import { Argument, type Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject, readUuid, tokenFields } from '@pangolin/shared/cli';

/** `get-token-info`: everything known about one token, never the token itself. */
export function registerGetTokenInfo(program: Command, ctx: () => Context): void {
  program
    .command('get-token-info')
    .summary('show one of your tokens')
    .description('Shows what is known about a token of yours: lifetime, last use, and whether it is valid.')
    .addArgument(new Argument('<id>', "the token's id").argParser(readUuid))
    .addHelpText('after', examples('pangolin-user get-token-info 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11'))
    .action((id) => getTokenInfo(ctx(), id));
}

async function getTokenInfo(ctx: Context, id: string): Promise<void> {
  const { client } = await ctx.connect();
  const token = await ctx.working('Asking the server', client.tokens.get(id));
  await printObject(ctx, token, tokenFields(token, ctx.edges.now()));
}
