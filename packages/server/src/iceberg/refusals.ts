import { PangolinError } from '@pangolin/shared/errors';
import { createAuditEvent, toSource } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import type { IcebergEndpoint, IcebergRequest } from './answer.ts';
import { readSegment, splitLevels } from './identifiers.ts';
import type { IcebergPath } from './paths.ts';

const MAX_NAME_LENGTH = 500;

/**
 * Records that a change was not made: whose, of what, and why. A database that cannot record it has been reason enough to
 * refuse already.
 */
export async function recordRefusal(
  { deps, caller }: { deps: Deps; caller: Caller },
  action: NonNullable<IcebergEndpoint['action']>,
  { path, about }: { path: IcebergPath; about: IcebergRequest['about'] },
  error: unknown,
): Promise<void> {
  const [resourceType = ''] = action.split('.');
  const event = {
    action,
    resourceType,
    resourceId: null,
    resourceName: [path.catalog ?? '', ...nameParts(path, about)].join('.').slice(0, MAX_NAME_LENGTH),
    result: 'failure' as const,
    details: { reason: error instanceof PangolinError ? error.code : 'internal_error' },
  };
  const { tenantId } = caller.actor;
  await deps.db
    .transact(
      (tx) =>
        createAuditEvent(tx, {
          id: deps.newId(),
          time: deps.now(),
          chain: tenantId,
          tenantId,
          by: toSource(caller),
          event,
        }),
      {
        credentials: 'unchanged',
      },
    )
    .catch((err) => deps.log.warn({ err, request_id: caller.origin.requestId }, 'refusal not recorded'));
}

/** What the change is about: as far as it was read, else as far as the path says. */
function nameParts({ namespace, object }: IcebergPath, about: IcebergRequest['about']): readonly string[] {
  if (about !== null) return 'name' in about ? [...about.namespace, about.name] : about;
  try {
    const [levels = ''] = readSegment(namespace);
    const [name = ''] = readSegment(object);
    return [...splitLevels(levels), name].filter((part) => part !== '');
  } catch {
    return [];
  }
}
