import { type AuditEventFields, auditEventText, canonicalJson } from '@pangolin/shared/contract/audit-event-text';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

/** Any UTF-16 text: half surrogate pairs, controls and what JSON escapes among it. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: fc.constantFrom('"', '\\', '\0', '\x1f', ' ', '\x7f', '\u2028', '\ud83d', '\ude00', 'é', 'a') }),
);
const optional = fc.option(text);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 5 }),
  ),
}));

const event: fc.Arbitrary<AuditEventFields> = fc.record({
  action: text,
  chain: text,
  client: optional,
  credential_id: optional,
  credential_type: optional,
  details: fc.dictionary(text, json).map(canonicalJson),
  id: text,
  ip: optional,
  previous_hash: text,
  request_id: optional,
  resource_id: optional,
  resource_name: optional,
  resource_type: text,
  result: fc.constantFrom('success', 'failure'),
  seq: fc.nat(Number.MAX_SAFE_INTEGER),
  tenant_id: text,
  time: text,
  user_id: optional,
  username: optional,
});

describe('canonical JSON', () => {
  test('of any value is what RFC 8785 says', () => {
    fc.assert(
      fc.property(json, (value) => {
        expect(canonicalJson(value)).toBe(canonicalize(value));
      }),
    );
  });

  test('sorts names by their UTF-16 code units, as the example of RFC 8785 §3.2.3 does', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const text = canonicalJson(Object.fromEntries(names.map((name) => [name, 0])));
    expect(Object.keys(JSON.parse(text)).filter((name) => name !== '1')).toEqual(
      ['\r', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'].filter((name) => names.includes(name)),
    );
    expect(text.startsWith('{"\\r":0,"1":0,"\u0080":0')).toBe(true);
  });

  test('leaves out what JSON leaves out', () => {
    expect(canonicalJson({ b: undefined, a: [undefined, Number.NaN, -0] })).toBe('{"a":[null,null,0]}');
  });
});

describe('the text of an audit event', () => {
  test('is the canonical JSON of its exported fields, whatever they hold', () => {
    fc.assert(
      fc.property(event, (fields) => {
        const exported = { ...fields, details: JSON.parse(fields.details) };
        expect(auditEventText(fields)).toBe(canonicalize(exported));
        expect(auditEventText(fields, 'ab')).toBe(canonicalize({ ...exported, hash: 'ab' }));
      }),
    );
  });
});
