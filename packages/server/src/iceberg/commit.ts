import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { monotonicMs } from '../times.ts';
import type { Context } from './catalog.ts';
import { confineLocations } from './confine.ts';
import { formatIdentifier, type Identifier, joinLevels } from './identifiers.ts';
import type { MetadataFile } from './metadata-files.ts';
import type { NamedLocation, ObjectFormat } from './object-format.ts';
import { type CatalogObject, nameTaken, requireKind, requireNamespace } from './objects.ts';
import { chooseLocation, findTakenDirectory } from './places.ts';
import { findObject, insertObject, type ObjectRow, swapPointer } from './store.ts';
import { requireWithin } from './warehouse/location.ts';

/** What a change is made from. */
export interface Given {
  nowMs: number;
  newUuid: string;
  /** Where the object is put if nobody says. */
  defaultLocation: string;
}

/** A change to one table or view. */
export interface Change<M> {
  format: ObjectFormat<M>;
  identifier: Identifier;
  /** Makes the object, which then must not be there; changes it, which then must; or puts it there whatever there is. */
  mode: 'create' | 'update' | 'put';
  /** The audit event. */
  action: string;
  details?: Record<string, unknown>;
  /** What is there now, or null; answers what is to be. The same object: nothing changes. */
  apply(base: MetadataFile<M> | null, given: Given): M;
  /** Files that nothing leads to any more once the change is committed. */
  outdated?(base: MetadataFile<M>, next: M): readonly string[];
  /** What to say when the name is taken by an object of the same kind. */
  taken?: PangolinError;
  /** A file that exists already and is to be the pointer, instead of a new one. */
  existingFile?: MetadataFile<M>;
}

/** How long a commit goes on against other processes' writers. */
const PATIENCE_MS = 10_000;
const MAX_BACKOFF_MS = 30;

/** Another process was faster: everything is looked at once more. */
class LostRace extends Error {}

interface Prepared<M> {
  change: Change<M>;
  row: ObjectRow | null;
  base: MetadataFile<M> | null;
  next: M;
  named: NamedLocation[];
  defaultLocation: string;
  file: MetadataFile<M>;
}

/**
 * Commits changes to tables or views, all of them or none: writes new metadata files, then swaps every pointer in one
 * transaction, if they still are what the changes were made from. When another process was faster, the changes are made
 * again, from what is there now.
 * Throws `…_not_found`, `already_exists`, `commit_failed`, and `commit_state_unknown` when the database did not say.
 */
