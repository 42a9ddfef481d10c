import type { Context } from './catalog.ts';
import { type Change, lockKey, type Prepared } from './change.ts';
import type { Expected } from './commit-chains.ts';
import { confineLocations } from './confine.ts';
import { joinLevels } from './identifiers.ts';
import type { MetadataFile } from './metadata-files.ts';
import { nameTaken, requireKind, requireNamespace } from './objects.ts';
import { chooseLocation } from './places.ts';
import type { ObjectRow } from './store.ts';

/**
 * Makes changes from what commits under way are going to leave. That one is refused, or changes nothing, is an answer that
 * must not rest on them: it is made once more, from what is there when they have ended.
 */
export async function prepareChanges<M>(
  context: Context,
  changes: readonly Change<M>[],
  keys: readonly string[],
): Promise<Prepared<M>[]> {
  const { chains } = context.deps.iceberg;
  if (keys.some((key) => chains.find(key) !== undefined)) {
    const prepared = await prepareEach(context, changes).catch(() => null);
    if (prepared?.every(isChanged)) return prepared;
    await chains.settle(keys);
  }
  return prepareEach(context, changes);
}

export const isChanged = <M>({ base, next }: Prepared<M>): boolean => next !== base?.metadata;

async function prepareEach<M>(context: Context, changes: readonly Change<M>[]): Promise<Prepared<M>[]> {
  const prepared: Prepared<M>[] = [];
  for (const change of changes) prepared.push(await prepare(context, change));
  return prepared;
}

async function prepare<M>(context: Context, change: Change<M>): Promise<Prepared<M>> {
  const { deps, catalog } = context;
  const { format, identifier } = change;
  const { row, expected } = await findCurrent(context, change);
  if (row && (change.mode === 'create' || row.kind !== format.kind) && change.mode !== 'update') {
    throw row.kind === format.kind && change.taken ? change.taken : nameTaken(format, identifier, row);
  }
  if (change.mode === 'update') requireKind(format, identifier, row ?? undefined);
  if (!row) await requireNamespace(deps.db.read, context, identifier.namespace);
  const base =
    row && change.mode === 'update'
      ? ((expected?.file as MetadataFile<M> | undefined) ??
        (await deps.iceberg.files.read(catalog.warehouse, format, row.metadata_location)))
      : null;
  const defaultLocation = row ? row.location : await chooseLocation(context, identifier);
  const given = { nowMs: deps.now(), newUuid: deps.newUuid(), defaultLocation };
  const next = change.apply(base, given);
  const named = next === base?.metadata ? [] : format.newLocations(next, base?.metadata ?? null);
  confineLocations(context, identifier.namespace, named, [defaultLocation]);
  const file = change.existingFile ?? (next === base?.metadata ? base : nameFile(context, change, next, row));
  return { change, row, base, next, named, defaultLocation, file };
}

/** What a name stands for, as the last commit under way is going to leave it. */
async function findCurrent<M>(
  { deps, catalog }: Context,
  { identifier }: Change<M>,
): Promise<{ row: ObjectRow | null; expected: Expected | null }> {
  const { namespace, name } = identifier;
  const expected = deps.iceberg.chains.find(lockKey(catalog.catalogId, identifier));
  const row = await deps.iceberg.findObject(catalog.catalogId, joinLevels(namespace), name, catalog.tenantId);
  // Those commits may be to what had the name before.
  if (row && expected?.row.id === row.id) return { row: expected.row, expected };
  return { row: row ?? null, expected: null };
}

/** A file that is still to be written. */
function nameFile<M>({ deps }: Context, { format }: Change<M>, metadata: M, row: ObjectRow | null): MetadataFile<M> {
  const location = format.fileLocation(metadata, row?.metadata_location ?? null, deps.newUuid());
  return { location, metadata, text: '', tag: '' };
}
