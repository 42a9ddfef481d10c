import { isObject, stringifyJson } from '../json.ts';
import { NO_SNAPSHOT } from './snapshots.ts';
import type { Schema, TableMetadata } from './table-metadata.ts';

/** Nothing in metadata changes in place, so what was written once is written the same way again. */
const texts = new WeakMap<object, string>();

/**
 * The JSON text of a metadata file, and of `metadata` in answers: the members in the order Java writes them, those that
 * older versions of the format repeat, and last those unknown here. The text of what a table shares with its base is kept.
 */
export function writeTableMetadata(metadata: TableMetadata): string {
  const version = metadata['format-version'];
  const current = metadata['current-snapshot-id'];
  let text = `{"format-version":${version}`;
  const add = (name: string, value: string) => {
    text += `,${JSON.stringify(name)}:${value}`;
  };
  const addNumber = (name: keyof TableMetadata) => add(name, String(metadata[name]));
  const addList = (name: ListName) => add(name, textOfList(metadata[name]));

  add('table-uuid', JSON.stringify(metadata['table-uuid']));
  add('location', JSON.stringify(metadata.location));
  if (version > 1) addNumber('last-sequence-number');
  addNumber('last-updated-ms');
  addNumber('last-column-id');
  const schema = metadata.schemas.find((one) => one['schema-id'] === metadata['current-schema-id']);
  if (version === 1 && schema !== undefined) add('schema', textOfSchema(schema));
  addNumber('current-schema-id');
  add('schemas', `[${metadata.schemas.map(textOfSchema).join(',')}]`);
  const spec = metadata['partition-specs'].find((one) => one['spec-id'] === metadata['default-spec-id']);
  if (version === 1 && spec !== undefined) add('partition-spec', textOfList(spec.fields));
  addNumber('default-spec-id');
  addList('partition-specs');
  addNumber('last-partition-id');
  addNumber('default-sort-order-id');
  addList('sort-orders');
  add('properties', textOf(metadata.properties));
  add('current-snapshot-id', version === 3 && current === NO_SNAPSHOT ? 'null' : String(current));
  if (version === 3) add('next-row-id', String(metadata['next-row-id'] ?? 0));
  if (metadata['encryption-keys'].length > 0) addList('encryption-keys');
  add('refs', textOf(metadata.refs));
  addList('snapshots');
  addList('statistics');
  addList('partition-statistics');
  addList('snapshot-log');
  addList('metadata-log');
  for (const [name, value] of Object.entries(metadata.unknown)) add(name, stringifyJson(value));
  return `${text}}`;
}

type ListName =
  | 'partition-specs'
  | 'sort-orders'
  | 'encryption-keys'
  | 'snapshots'
  | 'statistics'
  | 'partition-statistics'
  | 'snapshot-log'
  | 'metadata-log';

/** Apart from `texts`: a schema's key is not its text. */
const schemaKeys = new WeakMap<Schema, string>();

/** Equal for schemas with the same fields and identifier fields: their ids do not count. */
export function schemaKey(schema: Schema): string {
  let key = schemaKeys.get(schema);
  if (key === undefined) {
    const { type: _, 'schema-id': __, ...content } = schema;
    key = textOfMembers(content);
    schemaKeys.set(schema, key);
  }
  return key;
}

const textOfSchema = (schema: Schema): string =>
  `{"type":"struct","schema-id":${schema['schema-id']},${schemaKey(schema).slice(1)}`;

/** The text of the longest list so far that begins with an element: a history grows at its end. */
const listTexts = new WeakMap<object, { list: readonly object[]; text: string }>();

function textOfList(list: readonly object[]): string {
  const [first] = list;
  if (first === undefined) return '[]';
  const known = listTexts.get(first);
  if (known?.list === list) return `[${known.text}]`;
  const isLonger = known?.list.every((element, index) => element === list[index]) ?? false;
  const added = list.slice(isLonger ? known?.list.length : 0).map(textOf);
  const text = (known !== undefined && isLonger ? [known.text, ...added] : added).join(',');
  listTexts.set(first, { list, text });
  return `[${text}]`;
}

function textOf(value: object): string {
  let text = texts.get(value);
  if (text === undefined) {
    text = textOfMembers(value);
    texts.set(value, text);
  }
  return text;
}

/** The text of a value; joined, since text that is added up bit by bit is slow each time it is used. */
function textOfValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(textOfValue).join(',')}]`;
  return isObject(value) ? textOfMembers(value) : stringifyJson(value);
}

const textOfMembers = (object: object): string =>
  `{${Object.entries(object)
    .map(([name, value]) => `${JSON.stringify(name)}:${textOfValue(value)}`)
    .join(',')}}`;
