import { PangolinError } from '@pangolin/shared/errors';
import { monotonicMs } from '../times.ts';
import type { Context } from './catalog.ts';
import { type Change, lockKey, type Prepared } from './change.ts';
import type { Expected } from './commit-chains.ts';
import { formatIdentifier } from './identifiers.ts';
import type { MetadataFile } from './metadata-files.ts';
import { isChanged, prepareChanges } from './prepare-changes.ts';
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
  const deadline = monotonicMs() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    const lostRace = loseRace(changes);
    try {
      return await commitOnce(context, changes, lostRace);
    } catch (error) {
      if (error !== lostRace || monotonicMs() >= deadline) throw error;
    }
    const waitMs = ((context.deps.randomBytes(1)[0] ?? 0) / 255) * Math.min(MAX_BACKOFF_MS, 2 ** attempt);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
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

/** Changes to one table are made in turn, each from the one before; their files are written at the same time. */
async function commitOnce<M>(
  context: Context,
  changes: readonly Change<M>[],
  lostRace: PangolinError,
): Promise<MetadataFile<M>[]> {
  const { locks, chains } = context.deps.iceberg;
  const keys = changes.map(({ identifier }) => lockKey(context.catalog.catalogId, identifier));
  const { finished } = await locks.run(keys, async () => {
    await chains.makeRoom(keys);
    const prepared = await prepareChanges(context, changes, keys);
    const finishing = finish(context, prepared, lostRace);
    // Nobody finds what is created before it is there: whoever creates the same waits here.
    if (prepared.some(({ row }) => row === null)) await Promise.allSettled([finishing]);
    return { finished: finishing };
  });
  return finished;
}

async function finish<M>(
  context: Context,
  prepared: readonly Prepared<M>[],
  lostRace: PangolinError,
): Promise<MetadataFile<M>[]> {
  const { deps } = context;
  const changed = prepared.filter(isChanged).sort(byPlace);
  const written = changed.filter(isToBeWritten).map(({ file }) => file.location);
  const place = deps.iceberg.chains.join(expectFrom(context, changed));
  let isCommitted = false;
  try {
    await writeFiles(context, changed.filter(isToBeWritten)).catch(async (error) => {
      await discard(context, written);
      throw error;
    });
    await place.turn;
    const swapping = changed.length === 0 ? null : swapPointers(context, changed, written, lostRace);
    place.pass();
    await swapping;
    isCommitted = true;
  } finally {
    place.end(isCommitted);
  }
  const outdated = changed.flatMap(({ change, base, next }) => (base && change.outdated?.(base, next)) ?? []);
  deps.iceberg.background.add(discard(context, outdated));
  return prepared.map(({ file }) => file);
}

/** What the next commit to each is made from; nothing is made from what is only being created. */
function expectFrom<M>({ catalog }: Context, changed: readonly Prepared<M>[]): Map<string, Expected> {
  const expected = new Map<string, Expected>();
  for (const { change, row, next, file } of changed) {
    if (row === null) continue;
    const [location = row.location] = change.format.directoriesOf(next);
    const version = Number(row.version) + 1;
    const key = lockKey(catalog.catalogId, change.identifier);
    expected.set(key, { row: { ...row, location, version, metadata_location: file.location }, file });
  }
  return expected;
}

const isToBeWritten = <M>({ change }: Prepared<M>): boolean => change.existingFile === undefined;

/** Rows are taken in one order everywhere, so that two transactions never wait for each other. */
const byPlace = <M>(a: Prepared<M>, b: Prepared<M>): number =>
  lockKey('', a.change.identifier) < lockKey('', b.change.identifier) ? -1 : 1;

/** A few at a time: each is made durable by itself. */
async function writeFiles<M>({ deps, catalog }: Context, changed: readonly Prepared<M>[]): Promise<void> {
  for (let i = 0; i < changed.length; i += FILES_AT_ONCE) {
    const writing = changed.slice(i, i + FILES_AT_ONCE).map(async (one) => {
      one.file = await deps.iceberg.files.create(catalog.warehouse, one.change.format, one.file.location, one.next);
    });
    const outcomes = await Promise.allSettled(writing);
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