export async function commitChanges<M>(context: Context, changes: readonly Change<M>[]): Promise<CatalogObject<M>[]> {
  const { deps, catalog } = context;
  const keys = changes.map(({ identifier }) => lockKey(catalog.catalogId, identifier));
  return deps.iceberg.locks.run(keys, async () => {
    const deadline = monotonicMs() + PATIENCE_MS;
    for (let attempt = 1; monotonicMs() < deadline; attempt += 1) {
      try {
        return await commitOnce(context, changes);
      } catch (error) {
        if (!(error instanceof LostRace)) throw error;
      }
      const waitMs = ((deps.randomBytes(1)[0] ?? 0) / 255) * Math.min(MAX_BACKOFF_MS, 2 ** attempt);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    const [first] = changes;
    throw new PangolinError(
      'commit_failed',
      `Cannot commit to ${first ? formatIdentifier(first.identifier) : ''}: too many others do; try again.`,
    );
  });
}

/** Commits a change to one table or view. */
export async function commitChange<M>(context: Context, change: Change<M>): Promise<CatalogObject<M>> {
  const [committed] = await commitChanges(context, [change]);
  return committed as CatalogObject<M>;
}

/** What writers of one table or view queue under. */
export const lockKey = (catalogId: string, { namespace, name }: Identifier): string =>
  `${catalogId} ${joinLevels(namespace)}\n${name}`;

async function commitOnce<M>(context: Context, changes: readonly Change<M>[]): Promise<CatalogObject<M>[]> {
  const { deps } = context;
  const written: string[] = [];
  const prepared: Prepared<M>[] = [];
  try {
    for (const change of changes) prepared.push(await prepare(context, change));
    for (const one of prepared.filter(isChanged)) await writeFile(context, one, written);
  } catch (error) {
    await discard(context, written);
    throw error;
  }
  const changed = prepared.filter(isChanged).sort(byPlace);
  if (changed.length > 0) await swapPointers(context, changed, written);
  const outdated = changed.flatMap(({ change, base, next }) => (base && change.outdated?.(base, next)) ?? []);
  deps.iceberg.background.add(discard(context, outdated));
  return prepared.map((one) => ({
    identifier: one.change.identifier,
    row: { ...(one.row as ObjectRow), metadata_location: one.file.location },
    file: one.file,
  }));
}

async function prepare<M>(context: Context, change: Change<M>): Promise<Prepared<M>> {
  const { deps, catalog } = context;
  const { format, identifier } = change;
  const row = (await findObject(deps.db.read, catalog, joinLevels(identifier.namespace), identifier.name)) ?? null;
  if (row && (change.mode === 'create' || row.kind !== format.kind) && change.mode !== 'update') {
    throw row.kind === format.kind && change.taken ? change.taken : nameTaken(format, identifier, row);
  }
  if (change.mode === 'update') requireKind(format, identifier, row ?? undefined);
  if (!row) await requireNamespace(deps.db.read, context, identifier.namespace);
  const base =
    row && change.mode === 'update'
      ? await deps.iceberg.files.read(catalog.warehouse, format, row.metadata_location)
      : null;
  const defaultLocation = row ? row.location : await chooseLocation(context, identifier);
  const given = { nowMs: deps.now(), newUuid: deps.newUuid(), defaultLocation };
  const next = change.apply(base, given);
  const named = next === base?.metadata ? [] : format.newLocations(next, base?.metadata ?? null);
  confineLocations(context, identifier.namespace, named, [defaultLocation]);
  const file = change.existingFile ?? base ?? { location: '', metadata: next, text: '', tag: '' };
  return { change, row, base, next, named, defaultLocation, file };
}

const isChanged = <M>({ base, next }: Prepared<M>): boolean => next !== base?.metadata;

/** Rows are taken in one order everywhere, so that two transactions never wait for each other. */
const byPlace = <M>(a: Prepared<M>, b: Prepared<M>): number =>
  lockKey('', a.change.identifier) < lockKey('', b.change.identifier) ? -1 : 1;

async function writeFile<M>({ deps, catalog }: Context, one: Prepared<M>, written: string[]): Promise<void> {
  const { change, next, row } = one;
  if (change.existingFile) return;
  const location = change.format.fileLocation(next, row?.metadata_location ?? null, deps.newUuid());
  written.push(location);
  one.file = await deps.iceberg.files.create(catalog.warehouse, change.format, location, next);
}

async function swapPointers<M>(context: Context, changed: readonly Prepared<M>[], written: readonly string[]) {
  const { deps, caller } = context;
  try {
    await transactAs(
      deps,
      caller,
      async (tx) => {
        for (const one of changed) await swap(tx, context, one);
      },
      { credentials: 'unchanged' },
    );
  } catch (error) {
    if (error instanceof LostRace || isDuplicate(error)) {
      await discard(context, written);
      throw new LostRace();
    }
    if (isRolledBack(error)) {
      await discard(context, written);
      throw error;
    }
    if (!(await isCommitted(context, changed))) {
      // The files stay: a pointer may lead to them after all.
      throw new PangolinError('commit_state_unknown', 'It is not known whether the commit took effect.', {
        cause: error,
      });
    }
  }
}

async function swap<M>(tx: Executor, context: Context, one: Prepared<M>): Promise<void> {
  const { deps, catalog, caller } = context;
  const { change, file, named } = one;
  const { format, identifier } = change;
  const nowMs = deps.now();
  const id = one.row?.id ?? deps.newId();
  const location = requireWithin(catalog.warehouse.root, format.locationOf(one.next), 'The location');
  const taken = await findTakenDirectory(tx, context, named, one.row?.id ?? null);
  if (taken?.location === one.defaultLocation) throw new LostRace();
  if (taken) {
    throw new PangolinError('invalid_request', `${taken.what} is in use by another table or view: ${taken.location}`);
  }
  if (one.row) {
    const to = { metadata_location: file.location, location, updated_at: nowMs };
    if (!(await swapPointer(tx, one.row, to))) throw new LostRace();
  } else {
    await requireNamespace(tx, context, identifier.namespace);
    one.row = {
      id,
      tenant_id: catalog.tenantId,
      catalog_id: catalog.catalogId,
      namespace_path: joinLevels(identifier.namespace),
      name: identifier.name,
      kind: format.kind,
      location,
      metadata_location: file.location,
      previous_metadata_location: null,
      version: 0,
      created_at: nowMs,
      updated_at: nowMs,
    };
    await insertObject(tx, one.row);
  }
  await recordAudit(tx, deps, caller, {
    action: change.action,
    resourceType: format.kind,
    resourceId: id,
    resourceName: formatIdentifier({ namespace: [catalog.name, ...identifier.namespace], name: identifier.name }),
    details: { ...change.details, metadata_location: file.location },
  });
}

/** Whether an error means that nothing was committed: all do but a database that failed or went away in between. */
const isRolledBack = (error: unknown): boolean =>
  error instanceof PangolinError && error.code !== 'storage_damaged' && error.code !== 'unavailable';

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

/** Files that no pointer leads to; one that cannot be deleted is only in the way. */
async function discard({ deps, catalog }: Context, written: readonly string[]): Promise<void> {
  if (written.length === 0) return;
  await catalog.warehouse.remove(written).catch((err) => deps.log.warn({ err }, 'metadata file not deleted'));
}
