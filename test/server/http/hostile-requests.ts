import fc from 'fast-check';
import { HOSTILE_BODIES, HOSTILE_JSON, HOSTILE_NAMES, HOSTILE_TEXTS } from './hostile-values.ts';

/** The part of JSON Schema that the OpenAPI document uses. */
export interface Schema {
  type?: string;
  format?: string;
  pattern?: string;
  enum?: string[];
  const?: unknown;
  anyOf?: Schema[];
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  minLength?: number;
  maxItems?: number;
  minItems?: number;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
}

export interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: Schema;
}

/** What is sent: a path's segments by name, a query and a body as they are written. */
export interface FuzzedRequest {
  params: Record<string, string>;
  query: [string, string][];
  body: string | undefined;
  contentType: string | undefined;
}

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...HOSTILE_TEXTS) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
);
const json = fc.oneof(
  { weight: 2, arbitrary: text.map((one) => JSON.stringify(one)) },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE_JSON) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
);

/** Values that a schema takes; `ids` are some that exist. */
function valuesOf(schema: Schema, ids: readonly string[]): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((one) => valuesOf(one, ids)));
  switch (schema.type) {
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'integer':
    case 'number': {
      const min = schema.minimum ?? (schema.exclusiveMinimum ?? -1) + 1;
      const max = schema.maximum ?? 2 ** 53 - 1;
      return fc.oneof(fc.constantFrom(min, max), fc.integer({ min, max: Math.min(max, min + 1_000) }));
    }
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, ids), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case 'object': {
      const properties = Object.entries(schema.properties ?? {});
      const required = schema.required ?? [];
      const values = Object.fromEntries(properties.map(([name, one]) => [name, valuesOf(one, ids)]));
      return fc.record(values, { requiredKeys: required });
    }
    default:
      return textsOf(schema, ids);
  }
}

function textsOf({ format, pattern, minLength = 0, maxLength = 40 }: Schema, ids: readonly string[]) {
  if (format === 'uuid') return fc.oneof(fc.constantFrom(...ids), fc.uuid());
  if (format === 'date-time')
    return fc.constantFrom(
      '2026-11-01T00:00:00Z',
      '2027-01-31T12:00:00+01:00',
      '1970-01-01T00:00:00Z',
      '9999-12-31T23:59:59Z',
    );
  const plain = fc.string({ unit: 'grapheme-ascii', minLength, maxLength: Math.min(maxLength, minLength + 20) });
  if (pattern === undefined) return plain;
  const regex = new RegExp(pattern, 'u');
  const isRight = (one: string) => regex.test(one) && one.length >= minLength && one.length <= maxLength;
  const samples = fc.sample(fc.oneof(plain, fc.stringMatching(/^[0-9A-Za-z:._/@-]{3,20}$/)), { numRuns: 300, seed: 1 });
  const known = ['10.0.0.0/8', 'ada@example.com', 'catalog:read', 'catalog', ...samples].filter(isRight);
  return known.length > 0 ? fc.constantFrom(...known) : fc.stringMatching(regex);
}

interface Described {
  parameters: readonly Parameter[];
  body: Schema | undefined;
  bodyType: string | undefined;
}

