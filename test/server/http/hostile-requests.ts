import fc from 'fast-check';

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

const LONG = 'x'.repeat(70_000);

/** Text that somebody, somewhere, once forgot. */
const HOSTILE_TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'a\udfffb',
  '\u202eevil',
  '\ufeff',
  '\u{e0041}',
  'K', // U+212A, whose lower case is k
  'ß'.repeat(300),
  '😀'.repeat(200),
  '😀'.repeat(256),
  'e\u0301\u0301\u0301',
  '\r\nX-Injected: 1',
  '\x1b[31m',
  "' OR 1=1 --",
  '%',
  '_%\\',
  '"; drop table users; --',
  '__proto__',
  'constructor',
  'toString',
  '../../etc/passwd',
  'null',
  'undefined',
  'NaN',
  '-0',
  '1e400',
  '0x10',
  '9007199254740993',
  '-1',
  '00000000-0000-0000-0000-000000000000',
  'ffffffff-ffff-ffff-ffff-ffffffffffff',
  '0000-01-01T00:00:00+23:59',
  '9999-12-31T23:59:59.999999999999-23:59',
  '2026-11-31T00:00:00Z',
  `1970-01-01T00:00:00.${'0'.repeat(2_000)}Z`,
  'ImFcdTAwMDAi', // as a cursor: "a\u0000"
  'IlxkODAwIg', // no JSON
  'IlxcdWQ4MDAi', // "\\ud800"
  'MS41',
  'MWUzMDg',
  'LTE',
  'bnVsbA',
  '0.0.0.0/0',
  '::ffff:0:0/96',
  '1.2.3.4/33',
  LONG,
];

/** JSON that is no text, as it is written; some of it is no JSON. */
const HOSTILE_JSON = [
  'null',
  'true',
  '-0',
  '0',
  '-1',
  '1.5',
  '1e400',
  '-1e400',
  '1e-400',
  '9007199254740993',
  '1e308',
  '123456789012345678901234567890',
  '[]',
  '{}',
  '[null]',
  '["",1]',
  '{"__proto__":{"role":"root"}}',
  '{"constructor":{"prototype":{}}}',
  '{"a":1,"a":2}',
  '['.repeat(5_000) + ']'.repeat(5_000),
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  `[${'"a",'.repeat(5_000)}1]`,
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  'NaN',
  '00',
  "'x'",
  '"\t"',
  '',
];

const HOSTILE_BODIES = [
  '',
  '\0',
  'null',
  '[]',
  '"text"',
  '{',
  '{}}',
  '{"a":1,}',
  '\ufeff{}',
  '['.repeat(400_000),
  `{${Array.from({ length: 50_000 }, (_, at) => `"k${at}":1`).join()}}`,
  `{"name":"${'x'.repeat(1_048_577)}"}`,
  'a=1&a=2',
  '%ff%00=%zz&&&=',
];

const NAMES = ['__proto__', 'constructor', 'toString', 'tenant-id', 'a.b', '', '$where', 'is_root', '\u0000', '😀'];

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
  const unknown = fc.tuple(fc.constantFrom(...NAMES), text);
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

function bodiesOf(schema: Schema, bodyType: string | undefined, ids: readonly string[]) {
  const isForm = bodyType === 'application/x-www-form-urlencoded';
  const values = valuesOf(schema, ids) as fc.Arbitrary<Record<string, unknown>>;
  const written = values.map((value) =>
    Object.entries(value).map(([name, one]): [string, string] => [name, isForm ? String(one) : JSON.stringify(one)]),
  );
  const names = fc.constantFrom(...Object.keys(schema.properties ?? {}), ...NAMES);
  const strange = fc.tuple(names, isForm ? text : json, fc.boolean());
  const nearly = fc
    .tuple(written, strange)
    .map(([members, [name, value, twice]]): [string, string][] => [
      ...members.filter(([one]) => twice || one !== name),
      [name, value],
    ]);
  const write = (members: [string, string][]) =>
    isForm
      ? new URLSearchParams(members).toString()
      : `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join()}}`;
  return fc.oneof(
    { weight: 5, arbitrary: written.map(write) },
    { weight: 5, arbitrary: nearly.map(write) },
    { weight: 2, arbitrary: fc.constantFrom(undefined, ...HOSTILE_BODIES) },
  );
}
