import { deflateRawSync } from 'node:zlib';
import { PangolinError } from '@pangolin/shared/errors';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readManifest, readManifestList } from '../../../../packages/server/src/iceberg/purge/manifests.ts';
import { bytes, createContainer, long } from './avro-container.ts';
import { MANIFESTS_BY_FASTAVRO } from './manifests-by-fastavro.ts';

const MANIFEST_LIST = { type: 'record', name: 'm', fields: [{ name: 'manifest_path', type: 'string' }] };

const listWith = (...fields: unknown[]) => ({
  ...MANIFEST_LIST,
  fields: [...fields.map((type, index) => ({ name: `f${index}`, type })), ...MANIFEST_LIST.fields],
});

/** How reading ends: with a number of paths, or with the problem, which is to be an error of ours. */
async function read(paths: AsyncIterable<string>): Promise<number | string> {
  let count = 0;
  try {
    for await (const path of paths) {
      expect(typeof path).toBe('string');
      count += 1;
    }
    return count;
  } catch (error) {
    expect(error).toBeInstanceOf(PangolinError);
    expect(error).toMatchObject({ code: 'invalid_request' });
    return (error as PangolinError).message.replace('The file is not a valid Avro file: ', '');
  }
}

const readList = (file: Parameters<typeof createContainer>[0]) => read(readManifestList(createContainer(file)));

