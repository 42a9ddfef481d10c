import { type CommandUnknownOpts, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { readUuid } from '@pangolin/shared/cli';
import type { AuditFilter } from '@pangolin/shared/contract';

/** What the options below read. */
export interface EventFilterOptions {
  chain?: 'system';
  userId?: string;
  action?: string;
  resourceType?: string;
  result?: 'success' | 'failure';
  since?: string;
  until?: string;
}

/** `--chain system`: what belongs to no tenant. */
export const chainOption = () =>
  new Option(
    '--chain <chain>',
    'system: what belongs to no tenant, such as tenants and signing keys; for root',
  ).choices(['system'] as const);

/** The options that say which events are meant. */
export function addEventFilters<C extends CommandUnknownOpts>(command: C): C {
  command
    .addOption(chainOption())
    .option('--user-id <uuid>', 'by this principal', readUuid)
    .option('--action <action>', 'such as token.created')
    .option('--resource-type <type>', 'such as service_user')
    .addOption(new Option('--result <result>', 'how it ended').choices(['success', 'failure'] as const))
    .option('--since <time>', 'not before this day (UTC) or RFC 3339 time', readMoment)
    .option('--until <time>', 'before this day (UTC) or RFC 3339 time', readMoment);
  return command;
}

/** The same in the fields of the wire. */
export function toFilter(options: EventFilterOptions): AuditFilter {
  const { chain, userId, action, resourceType, result, since, until } = options;
  return {
    ...(chain !== undefined && { chain }),
    ...(userId !== undefined && { user_id: userId }),
    ...(action !== undefined && { action }),
    ...(resourceType !== undefined && { resource_type: resourceType }),
    ...(result !== undefined && { result }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  };
}

function readMoment(value: string): string {
  const moment = new Date(value.trim());
  if (!/^\d{4}-\d{2}-\d{2}(?:[Tt].*(?:[Zz]|[+-]\d{2}:\d{2}))?$/.test(value.trim()) || Number.isNaN(moment.getTime())) {
    throw new InvalidArgumentError('Give a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z.');
  }
  return moment.toISOString();
}

/** `1 event`, `2 events`. */
export const countEvents = (count: number): string => `${count} ${count === 1 ? 'event' : 'events'}`;
