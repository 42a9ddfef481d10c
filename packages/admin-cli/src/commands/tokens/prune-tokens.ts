import type { Command } from '@commander-js/extra-typings';
import {
  type Column,
  type Context,
  confirmDestruction,
  examples,
  formatTime,
  printList,
  readDays,
} from '@pangolin/shared/cli';
import type { PrunedTokens } from '@pangolin/shared/contract';

interface PruneTokensOptions {
  unusedFor: number;
  dryRun?: true;
  yes?: true;
}

/** `prune-tokens`: an end to what nobody uses. */
export function registerPruneTokens(program: Command, ctx: () => Context): void {
  program
    .command('prune-tokens')
    .summary('revoke tokens that nobody uses')
    .description(
      'Revokes the tokens of the tenant that nobody used for so long; one that was never used counts from its ' +
        'creation. In a pipe: id, kind, whose, name, description, created, expires, last used, separated by tabs.',
    )
    .requiredOption('--unused-for <days>', 'for how long nobody used them, such as 90d', readDays)
    .option('--dry-run', 'revoke nothing; tell which would be')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin prune-tokens --unused-for 90d --dry-run',
        'pangolin-admin prune-tokens --unused-for 365d --yes',
      ),
    )
    .action((options) => pruneTokens(ctx(), options));
}

async function pruneTokens(ctx: Context, options: PruneTokensOptions): Promise<void> {
  const { client } = await ctx.connect();
  const look = () => client.tokens.prune({ unused_for_days: options.unusedFor, dry_run: true });
  const seen = await ctx.working('Looking for tokens that nobody uses', look());
  if (options.dryRun || seen.count === 0) return printPruned(ctx, seen, options.unusedFor);
  // A person sees what it is about before the question, and not once more after it.
  const isSeen = ctx.terminal && !options.yes;
  if (isSeen) await printList(ctx, COLUMNS, seen.tokens, '');
  const question = `Revoke ${counted(seen.count)} that nobody used for ${countedDays(options.unusedFor)}?`;
  if (!(await confirmDestruction(ctx, options, question))) return;
  // As of the same moment: nothing is revoked that was not in the list.
  const pruning = client.tokens.prune({ unused_since: seen.unused_since });
  const pruned = await ctx.working('Revoking', pruning);
  if (isSeen) await sayPruned(ctx, pruned);
  else await printPruned(ctx, pruned, options.unusedFor);
}

async function printPruned(ctx: Context, answer: PrunedTokens, days: number): Promise<void> {
  if (ctx.flags.json) return ctx.print({ json: answer, plain: '' });
  const nothing = `There is no token that nobody used for ${countedDays(days)}.`;
  await printList(ctx, COLUMNS, answer.tokens, nothing);
  if (answer.count > 0) await sayPruned(ctx, answer);
}

async function sayPruned(ctx: Context, answer: PrunedTokens): Promise<void> {
  const { count, revoked_count: revoked, dry_run: dryRun, tokens } = answer;
  const unlisted = count > tokens.length ? ` The first ${tokens.length} are listed.` : '';
  const obtained = revoked > count ? `, and ${revoked - count} that had been obtained with them` : '';
  await ctx.say(
    dryRun ? `${counted(count)} would be revoked.${unlisted}` : `Revoked ${counted(count)}${obtained}.${unlisted}`,
  );
}

const counted = (count: number): string => (count === 1 ? '1 token' : `${count} tokens`);

const countedDays = (days: number): string => (days === 1 ? 'a day' : `${days} days`);

const COLUMNS: Column<PrunedTokens['tokens'][number]>[] = [
  { title: 'ID', value: (token) => token.id },
  { title: 'KIND', value: (token) => token.kind },
  { title: 'WHOSE', value: (token) => token.username },
  { title: 'NAME', value: (token) => token.name, terminal: null },
  {
    title: 'DESCRIPTION',
    value: (token) => token.description,
    terminal: (token) => token.name ?? token.description ?? '',
    flexible: true,
  },
  { title: 'CREATED', value: (token) => token.created_at, terminal: (token) => formatTime(token.created_at) },
  { title: 'EXPIRES', value: (token) => token.expires_at ?? 'never', terminal: null },
  {
    title: 'LAST USED',
    value: (token) => token.last_used_at,
    terminal: (token) => formatTime(token.last_used_at ?? 'never'),
  },
];
