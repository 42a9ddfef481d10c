import { canonicalJson } from '@pangolin/shared/contract/audit-event-text';
import { readExportedEvent } from '@pangolin/shared/contract/audit-export-line';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

const [H1, H2, H3] = ['1', '2', '3'].map((digit) => digit.repeat(64));

/** Text that looks as much like the fields of an event as text can. */
const likeFields = fc.constantFrom(
  'x',
  `,"hash":"${H3}"`,
  `"previous_hash":"${H3}"`,
  '"seq":7,"tenant_id":',
  `","hash":"${H3}","id":"`,
  '\\',
  '"',
);
const text = fc.array(likeFields, { maxLength: 3 }).map((parts) => parts.join(''));
const details = fc.dictionary(
  fc.constantFrom('a', 'hash', 'id', 'ip', 'previous_hash', 'request_id', 'seq', 'tenant_id'),
  fc.oneof(text, fc.constant(null), fc.constant(H3), fc.integer(), fc.record({ hash: text, previous_hash: text })),
);
const event = fc.record({
  action: fc.constantFrom('token.created', 'login.refused'),
  chain: fc.constantFrom('system', '01900000-0000-7000-8000-000000000000'),
  client: fc.option(text),
  details,
  id: fc.uuid(),
  ip: fc.constantFrom(null, '127.0.0.1', '2001:db8::1'),
  previous_hash: fc.constant(H2 ?? ''),
  request_id: fc.option(text),
  resource_name: fc.option(text),
  seq: fc.integer({ min: 1, max: 2 ** 52 }),
  tenant_id: fc.uuid(),
  username: fc.option(text),
});

describe('a line of an export', () => {
  test('is taken apart as parsing it would, whatever it holds', () => {
    fc.assert(
      fc.property(event, (fields) => {
        const read = readExportedEvent(canonicalJson({ ...fields, hash: H1 }));
        expect(read).toEqual({
          hash: H1,
          previousHash: H2,
          seq: fields.seq,
          chain: fields.chain,
          hashed: canonicalJson(fields),
        });
      }),
    );
  });

  test('has its hash in one place: anywhere else it is not the same text that is hashed, or not the same link', () => {
    fc.assert(
      fc.property(event, fc.nat(), (fields, at) => {
        const plain = canonicalJson(fields);
        const line = canonicalJson({ ...fields, hash: H1 });
        const places = [...plain.matchAll(/[,}]/g)].map(({ index }) => index);
        const place = places[at % places.length] ?? 0;
        const moved = `${plain.slice(0, place)},"hash":"${H1}"${plain.slice(place)}`;
        fc.pre(moved !== line);
        const read = readExportedEvent(moved);
        const isTaken = read?.hashed === plain && read.hash === H1 && read.previousHash === H2;
        expect(isTaken).toBe(false);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(['', '{}', 'null', '{"type":"checkpoint"}', `,"hash":"${H1}"`, '"previous_hash":"', '"seq":1'])(
    'is none that cannot be told apart: %j',
    (line) => {
      expect(readExportedEvent(line)).toBeUndefined();
    },
  );
});
