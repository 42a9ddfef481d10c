import { type Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import {
  type Column,
  type Context,
  examples,
  formatTime,
  printList,
  readUuid,
  readWholeNumber,
} from '@pangolin/shared/cli';
import type { AuditEvent } from '@pangolin/shared/contract';

interface ListAuditEventsOptions {
  userId?: string;
  action?: string;
  resourceType?: string;
  result?: 'success' | 'failure';
  since?: string;
  until?: string;
  limit: number;
  all?: true;
}

/** `list-audit-events`: who did what, newest first. */
export function registerListAuditEvents(program: Command, ctx: () => Context): void {
  program
    .command('list-audit-events')
    .summary('list who did what, newest first')
    .description(
      'Lists audit events, newest first. In a pipe: seq, time, username, action, resource type, resource id, ' +
        'resource name, result, address, credential type, credential id, event id, separated by tabs.',
    )
    .option('--user-id <uuid>', 'by this principal', readUuid)
    .option('--action <action>', 'such as token.created')
    .option('--resource-type <type>', 'such as service_user')
    .addOption(new Option('--result <result>', 'how it ended').choices(['success', 'failure'] as const))
    .option('--since <time>', 'not before this day (UTC) or RFC 3339 time', readMoment)
    .option('--until <time>', 'before this day (UTC) or RFC 3339 time', readMoment)
    .option('--limit <count>', 'at most this many', readWholeNumber, 100)
    .option('--all', 'all of them')
    .addHelpText(
      'after',
      examples(
        'pangolin-admin list-audit-events --action token.revoked --since 2027-01-01',
        'pangolin-admin list-audit-events --result failure --limit 20 --json',
      ),
    )
    .action((options) => listAuditEvents(ctx(), options));
}

function readMoment(value: string): string {
  const moment = new Date(value.trim());
  if (!/^\d{4}-\d{2}-\d{2}(?:[Tt].*(?:[Zz]|[+-]\d{2}:\d{2}))?$/.test(value.trim()) || Number.isNaN(moment.getTime())) {
    throw new InvalidArgumentError('Give a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z.');
  }
  return moment.toISOString();
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
  const { userId, action, resourceType, result, since, until } = filters;
  const listing = client.audit.list({
    ...(all ? { all: true } : { limit }),
    ...(userId !== undefined && { user_id: userId }),
    ...(action !== undefined && { action }),
    ...(resourceType !== undefined && { resource_type: resourceType }),
    ...(result !== undefined && { result }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  });
  const events = await ctx.working('Reading the audit log', listing);
  await printList(ctx, COLUMNS, events, 'No such events. All of them: pangolin-admin list-audit-events --all');
}