describe('a manifest that a client made to do harm', () => {
  test.each(Object.keys(MANIFESTS_BY_FASTAVRO))('with changed bytes, %s, gives paths or an error', async (codec) => {
    const manifest = Buffer.from(MANIFESTS_BY_FASTAVRO[codec] ?? '', 'base64');
    const position = fc.oneof(fc.nat(manifest.length - 1), fc.integer({ min: -700, max: -1 }));
    const change = fc.record({ position, value: fc.integer({ min: 0, max: 255 }) });
    const changes = fc.array(change, { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(changes, fc.option(fc.nat(manifest.length)), async (all, end) => {
        const changed = Buffer.from(manifest);
        for (const { position: at, value } of all) changed[(at + changed.length) % changed.length] = value;
        await read(readManifest(changed.subarray(0, end ?? changed.length)));
      }),
      { numRuns: 1_000 },
    );
  });

  test('whatever bytes its blocks hold, in whatever codec, it gives paths or an error', async () => {
    const codec = fc.constantFrom('null', 'deflate', 'snappy', 'zstandard');
    await fc.assert(
      fc.asyncProperty(codec, fc.uint8Array({ maxLength: 60 }), fc.bigInt(-3n, 60n), async (name, data, count) => {
        const zstandard = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), data]);
        const blocks = [{ count, data: name === 'zstandard' ? zstandard : data }];
        await readList({ schema: listWith({ type: 'array', items: 'null' }), codec: name, blocks });
      }),
      { numRuns: 2_000 },
    );
  });

  test('a block that is large only when it is decompressed is not decompressed whole', async () => {
    const schema = MANIFEST_LIST;
    const deflated = deflateRawSync(Buffer.alloc(80 * 1024 * 1024));
    const ofDeflate = { schema, codec: 'deflate', blocks: [{ count: 1, data: deflated }] };
    expect(await readList(ofDeflate)).toBe('a block cannot be decompressed.');

    const snappy = Buffer.concat([Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]), Buffer.alloc(20)]);
    const ofSnappy = { schema, codec: 'snappy', blocks: [{ count: 1, data: snappy }] };
    expect(await readList(ofSnappy)).toBe('a block cannot be decompressed.');

    // A frame without a content size and with 1,000 blocks that repeat a byte 128 KiB times.
    const repeat = (last: number) => Buffer.from([0x02 | last, 0x00, 0x10, 0x00]);
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58]);
    const zstandard = Buffer.concat([header, ...Array.from({ length: 1_000 }, () => repeat(0)), repeat(1)]);
    const ofZstandard = { schema, codec: 'zstandard', blocks: [{ count: 1, data: zstandard }] };
    expect(await readList(ofZstandard)).toBe('a block cannot be decompressed.');
  });

  test('many blocks, each of which is within bounds, end where their sum is not', async () => {
    const record = Buffer.concat([bytes(Buffer.alloc(60 * 1024 * 1024)), bytes('x')]);
    const block = { count: 1, data: deflateRawSync(record) };
    const blocks = Array.from({ length: 12 }, () => block);
    const content = { schema: listWith('bytes'), codec: 'deflate', blocks };
    expect(await readList(content)).toBe('it is too large when it is decompressed.');
  });

  test('literals of a negative length do not send snappy backwards', async () => {
    const data = Buffer.from([100, 0xfc, 0xfa, 0xff, 0xff, 0xff, ...Array.from({ length: 24 }, (_, index) => index)]);
    const file = { schema: MANIFEST_LIST, codec: 'snappy', blocks: [{ count: 1, data }] };
    expect(await readList(file)).toBe('a block cannot be decompressed.');
  });

  const nulls = { type: 'array', items: 'null' };
  const empty = { type: 'array', items: { type: 'record', name: 'e', fields: [] } };
  const strings = { type: 'array', items: 'string' };
  const booleans = { type: 'array', items: 'boolean' };
  test.each([
    ['nulls', nulls, 'it has more values than it has room for.'],
    ['empty records', empty, 'it has more values than it has room for.'],
    ['strings', strings, 'it ends too early.'],
  ])('an array that says it has 2^50 %s is left', async (_, type, problem) => {
    const blocks = [{ count: 1, data: Buffer.concat([long(2n ** 50n), Buffer.alloc(8)]) }];
    expect(await readList({ schema: listWith(type), blocks })).toBe(problem);
  });

  test('a record with tens of millions of values does not keep the others waiting', async () => {
    const values = Buffer.alloc(10_000_000);
    const data = Buffer.concat([long(values.length), values, long(0), bytes('x')]);
    expect(await readList({ schema: listWith(booleans), blocks: [{ count: 1, data }] })).toBe(
      'it has more values than it has room for.',
    );
  });

  test.each([
    ['more records than bytes', 2n ** 60n, 'a count or a size is out of range.'],
    ['as many records as fit in no memory', 2n ** 50n, 'a block has more records than it has room for.'],
    ['fewer than no records', -1n, 'a size is negative.'],
  ])('%s in a block are refused', async (_, count, problem) => {
    expect(await readList({ schema: MANIFEST_LIST, blocks: [{ count, data: bytes('x') }] })).toBe(problem);
  });

  test.each([
    ['longer than the file', 1_000n, 'it ends too early.'],
    ['of a negative size', -5n, 'a size is negative.'],
    ['of 2^62 bytes', 2n ** 62n, 'a count or a size is out of range.'],
  ])('a block %s is refused', async (_, size, problem) => {
    expect(await readList({ schema: MANIFEST_LIST, blocks: [{ count: 1, data: bytes('x'), size }] })).toBe(problem);
  });

  test('types that hold themselves are refused', async () => {
    const node = { type: 'record', name: 'n', fields: [{ name: 'next', type: ['null', 'n'] }] };
    const schema = listWith(node);
    expect(await readList({ schema, blocks: [{ count: 1, data: Buffer.alloc(100_000, 2) }] })).toBe(
      'its schema holds itself or does not define "n".',
    );
  });

  test('types that name each other twice, forty times over, are not unfolded', async () => {
    const pair = (name: string, type: unknown) => ({
      ...{ type: 'record', name },
      fields: [
        { name: 'a', type },
        { name: 'b', type: typeof type === 'string' ? type : (type as { name: string }).name },
      ],
    });
    let type: unknown = 'null';
    for (let level = 0; level < 40; level += 1) type = pair(`n${level}`, type);
    expect(await readList({ schema: listWith(type), blocks: [{ count: 1, data: bytes('x') }] })).toBe(
      'it has more values than it has room for.',
    );
  });

  test('a schema of a million brackets is refused', async () => {
    const deep = `${'['.repeat(500_000)}${']'.repeat(500_000)}`;
    expect(await readList({ schema: deep, blocks: [] })).toMatch(/^its schema is (?:not JSON|nested too deeply)\.$/);
    expect(await readList({ schema: `{"type":${'{"type":'.repeat(100)}"null"${'}'.repeat(101)}`, blocks: [] })).toBe(
      'its schema is nested too deeply.',
    );
  });

  test.each([
    ['null'],
    ['7'],
    ['"string"'],
    ['{}'],
    ['{"type":"record","name":"r"}'],
    ['{"type":"record","fields":[]}'],
  ])('the schema %s is refused', async (schema) => {
    expect(await readList({ schema, blocks: [{ count: 1, data: bytes('x') }] })).toEqual(expect.any(String));
  });

  test('a codec that is not known, a path of megabytes and a file of none are refused', async () => {
    expect(await readList({ schema: MANIFEST_LIST, codec: 'xz', blocks: [] })).toBe(
      'its codec is "xz", not null, deflate, snappy or zstandard.',
    );
    const path = bytes('x'.repeat(2_000_000));
    expect(await readList({ schema: MANIFEST_LIST, blocks: [{ count: 1, data: path }] })).toBe(
      'a path has more than 8192 bytes.',
    );
    expect(await read(readManifest(Buffer.alloc(0)))).toBe('it ends too early.');
    expect(await read(readManifest(Buffer.alloc(65 * 1024 * 1024)))).toBe('it has more than 67108864 bytes.');
  });
});