/** Requests to an operation: as its description has them, nearly so, and not at all. */
export function requestsTo(
  { parameters, body, bodyType }: Described,
  ids: readonly string[],
): fc.Arbitrary<FuzzedRequest> {
  const inPath = parameters.filter((one) => one.in === 'path');
  const inQuery = parameters.filter((one) => one.in === 'query');
  const words = (schema: Schema) => valuesOf(schema, ids).map(String);
  const params = fc.record(
    Object.fromEntries(
      inPath.map(({ name, schema }) => [
        name,
        fc.oneof({ weight: 3, arbitrary: words(schema) }, { weight: 1, arbitrary: text }),
      ]),
    ),
  ) as fc.Arbitrary<Record<string, string>>;
  const known = inQuery.map(({ name, schema }) =>
    fc.tuple(fc.constant(name), fc.oneof({ weight: 3, arbitrary: words(schema) }, { weight: 1, arbitrary: text })),
  );
  const unknown = fc.tuple(fc.constantFrom(...HOSTILE_NAMES), text);
  const query = fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 6, arbitrary: known.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...known), { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(unknown, { minLength: 1, maxLength: 2 }) },
  ) as fc.Arbitrary<[string, string][]>;
  return fc.record({
    params,
    query,
    body: body ? bodiesOf(body, bodyType, ids) : fc.oneof(fc.constant(undefined), fc.constantFrom('{}', '{"a":1}')),
    contentType: fc.oneof(
      { weight: 12, arbitrary: fc.constant(bodyType) },
      { weight: 1, arbitrary: fc.constantFrom(undefined, 'text/plain', 'application/json; charset=utf-16', 'a/b') },
    ),
  });
}

/** Each parameter and each field once with each hostile value, and everything else left out that can be. */
export function sweep({ parameters, body, bodyType }: Described, ids: readonly string[]): FuzzedRequest[] {
  const inPath = parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  const inQuery = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  const fields = Object.keys(body?.properties ?? {});
  const isForm = bodyType === 'application/x-www-form-urlencoded';
  const plain: FuzzedRequest = {
    params: Object.fromEntries(inPath.map((name) => [name, ids[0] ?? ''])),
    query: [],
    body: body && (isForm ? '' : '{}'),
    contentType: bodyType,
  };
  const members = HOSTILE_TEXTS.map((one) => JSON.stringify(one)).concat(HOSTILE_JSON);
  return [
    ...inPath.flatMap((name) => HOSTILE_TEXTS.map((one) => ({ ...plain, params: { ...plain.params, [name]: one } }))),
    ...inQuery.flatMap((name) => HOSTILE_TEXTS.map((one): FuzzedRequest => ({ ...plain, query: [[name, one]] }))),
    ...inQuery.map(
      (name): FuzzedRequest => ({
        ...plain,
        query: [
          [name, '1'],
          [name, '1'],
        ],
      }),
    ),
    // A third of the values each, so that every one is sent to many fields, and all of it within seconds.
    ...fields.flatMap((name, at) =>
      (isForm ? HOSTILE_TEXTS : members)
        .filter((_, which) => (which + at) % 3 === 0)
        .map((one) => ({ ...plain, body: writeBody([[name, one]], isForm) })),
    ),
  ];
}

/** A JSON object of members that are written already, or a form. */
const writeBody = (members: [string, string][], isForm: boolean): string =>
  isForm
    ? new URLSearchParams(members).toString()
    : `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;

function bodiesOf(schema: Schema, bodyType: string | undefined, ids: readonly string[]) {
  const isForm = bodyType === 'application/x-www-form-urlencoded';
  const values = valuesOf(schema, ids) as fc.Arbitrary<Record<string, unknown>>;
  const written = values.map((value) =>
    Object.entries(value).map(([name, one]): [string, string] => [name, isForm ? String(one) : JSON.stringify(one)]),
  );
  const names = fc.constantFrom(...Object.keys(schema.properties ?? {}), ...HOSTILE_NAMES);
  const strange = fc.tuple(names, isForm ? text : json, fc.boolean());
  const nearly = fc
    .tuple(written, strange)
    .map(([members, [name, value, twice]]): [string, string][] => [
      ...members.filter(([one]) => twice || one !== name),
      [name, value],
    ]);
  const write = (members: [string, string][]) => writeBody(members, isForm);
  return fc.oneof(
    { weight: 5, arbitrary: written.map(write) },
    { weight: 5, arbitrary: nearly.map(write) },
    { weight: 2, arbitrary: fc.constantFrom(undefined, ...HOSTILE_BODIES) },
  );
}
