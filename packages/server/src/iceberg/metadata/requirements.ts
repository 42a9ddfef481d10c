import { PangolinError } from '@pangolin/shared/errors';
import { isObject, type JsonObject, type JsonValue } from '../json.ts';
import { maybe, need, readInt32, readInt64, readObject, readText, refuse, shown } from './json-fields.ts';
import type { TableMetadata } from './table-metadata.ts';

type Check = (base: TableMetadata | null, requirement: JsonObject, where: string) => void;

const ASSERT_CREATE = 'assert-create';

/** Whether a commit is to create its table: such a requirement is among its own. */
export const isCreate = (requirements: readonly JsonValue[]): boolean =>
  requirements.some((requirement) => isObject(requirement) && requirement.type === ASSERT_CREATE);

/**
 * Checks what a commit requires of the table it changes; null: there is none. Throws `commit_failed` for the first that does
 * not hold, with the message of Java's reference, and `invalid_request` for one that is malformed or unknown.
 */
export function checkRequirements(base: TableMetadata | null, requirements: readonly JsonValue[]): void {
  const read = requirements.map((requirement, index) => {
    const where = `requirements[${index}]`;
    const object = readObject(requirement, where);
    const type = need(object, 'type', where, readText);
    const check = CHECKS.get(type);
    if (check === undefined) return refuse(`${where}.type: "${shown(type)}" is not a requirement of tables.`);
    return { object, type, check, where };
  });
  if (read.length > 1 && read.some(({ type }) => type === ASSERT_CREATE)) {
    refuse(`Invalid create requirements: ${ASSERT_CREATE} must be the only one.`);
  }
  for (const { object, check, where } of read) check(base, object, where);
}

const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  [ASSERT_CREATE, (base) => base === null || fail('table already exists')],
  ['assert-table-uuid', checkUuid],
  ['assert-ref-snapshot-id', checkReference],
  numberCheck('assert-last-assigned-field-id', 'last-assigned-field-id', 'last-column-id', 'last assigned field id'),
  numberCheck('assert-current-schema-id', 'current-schema-id', 'current-schema-id', 'current schema'),
  numberCheck(
    'assert-last-assigned-partition-id',
    'last-assigned-partition-id',
    'last-partition-id',
    'last assigned partition id',
  ),
  numberCheck('assert-default-spec-id', 'default-spec-id', 'default-spec-id', 'default partition spec'),
  numberCheck('assert-default-sort-order-id', 'default-sort-order-id', 'default-sort-order-id', 'default sort order'),
]);

function fail(message: string): never {
  throw new PangolinError('commit_failed', `Requirement failed: ${message}`);
}

function missing(): never {
  throw new PangolinError('table_not_found', 'Table does not exist');
}

function checkUuid(base: TableMetadata | null, requirement: JsonObject, where: string): void {
  const uuid = need(requirement, 'uuid', where, readText);
  const actual = (base ?? missing())['table-uuid'];
  if (actual.toLowerCase() !== uuid.toLowerCase()) fail(`UUID does not match: expected ${actual} != ${shown(uuid)}`);
}

function checkReference(base: TableMetadata | null, requirement: JsonObject, where: string): void {
  const name = need(requirement, 'ref', where, readText);
  const id = maybe(requirement, 'snapshot-id', where, readInt64);
  const { refs } = base ?? missing();
  const ref = Object.hasOwn(refs, name) ? refs[name] : undefined;
  if (ref === undefined) {
    if (id !== undefined) fail(`branch or tag ${shown(name)} is missing, expected ${id}`);
  } else if (id === undefined) {
    fail(`${ref.type} ${shown(name)} was created concurrently`);
  } else if (id !== ref['snapshot-id']) {
    fail(`${ref.type} ${shown(name)} has changed: expected id ${id} != ${ref['snapshot-id']}`);
  }
}

type NumberName =
  | 'last-column-id'
  | 'current-schema-id'
  | 'last-partition-id'
  | 'default-spec-id'
  | 'default-sort-order-id';

function numberCheck(type: string, member: string, actualName: NumberName, what: string): [string, Check] {
  return [
    type,
    (base, requirement, where) => {
      const expected = need(requirement, member, where, readInt32);
      const actual = (base ?? missing())[actualName];
      if (expected !== actual) fail(`${what} changed: expected id ${expected} != ${actual}`);
    },
  ];
}
