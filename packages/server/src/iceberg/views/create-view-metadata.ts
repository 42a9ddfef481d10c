import type { JsonObject } from '../json.ts';
import { maybe, need, readObject, readProperties, toRecord } from '../metadata/json-fields.ts';
import { readSchema } from '../metadata/read-schema.ts';
import { readViewVersion } from './read-view-version.ts';
import { addSchema, addVersion, finishDraft, setCurrentVersion, startDraft } from './view-changes.ts';
import { VIEW_FORMAT_VERSION, type ViewMetadata } from './view-metadata.ts';

const FIRST_VERSION_ID = 1;

/**
 * The metadata of a new view from the members `schema`, `view-version` and `properties` of a CreateViewRequest. Column ids
 * stay as they were sent; the version has the stored schema's id whatever it names. Throws `invalid_request`.
 */
export function createViewMetadata(
  request: JsonObject,
  given: { uuid: string; location: string; nowMs: number },
): ViewMetadata {
  const schema = need(request, 'schema', '', readSchema);
  const sent = need(request, 'view-version', '', (value, where) =>
    // The ids are the server's to give: a client may leave them out.
    readViewVersion({ 'version-id': FIRST_VERSION_ID, 'schema-id': 0, ...readObject(value, where) }, where),
  );
  const empty: ViewMetadata = {
    'view-uuid': given.uuid,
    'format-version': VIEW_FORMAT_VERSION,
    location: given.location,
    schemas: [],
    'current-version-id': -1,
    versions: [],
    'version-log': [],
    properties: maybe(request, 'properties', '', readProperties) ?? toRecord([]),
    unknown: {},
  };
  const draft = startDraft(empty);
  addSchema(draft, schema, 'schema');
  addVersion(draft, { ...sent, 'schema-id': -1 }, 'view-version');
  setCurrentVersion(draft, -1);
  return finishDraft(draft, null, given.nowMs);
}
