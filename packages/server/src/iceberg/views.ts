import type { Context } from './catalog.ts';
import type { Change } from './change.ts';
import { commitChange } from './commit.ts';
import type { Identifier } from './identifiers.ts';
import { type JsonObject, parseJson } from './json.ts';
import { metadataFileLocation } from './metadata/table-files.ts';
import type { ObjectFormat } from './object-format.ts';
import { nameUpdates, readForeignFile, readList, readPlace } from './tables.ts';
import { createViewMetadata } from './views/create-view-metadata.ts';
import { readViewMetadata, writeViewMetadata } from './views/read-view-metadata.ts';
import { newViewLocations } from './views/view-locations.ts';
import type { ViewMetadata } from './views/view-metadata.ts';
import { checkViewRequirements } from './views/view-requirements.ts';
import { applyViewUpdates } from './views/view-updates.ts';

/** How views are kept. */
export const VIEW_FORMAT: ObjectFormat<ViewMetadata> = {
  kind: 'view',
  title: 'View',
  notFound: 'view_not_found',
  parse: (text) => readViewMetadata(parseJson(text)),
  write: writeViewMetadata,
  directoriesOf: (metadata) => [metadata.location],
  fileLocation: metadataFileLocation,
  newLocations: newViewLocations,
};

/** Creates a view from a CreateViewRequest. Throws `already_exists`, `namespace_not_found` and `invalid_request`. */
export const createView = (context: Context, identifier: Identifier, request: JsonObject) =>
  commitView(context, identifier, {
    mode: 'create',
    action: 'view.created',
    apply: (_, { newUuid, nowMs, defaultLocation }) =>
      createViewMetadata(request, { uuid: newUuid, location: readPlace(request) ?? defaultLocation, nowMs }),
  });

/** Commits requirements and updates to a view. Throws `view_not_found`, `commit_failed` and `invalid_request`. */
export const replaceView = (context: Context, identifier: Identifier, request: JsonObject) =>
  commitView(context, identifier, {
    mode: 'update',
    action: 'view.updated',
    details: { updates: nameUpdates(readList(request.updates, 'updates')) },
    apply(base, { nowMs }) {
      const { metadata } = base as NonNullable<typeof base>;
      checkViewRequirements(metadata, request.requirements);
      return applyViewUpdates(metadata, request.updates, { nowMs });
    },
  });

/** Makes a metadata file that is there already a view. Throws `file_not_found`, `invalid_request`, `already_exists`. */
export async function registerView(context: Context, identifier: Identifier, location: string) {
  const file = await readForeignFile(context, identifier, VIEW_FORMAT, location);
  return commitView(context, identifier, {
    mode: 'create',
    action: 'view.registered',
    apply: () => file.metadata,
    existingFile: file,
  });
}

const commitView = (
  context: Context,
  identifier: Identifier,
  change: Omit<Change<ViewMetadata>, 'format' | 'identifier'>,
) => commitChange(context, { format: VIEW_FORMAT, identifier, ...change });
