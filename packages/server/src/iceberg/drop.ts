import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Executor } from '../store/schema.ts';
import type { Context } from './catalog.ts';
import { lockKey } from './change.ts';
import { formatIdentifier, type Identifier, joinLevels } from './identifiers.ts';
import type { ObjectFormat } from './object-format.ts';
import { requireKind, requireNamespace } from './objects.ts';
import { deleteObject, findObject, listDirectories, moveObject, type ObjectRow } from './store.ts';

/**
 * Takes a table or view out of the catalog; its files stay. Answers what it was, and where. Throws `…_not_found`, and
 * `commit_failed` when its metadata is not any more what was `judged`.
 */
export async function dropObject<M>(
  context: Context,
  format: ObjectFormat<M>,
  identifier: Identifier,
  { details = {}, judged }: { details?: Record<string, unknown>; judged?: string } = {},
): Promise<{ row: ObjectRow; directories: readonly string[] }> {
  const { deps, caller, catalog } = context;
  return deps.iceberg.locks.run([lockKey(catalog.catalogId, identifier)], () =>
    transactAs(
      deps,
      caller,
      async (tx) => {
        const row = await findObject(tx, catalog, joinLevels(identifier.namespace), identifier.name);
        requireKind(format, identifier, row);
        if (judged !== undefined && row.metadata_location !== judged) throw changedMeanwhile(identifier);
        const directories = await listDirectories(tx, catalog, row.id);
        await deleteObject(tx, row);
        await record(tx, context, format, row, 'dropped', identifier, details);
        return { row, directories: directories.map(({ location }) => location) };
      },
      { credentials: 'unchanged' },
    ),
  );
}

/** Renames a table or view, also into another namespace; its files and metadata stay as they are. */
export async function renameObject<M>(
  context: Context,
  format: ObjectFormat<M>,
  source: Identifier,
  destination: Identifier,
): Promise<void> {
  const { deps, caller, catalog } = context;
  const keys = [source, destination].map((one) => lockKey(catalog.catalogId, one));
  await deps.iceberg.locks.run(keys, () =>
    transactAs(
      deps,
      caller,
      async (tx) => {
        const row = await findObject(tx, catalog, joinLevels(source.namespace), source.name);
        requireKind(format, source, row);
        await requireNamespace(tx, context, destination.namespace);
        const taken = await findObject(tx, catalog, joinLevels(destination.namespace), destination.name);
        if (taken) throw cannotRename(source, destination, taken);
        const to = { namespace_path: joinLevels(destination.namespace), name: destination.name };
        await moveObject(tx, row, { ...to, updated_at: deps.now() });
        await record(tx, context, format, row, 'renamed', source, { new_name: formatIdentifier(destination) });
      },
      { credentials: 'unchanged' },
    ),
  );
}

const changedMeanwhile = (identifier: Identifier) =>
  new PangolinError(
    'commit_failed',
    `Cannot drop ${formatIdentifier(identifier)}: it was changed meanwhile; try again.`,
  );

const cannotRename = (source: Identifier, destination: Identifier, { kind }: ObjectRow) =>
  new PangolinError(
    'already_exists',
    `Cannot rename ${formatIdentifier(source)} to ${formatIdentifier(destination)}. ` +
      `${kind === 'table' ? 'Table' : 'View'} already exists`,
  );

const record = <M>(
  tx: Executor,
  { deps, caller, catalog }: Context,
  format: ObjectFormat<M>,
  row: ObjectRow,
  verb: 'dropped' | 'renamed',
  { namespace, name }: Identifier,
  details: Record<string, unknown>,
) =>
  recordAudit(tx, deps, caller, {
    action: `${format.kind}.${verb}`,
    resourceType: format.kind,
    resourceId: row.id,
    resourceName: formatIdentifier({ namespace: [catalog.name, ...namespace], name }),
    details,
  });
