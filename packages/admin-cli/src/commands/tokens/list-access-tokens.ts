import type { Command } from '@commander-js/extra-typings';
import {
  addTokenFilters,
  type Column,
  type Context,
  examples,
  formatTime,
  listFiltered,
  printList,
  type TokenFilters,
  tokenStatus,
} from '@pangolin/shared/cli';
import type { Token } from '@pangolin/shared/contract';
import { principalFields } from './principal-fields.ts';

interface ListAccessTokensOptions extends TokenFilters {
  owner?: string;
}

/** `list-access-tokens`: everybody's personal tokens, the valid ones unless asked otherwise. */
export function registerListAccessTokens(program: Command, ctx: () => Context): void {
  addTokenFilters(program.command('list-access-tokens'))
    .summary("list everybody's personal tokens")
    .description(
      'Lists the valid personal tokens of the tenant, newest first. In a pipe: id, owner, name, status, who made it, ' +
        'expires, last used, description, created, last used from which address, by which client, separated by tabs.',
    )
    .option('--owner <user>', "only this user's or service user's, by name, id or URN")
    .addHelpText(
      'after',
      examples(
        'pangolin-admin list-access-tokens',
        'pangolin-admin list-access-tokens --owner ada --all',
        'pangolin-admin list-access-tokens --expired --json',
      ),
    )
    .action((options: ListAccessTokensOptions) => listAccessTokens(ctx(), options));
}

async function listAccessTokens(ctx: Context, { owner, ...filters }: ListAccessTokensOptions): Promise<void> {
  const { client } = await ctx.connect();
  const whose = owner === undefined ? {} : principalFields(owner);
  const listing = listFiltered(filters, (query) => client.tokens.listOfTenant({ ...query, ...whose }));
  const tokens = await ctx.working('Listing tokens', listing);
  const isNarrowed = filters.all || filters.expired || filters.revoked;
  const hint = isNarrowed ? 'No such tokens.' : 'No valid tokens. Expired and revoked ones too: --all';
  await printList(ctx, accessTokenColumns(ctx.edges.now()), tokens, hint);
}

const accessTokenColumns = (now: number): Column<Token>[] => [
  { title: 'ID', value: (token) => token.id },
  { title: 'OWNER', value: (token) => token.username },
  {
    title: 'NAME',
    value: (token) => token.name,
    terminal: (token) => token.name ?? token.description ?? '',
    flexible: true,
  },
  { title: 'STATUS', value: (token) => tokenStatus(token, now) },
  { title: 'CREATED BY', value: (token) => (token.created_by === null ? '(deleted)' : token.created_by) },
  {
    title: 'EXPIRES',
    value: (token) => token.expires_at ?? 'never',
    terminal: (token) => formatTime(token.expires_at ?? 'never'),
  },
  { title: 'LAST USED', value: (token) => token.last_used_at, terminal: (token) => formatTime(token.last_used_at) },
  { title: 'DESCRIPTION', value: (token) => token.description, terminal: null },
  { title: 'CREATED', value: (token) => token.created_at, terminal: null },
  { title: 'FROM', value: (token) => token.last_used_ip, terminal: null },
  { title: 'CLIENT', value: (token) => token.last_used_client, terminal: null },
];
