import { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../../credentials/caller.ts';
import type { Deps } from '../../deps.ts';
import { type Context, openCatalog } from '../catalog.ts';
import { dropTable } from '../drop-table.ts';
import { addInt64, isObject, type JsonObject, parseJson, stringifyJson } from '../json.ts';
import type { TableMetadata } from '../metadata/table-metadata.ts';
import { createNamespace, dropNamespace } from '../namespaces.ts';
import { commitTable, createTable } from '../tables.ts';
import { createSampleFiles } from './create-sample-files.ts';
import { SIGHTINGS_COLUMNS } from './sightings.ts';

const NAMESPACE = ['sample'];
const TABLE = { namespace: NAMESPACE, name: 'sightings' };

/**
 * Creates the table `sample.sightings` of 200 rows in a new catalog. When that fails nothing of it is left, and what went
 * wrong is thrown.
 */
export async function createSampleTable(deps: Deps, caller: Caller, catalogName: string): Promise<void> {
  const context = { deps, caller, catalog: await openCatalog(deps, caller, catalogName) };
  await createNamespace(context, NAMESPACE, { comment: 'A small table to try things with' });
  try {
    await createTable(context, TABLE, {
      name: TABLE.name,
      schema: { type: 'struct', fields: SIGHTINGS_COLUMNS.map((column) => ({ ...column })) },
      properties: { 'format-version': '2', comment: 'Who saw which pangolin where; all made up' },
    }).then(({ metadata }) => fill(context, metadata));
  } catch (error) {
    await undo(context).catch((err) => deps.log.error({ err, catalog: catalogName }, 'sample data was not removed'));
    throw error;
  }
}

async function fill(context: Context, { location, ...metadata }: TableMetadata): Promise<void> {
  const { deps, catalog } = context;
  const [schema] = metadata.schemas;
  if (!schema) throw new PangolinError('internal_error', 'The sample table has no schema.');
  const { files, snapshot } = await createSampleFiles({
    location,
    schema,
    snapshotId: addInt64(BigInt.asUintN(62, deps.randomBytes(8).readBigUInt64BE()), 1),
    sequenceNumber: addInt64(metadata['last-sequence-number'], 1),
    nowMs: deps.now(),
    newUuid: deps.newUuid,
  });
  const written: string[] = [];
  try {
    for (const file of files) {
      written.push(file.location);
      await catalog.warehouse.create(file.location, file.content);
    }
    await commitTable(
      context,
      TABLE,
      toJson({
        requirements: [
          { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
          { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null },
        ],
        updates: [
          { action: 'add-snapshot', snapshot },
          {
            ...{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch' },
            'snapshot-id': snapshot['snapshot-id'],
          },
        ],
      }),
    );
  } catch (error) {
    // The table does not lead to them; if it does after all, it goes next.
    await catalog.warehouse.remove(written).catch((err) => deps.log.warn({ err }, 'sample files not deleted'));
    throw error;
  }
}

async function undo(context: Context): Promise<void> {
  await dropTable(context, TABLE, { purge: true }).catch((error) => {
    if (!(error instanceof PangolinError) || error.code !== 'table_not_found') throw error;
  });
  await dropNamespace(context, NAMESPACE);
}

/** A request as if it had been sent. */
function toJson(request: object): JsonObject {
  const json = parseJson(stringifyJson(request));
  return isObject(json) ? json : {};
}
