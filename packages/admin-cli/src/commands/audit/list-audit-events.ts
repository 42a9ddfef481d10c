import type { Command } from '@commander-js/extra-typings';
import { type Column, type Context, examples, formatTime, printList, readWholeNumber } from '@pangolin/shared/cli';
import type { AuditEvent } from '@pangolin/shared/contract';
import { addEventFilters, type EventFilterOptions, toFilter } from './event-filters.ts';

interface ListAuditEventsOptions extends EventFilterOptions {
  limit: number;
  all?: true;
}

/** `list-audit-events`: who did what, newest first. */
export function registerListAuditEvents(program: Command, ctx: () => Context): void {
  addEventFilters(program.command('list-audit-events'))
    .summary('list who did what, newest first')
    .description(
      'Lists audit events, newest first. In a pipe: seq, time, username, action, resource type, resource id, ' +
        'resource name, result, address, credential type, credential id, event id, separated by tabs.',
    )
    .option('--limit <count>', 'at most this many', readWholeNumber, 100)
    .option('--all', 'all of them')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin list-audit-events --action token.revoked --since 2027-01-01',
        'pangolin-admin list-audit-events --result failure --limit 20 --json',
      ),
    )
    .action((options: ListAuditEventsOptions) => listAuditEvents(ctx(), options));
}

const COLUMNS: Column<AuditEvent>[] = [
  { title: 'SEQ', value: (event) => event.seq, terminal: null },
  { title: 'TIME', value: (event) => event.time, terminal: (event) => formatTime(event.time) },
  { title: 'WHO', value: (event) => event.username },
  { title: 'ACTION', value: (event) => event.action },
  { title: 'TYPE', value: (event) => event.resource_type, terminal: null },
  { title: 'RESOURCE', value: (event) => event.resource_id, terminal: null },
  {
    title: 'ON WHAT',
    value: (event) => event.resource_name,
    terminal: (event) => event.resource_name ?? event.resource_id ?? '',
    flexible: true,
  },
  { title: 'RESULT', value: (event) => event.result },
  { title: 'FROM', value: (event) => event.ip },
  { title: 'CREDENTIAL', value: (event) => event.credential_type },
  { title: 'CREDENTIAL ID', value: (event) => event.credential_id, terminal: null },
  { title: 'ID', value: (event) => event.id, terminal: null },
];

async function listAuditEvents(ctx: Context, { limit, all, ...filters }: ListAuditEventsOptions): Promise<void> {
  const { client } = await ctx.connect();
  const listing = client.audit.list({ ...(all ? { all: true } : { limit }), ...toFilter(filters) });
  const events = await ctx.working('Reading the audit log', listing);
  await printList(ctx, COLUMNS, events, 'No such events. All of them: pangolin-admin list-audit-events --all');
}
