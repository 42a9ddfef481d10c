import { type Command, Option } from '@commander-js/extra-typings';
import {
  type Context,
  examples,
  fieldText,
  printIssuedToken,
  readLifetime,
  roleOption,
  scopeOption,
} from '@pangolin/shared/cli';
import type { IssuedToken } from '@pangolin/shared/contract';
import { principalFields } from './principal-fields.ts';
import { durationOption } from './read-duration.ts';

type Lifetime = ReturnType<typeof readLifetime>;

interface CreateAccessTokenOptions {
  for: string;
  name: string;
  description?: string;
  duration?: Lifetime;
  expiresIn?: Lifetime;
  scope?: string[];
  role?: string;
}

/** `create-access-token`: mints a token for somebody else and shows it once. */
export function registerCreateAccessToken(program: Command, ctx: () => Context): void {
  program
    .command('create-access-token')
    .summary('mint a token for a user or service user')
    .description(
      'Mints a token for a user or service user and prints it once: in a pipe the token on stdout, its id on stderr.',
    )
    .requiredOption('--for <user>', 'whose it is: a user or service user, by name, id or URN')
    .requiredOption('--name <name>', 'a short name for the token')
    .option('-d, --description <text>', 'what the token is for')
    .addOption(durationOption())
    .addOption(
      new Option('--expires-in <lifetime>', 'the same in days, or 90d, 12h, 15m, never')
        .argParser(readLifetime)
        .conflicts('duration'),
    )
    .addOption(scopeOption())
    .addOption(roleOption('at most theirs and yours (default: as much as both; tenant-user with embedded data)'))
    .addHelpText(
      'after',
      examples(
        'pangolin-admin create-access-token --for ada --name notebook --duration P30D',
        'pangolin-admin create-access-token --for etl-pipeline --name nightly --duration ONE_MONTH --scope catalog:read',
        'pangolin-admin create-access-token --for ada --name trial --expires-in 12h --json',
      ),
    )
    .action((options) => createAccessToken(ctx(), options));
}

async function createAccessToken(ctx: Context, options: CreateAccessTokenOptions): Promise<void> {
  const { client } = await ctx.connect({ createDataDir: true });
  const minting = client.tokens.create({
    ...principalFields(options.for),
    name: options.name,
    ...(options.description !== undefined && { description: options.description }),
    ...(options.duration ?? options.expiresIn),
    ...(options.scope && { scopes: options.scope }),
    ...(options.role !== undefined && { roles: [options.role] }),
  });
  const issued = await ctx.working('Minting a token', minting);
  await sayEnd(ctx, issued);
  await printIssuedToken(ctx, issued, {
    client,
    fields: { Id: issued.id, For: options.for },
    aside: `id: ${issued.id}`,
    remedy: `Revoke it: pangolin-admin revoke-token-by-id --id ${issued.id}`,
  });
}

/** Where nothing was asked for, how long it came to live. */
async function sayEnd(ctx: Context, { expiry_source: source, expires_at: expiresAt }: IssuedToken): Promise<void> {
  const end = fieldText(expiresAt);
  if (source === 'policy_default')
    await ctx.say(`The token expires at ${end}, as the policy has it where nothing is asked for.`);
  if (source === 'parent_credential')
    await ctx.say(`The token expires with the credential it was minted with, at ${end}.`);
}
