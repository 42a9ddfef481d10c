import type { Command } from '@commander-js/extra-typings';
import { type Context, examples } from '@pangolin/shared/cli';
import { addEventFilters, type EventFilterOptions, toFilter } from './event-filters.ts';

/** `count-audit-events`: how many there are. */
export function registerCountAuditEvents(program: Command, ctx: () => Context): void {
  addEventFilters(program.command('count-audit-events'))
    .summary('count audit events')
    .description('Prints how many audit events there are, of all or of those that the options name.')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin count-audit-events',
        'pangolin-admin count-audit-events --action login.refused --since 2027-01-01',
      ),
    )
    .action((options: EventFilterOptions) => countAuditEvents(ctx(), options));
}

async function countAuditEvents(ctx: Context, options: EventFilterOptions): Promise<void> {
  const { client } = await ctx.connect();
  const { count } = await ctx.working('Counting', client.audit.count(toFilter(options)));
  await ctx.print({ json: { count }, plain: `${count}\n` });
}
