import type { JsonObject } from '../json.ts';
import { checkSchema } from './check-schema.ts';
import { at, listOf, need, readInt32, refuse } from './json-fields.ts';
import { readSchema } from './read-schema.ts';
import { columnsOf } from './schema-columns.ts';
import { nextId, type TableDraft } from './table-draft.ts';
import { schemaKey } from './write-table-metadata.ts';

/** `add-schema`: under the id of a schema that is equal, or under the next one. */
export function addSchema(draft: TableDraft, update: JsonObject, where: string): void {
  const path = at(where, 'schema');
  const schema = need(update, 'schema', where, readSchema);
  checkSchema(schema, draft.formatVersion, path);
  const key = schemaKey(schema);
  const ids = schemaIdsOf(draft);
  const existing = ids.get(key);
  if (existing !== undefined) {
    draft.lastAdded.schemaId = existing;
    return;
  }
  let lastColumnId = draft.lastColumnId;
  for (const id of columnsOf(schema).keys()) {
    if (id < 0) refuse(`${path}: the field id ${id} is negative.`);
    lastColumnId = Math.max(lastColumnId, id);
  }
  const id = nextId(draft, 'schemas');
  draft.schemas.put({ ...schema, 'schema-id': id });
  ids.set(key, id);
  draft.lastColumnId = lastColumnId;
  draft.lastAdded.schemaId = id;
  draft.isChanged = true;
}

/** `set-current-schema` */
export function setCurrentSchema(draft: TableDraft, update: JsonObject, where: string): void {
  const asked = need(update, 'schema-id', where, readInt32);
  const id = asked === -1 ? draft.lastAdded.schemaId : asked;
  if (id === null) refuse('Cannot set last added schema: no schema has been added');
  if (!draft.schemas.has(id)) refuse(`Cannot set current schema to unknown schema: ${id}`);
  draft.isChanged ||= draft.currentSchemaId !== id;
  draft.currentSchemaId = id;
}

/** `remove-schemas` */
export function removeSchemas(draft: TableDraft, update: JsonObject, where: string): void {
  for (const id of need(update, 'schema-ids', where, listOf(readInt32))) {
    if (id === draft.currentSchemaId) refuse(`Cannot remove the current schema: ${id}`);
    const schema = draft.schemas.get(id);
    if (schema === undefined) continue;
    schemaIdsOf(draft).delete(schemaKey(schema));
    draft.schemas.remove(id);
    if (draft.lastAdded.schemaId === id) draft.lastAdded.schemaId = null;
    draft.isChanged = true;
  }
}

function schemaIdsOf({ indexes, schemas }: TableDraft): Map<string, number> {
  indexes.schemaIds ??= new Map([...schemas.elements()].map((schema) => [schemaKey(schema), schema['schema-id']]));
  return indexes.schemaIds;
}
