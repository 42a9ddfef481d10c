import type { JsonObject, JsonValue } from '../json.ts';
import {
  listOf,
  need,
  readFilledText,
  readInt32,
  readList,
  readObject,
  readProperties,
  readText,
  refuse,
  shown,
} from '../metadata/json-fields.ts';
import { stripTrailingSlashes } from '../metadata/locations.ts';
import { readSchema } from '../metadata/read-schema.ts';
import { readUuid } from '../metadata/read-table-metadata.ts';
import { readViewVersion } from './read-view-version.ts';
import { addSchema, addVersion, finishDraft, setCurrentVersion, startDraft, type ViewDraft } from './view-changes.ts';
import { VIEW_FORMAT_VERSION, type ViewMetadata } from './view-metadata.ts';

type Apply = (draft: ViewDraft, update: JsonObject, where: string) => void;

/** Far more than any engine sends; each costs a look at what the others added. */
const MAX_UPDATES = 1000;

/** By action, in the order of the specification's ViewUpdate. */
const UPDATES: ReadonlyMap<string, Apply> = new Map<string, Apply>([
  [
    'assign-uuid',
    (draft, update, where) => {
      const uuid = need(update, 'uuid', where, readUuid);
      if (uuid.toLowerCase() !== draft.start['view-uuid'].toLowerCase()) refuse('Cannot reassign uuid');
    },
  ],
  [
    'upgrade-format-version',
    (_, update, where) => {
      const version = need(update, 'format-version', where, readInt32);
      if (version !== VIEW_FORMAT_VERSION) refuseVersion(version);
    },
  ],
  [
    'add-schema',
    (draft, update, where) => addSchema(draft, need(update, 'schema', where, readSchema), `${where}.schema`),
  ],
  [
    'set-location',
    (draft, update, where) => {
      const location = stripTrailingSlashes(need(update, 'location', where, readFilledText));
      draft.isChanged ||= location !== draft.location;
      draft.location = location;
    },
  ],
  [
    'set-properties',
    (draft, update, where) => {
      const updates = need(update, 'updates' in update ? 'updates' : 'updated', where, readProperties);
      for (const [name, text] of Object.entries(updates)) {
        draft.isChanged ||= draft.properties.get(name) !== text;
        draft.properties.set(name, text);
      }
    },
  ],
  [
    'remove-properties',
    (draft, update, where) => {
      const removals = need(update, 'removals' in update ? 'removals' : 'removed', where, listOf(readText));
      for (const name of removals) if (draft.properties.delete(name)) draft.isChanged = true;
    },
  ],
  [
    'add-view-version',
    (draft, update, where) =>
      addVersion(draft, need(update, 'view-version', where, readViewVersion), `${where}.view-version`),
  ],
  [
    'set-current-view-version',
    (draft, update, where) => setCurrentVersion(draft, need(update, 'view-version-id', where, readInt32)),
  ],
]);

/**
 * The view after a commit's updates, in their order; `base` itself when they change nothing. A version that becomes
 * current without being new does so at `nowMs`. Throws `invalid_request` for whatever is no update of a view.
 */
export function applyViewUpdates(
  base: ViewMetadata,
  updates: JsonValue | undefined,
  given: { nowMs: number },
): ViewMetadata {
  const list = updates === undefined || updates === null ? [] : readList(updates, 'updates');
  if (list.length > MAX_UPDATES) refuse(`A commit has at most ${MAX_UPDATES} updates of a view.`);
  const draft = startDraft(base);
  for (const [index, value] of list.entries()) {
    const where = `updates[${index}]`;
    const update = readObject(value, where);
    const action = need(update, 'action', where, readText);
    const apply =
      UPDATES.get(action.toLowerCase()) ??
      refuse(`${where}: a view has no update "${shown(action)}"; accepted are ${[...UPDATES.keys()].join(', ')}.`);
    apply(draft, update, where);
  }
  return finishDraft(draft, base, given.nowMs);
}

function refuseVersion(version: number): never {
  if (version < VIEW_FORMAT_VERSION) refuse(`Cannot downgrade v${VIEW_FORMAT_VERSION} view to v${version}`);
  return refuse(`Unsupported format version: v${version} (supported: v${VIEW_FORMAT_VERSION})`);
}
