import { PangolinError } from '@pangolin/shared/errors';
import { monotonicMs } from '../times.ts';
import type { Context } from './catalog.ts';
import type { Change, Prepared } from './change.ts';
import { confineLocations } from './confine.ts';
import { formatIdentifier, type Identifier, joinLevels } from './identifiers.ts';
import type { MetadataFile } from './metadata-files.ts';
import { nameTaken, requireKind, requireNamespace } from './objects.ts';
import { chooseLocation } from './places.ts';
import { findObject } from './store.ts';
import { discard, swapPointers } from './swap-pointers.ts';

/** How long a commit goes on against other processes' writers. */
const PATIENCE_MS = 10_000;
const MAX_BACKOFF_MS = 30;

const FILES_AT_ONCE = 8;

/**
 * Commits changes to tables or views, all of them or none: writes new metadata files, then swaps every pointer in one
 * transaction, if they still are what the changes were made from. When another process was faster, the changes are made
 * again, from what is there now. Answers what each pointer leads to.
 * Throws `…_not_found`, `already_exists`, `commit_failed`, and `commit_state_unknown` when the database did not say.
 */
export async function commitChanges<M>(context: Context, changes: readonly Change<M>[]): Promise<MetadataFile<M>[]> {
  const { deps, catalog } = context;
  const keys = changes.map(({ identifier }) => lockKey(catalog.catalogId, identifier));
  return deps.iceberg.locks.run(keys, async () => {
    const deadline = monotonicMs() + PATIENCE_MS;
    for (let attempt = 1; ; attempt += 1) {
      const lostRace = loseRace(changes);
      try {
        return await commitOnce(context, changes, lostRace);
      } catch (error) {
        if (error !== lostRace || monotonicMs() >= deadline) throw error;
      }
      const waitMs = ((deps.randomBytes(1)[0] ?? 0) / 255) * Math.min(MAX_BACKOFF_MS, 2 ** attempt);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  });
}

/** What an attempt fails with when another process was faster; everything is then looked at once more. */
const loseRace = <M>(changes: readonly Change<M>[]): PangolinError =>
  new PangolinError(
    'commit_failed',
    `Cannot commit to ${changes.map(({ identifier }) => formatIdentifier(identifier)).join(', ')}: others keep doing so.`,
  );

/** Commits a change to one table or view. */
export async function commitChange<M>(context: Context, change: Change<M>): Promise<MetadataFile<M>> {
  const [committed] = await commitChanges(context, [change]);
  return committed as MetadataFile<M>;
}

/** What writers of one table or view queue under. */
export const lockKey = (catalogId: string, { namespace, name }: Identifier): string =>
  `${catalogId} ${joinLevels(namespace)}\n${name}`;

async function commitOnce<M>(
  context: Context,
  changes: readonly Change<M>[],
  lostRace: PangolinError,
): Promise<MetadataFile<M>[]> {
  const { deps } = context;
  const written: string[] = [];
  const prepared: Prepared<M>[] = [];
  try {
    for (const change of changes) prepared.push(await prepare(context, change));
    await writeFiles(context, prepared.filter(isChanged), written);
  } catch (error) {
    await discard(context, written);
    throw error;
  }
  const changed = prepared.filter(isChanged).sort(byPlace);
  if (changed.length > 0) await swapPointers(context, changed, written, lostRace);
  const outdated = changed.flatMap(({ change, base, next }) => (base && change.outdated?.(base, next)) ?? []);
  deps.iceberg.background.add(discard(context, outdated));
  return prepared.map(({ file }) => file);
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

/** A few at a time: each is made durable by itself. */
async function writeFiles<M>(context: Context, changed: readonly Prepared<M>[], written: string[]): Promise<void> {
  for (let i = 0; i < changed.length; i += FILES_AT_ONCE) {
    const writing = changed.slice(i, i + FILES_AT_ONCE).map((one) => writeFile(context, one, written));
    const outcomes = await Promise.allSettled(writing);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}

async function writeFile<M>({ deps, catalog }: Context, one: Prepared<M>, written: string[]): Promise<void> {
  const { change, next, row } = one;
  if (change.existingFile) return;
  const location = change.format.fileLocation(next, row?.metadata_location ?? null, deps.newUuid());
  written.push(location);
  one.file = await deps.iceberg.files.create(catalog.warehouse, change.format, location, next);
}
