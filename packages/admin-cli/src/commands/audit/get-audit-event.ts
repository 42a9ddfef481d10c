import type { Command } from '@commander-js/extra-typings';
import { type Context, examples, printObject, readUuid } from '@pangolin/shared/cli';
import { chainOption } from './event-filters.ts';

/** `get-audit-event`: everything that is on record about one event. */
export function registerGetAuditEvent(program: Command, ctx: () => Context): void {
  program
    .command('get-audit-event')
    .summary('show an audit event')
    .description('Shows everything that is on record about one audit event.')
    .argument('<id>', 'its id: the last column of list-audit-events in a pipe', readUuid)
    .addOption(chainOption())
    .addHelpText('after', examples('pangolin-admin get-audit-event 0198c5a4-7d5e-7c3b-9a52-3f1f2f0f8a11'))
    .action((id, options) => getAuditEvent(ctx(), id, options));
}

async function getAuditEvent(ctx: Context, id: string, { chain }: { chain?: 'system' }): Promise<void> {
  const { client } = await ctx.connect();
  const event = await ctx.working('Asking the server', client.audit.get(id, chain === undefined ? {} : { chain }));
  await printObject(ctx, event, { ...event, details: JSON.stringify(event.details) });
}
