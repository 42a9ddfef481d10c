import { type ErrorCode, PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import type { Context } from './catalog.ts';
import type { Prepared } from './change.ts';
import { formatIdentifier, joinLevels } from './identifiers.ts';
import { requireNamespace } from './objects.ts';
import { findTakenDirectory } from './places.ts';
import { findObject, insertObject, type ObjectRow, swapPointer, writeDirectories } from './store.ts';
import { requireWithin } from './warehouse/location.ts';

/** With these a database says that it did not commit; with others it says nothing. */
const NOT_COMMITTED: readonly ErrorCode[] = ['storage_busy', 'storage_full', 'storage_read_only'];

/**
 * Swaps the pointers of prepared changes in one transaction, or none of them; the files that were written for nothing are
 * deleted. Throws `lostRace` when one of them is not any more what it was, and `commit_state_unknown` when the database
 * did not say how it ended: then the files stay, since a pointer may lead to them.
 */
export async function swapPointers<M>(
  context: Context,
  changed: readonly Prepared<M>[],
  written: readonly string[],
  lostRace: PangolinError,
): Promise<void> {
  const { deps, caller } = context;
  let isDone = false;
  try {
    await transactAs(
      deps,
      caller,
      async (tx) => {
        isDone = false;
        for (const one of changed) await swap(tx, context, one, lostRace);
        isDone = true;
      },
      { credentials: 'unchanged' },
    );
  } catch (error) {
    if (!isDone || isRefused(error)) {
      await discard(context, written);
      throw isDuplicate(error) ? lostRace : error;
    }
    if (await isCommitted(context, changed)) return;
    throw new PangolinError('commit_state_unknown', 'It is not known whether the commit took effect.', {
      cause: error,
    });
  }
}

const isRefused = (error: unknown): boolean => error instanceof PangolinError && NOT_COMMITTED.includes(error.code);

async function swap<M>(tx: Executor, context: Context, one: Prepared<M>, lostRace: PangolinError): Promise<void> {
  const { deps, catalog } = context;
  const { change, row, base, next, named } = one;
  const [location = '', ...elsewhere] = listDirectories(one, next, catalog.warehouse.root);
  const taken = await findTakenDirectory(tx, context, named, row?.id ?? null);
  if (taken?.location === one.defaultLocation) throw lostRace;
  if (taken) {
    throw new PangolinError('invalid_request', `${taken.what} is in use by another table or view: ${taken.location}`);
  }
  const id = row?.id ?? deps.newId();
  const updated_at = deps.now();
  if (row) {
    const to = { metadata_location: one.file.location, location, updated_at };
    if (!(await swapPointer(tx, row, to))) throw lostRace;
  } else {
    await requireNamespace(tx, context, change.identifier.namespace);
    await insertObject(tx, createRow(context, one, { id, location, updated_at }));
  }
  const before = base ? listDirectories(one, base.metadata, catalog.warehouse.root) : [];
  const after = [location, ...elsewhere];
  if (before.join('\n') !== after.join('\n')) await writeDirectories(tx, catalog, id, after);
  await record(tx, context, one, id);
}

const listDirectories = <M>({ change }: Prepared<M>, metadata: M, root: string): string[] => [
  ...new Set(change.format.directoriesOf(metadata).map((location) => requireWithin(root, location, 'A directory'))),
];

const createRow = <M>(
  { catalog }: Context,
  { change, file }: Prepared<M>,
  given: Pick<ObjectRow, 'id' | 'location' | 'updated_at'>,
): ObjectRow => ({
  ...given,
  tenant_id: catalog.tenantId,
  catalog_id: catalog.catalogId,
  namespace_path: joinLevels(change.identifier.namespace),
  name: change.identifier.name,
  kind: change.format.kind,
  metadata_location: file.location,
  previous_metadata_location: null,
  version: 0,
  created_at: given.updated_at,
});

function record<M>(tx: Executor, { deps, catalog, caller }: Context, { change, file }: Prepared<M>, id: string) {
  const { namespace, name } = change.identifier;
  return recordAudit(tx, deps, caller, {
    action: change.action,
    resourceType: change.format.kind,
    resourceId: id,
    resourceName: formatIdentifier({ namespace: [catalog.name, ...namespace], name }),
    details: { ...change.details, metadata_location: file.location },
  });
}

async function isCommitted<M>({ deps, catalog }: Context, changed: readonly Prepared<M>[]): Promise<boolean> {
  try {
    for (const { change, file } of changed) {
      const { namespace, name } = change.identifier;
      const row = await findObject(deps.db.read, catalog, joinLevels(namespace), name);
      if (row?.metadata_location !== file.location) return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** Deletes files that no pointer leads to; one that cannot be deleted is only in the way. */
export async function discard({ deps, catalog }: Context, written: readonly string[]): Promise<void> {
  if (written.length === 0) return;
  await catalog.warehouse.remove(written).catch((err) => deps.log.warn({ err }, 'metadata file not deleted'));
}
