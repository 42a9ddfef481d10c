import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printIssuedToken, readLifetime, roleOption, scopeOption } from '@pangolin/shared/cli';

interface GetTokenOptions {
  description?: string;
  name?: string;
  expiresIn?: ReturnType<typeof readLifetime>;
  scope?: string[];
  role?: string;
}

/** `get-token`: mints a token for oneself and shows it once. */
export function registerGetToken(program: Command, ctx: () => Context): void {
  program
    .command('get-token')
    .summary('mint a token for yourself')
    .description('Mints a token for yourself and prints it once: in a pipe the token and nothing else.')
    .option('-d, --description <text>', 'what the token is for (default: where it is minted)')
    .option('--name <name>', 'a short name for the token')
    .option(
      '--expires-in <lifetime>',
      "days, or 90d, 12h, 15m, never where the policy allows it (default: the policy's)",
      readLifetime,
    )
    .addOption(scopeOption())
    .addOption(roleOption('at most your own role (default: your own; tenant-user with embedded data)'))
    .addHelpText(
      'after',
      examples(
        'pangolin-user get-token',
        'pangolin-user get-token --description "PyIceberg automation" --expires-in 90',
        'pangolin-user get-token --scope catalog:read --expires-in 12h --json',
        'pangolin-user get-token --scope catalog:read:default.sales catalog:write:default.sales.eu',
      ),
    )
    .action((options) => getToken(ctx(), options));
}

async function getToken(ctx: Context, options: GetTokenOptions): Promise<void> {
  const { client } = await ctx.connect({ createDataDir: true });
  const minting = client.tokens.create({
    description: options.description ?? describePlace(ctx),
    ...options.expiresIn,
    ...(options.name !== undefined && { name: options.name }),
    ...(options.scope && { scopes: options.scope }),
    ...(options.role !== undefined && { roles: [options.role] }),
  });
  const issued = await ctx.working('Minting a token', minting);
  if (issued.expiry_source === 'parent_credential' && !options.expiresIn) {
    await ctx.say(`The token expires with the credential it was minted with, at ${issued.expires_at}.`);
  }
  await printIssuedToken(ctx, issued, {
    client,
    remedy: `Revoke it: pangolin-user revoke-token --id ${issued.id}`,
  });
}

function describePlace({ edges }: Context): string {
  const { GITHUB_ACTIONS, GITHUB_REPOSITORY, GITHUB_WORKFLOW, GITHUB_RUN_ID } = edges.env;
  if (GITHUB_ACTIONS !== 'true') return `${edges.accountName}@${edges.hostName}`;
  return ['GitHub Actions', GITHUB_REPOSITORY, GITHUB_WORKFLOW, GITHUB_RUN_ID].filter(Boolean).join(' ');
}
