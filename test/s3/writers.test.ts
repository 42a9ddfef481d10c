import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Python } from '../interop/python.ts';
import { type Lake, openLake } from './lake.ts';

let lake: Lake;
let writers: Python[];
beforeAll(async () => {
  lake = await openLake();
  const other = await lake.startAnother();
  const mine = lake.as(lake.token);
  const theirs = { ...mine, uri: `${other.origin}/v1/lake` };
  const settings = [mine, theirs, mine];
  writers = settings.map(() => lake.openPython());
  await Promise.all(writers.map((one, index) => one.call('connect', settings[index])));
});
afterAll(async () => {
  await Promise.all((writers ?? []).map((one) => one.close()));
  await lake?.close();
});

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

/** The metadata files of a table: those that it leads to, and those that are in the bucket. */
async function listMetadata(table: string) {
  const { text } = await lake.send(`namespaces/crowded/tables/${table}`);
  const { 'metadata-location': current, metadata } = JSON.parse(text);
  const before: string[] = metadata['metadata-log'].map((entry: { 'metadata-file': string }) => entry['metadata-file']);
  const found = (await lake.keys(`wh/crowded/${table}/metadata/`)).filter((key) => key.endsWith('.metadata.json'));
  return { led: [...before, current].sort(), found: found.map((key) => `s3://lake/${key}`).sort() };
}

describe('three processes that write to one table on S3 through two servers', () => {
  test('every row that was appended is there once, in as many snapshots, and no metadata file too many', async () => {
    const name = 'crowded.people';
    await writers[0]?.call('create', { name, numbers: [0] });
    await Promise.all(writers.map((one, index) => one.call('append_each', { name, numbers: range(1 + 6 * index, 6) })));
    for (const one of writers) expect(await one.call('read', { name })).toEqual(range(0, 19));
    expect(await writers[0]?.call('snapshots', { name })).toBe(19);
    const { led, found } = await listMetadata('people');
    expect(led).toHaveLength(20);
    expect(found).toEqual(led);
  });

  test('every property that was set is there, none conflicting', async () => {
    const name = 'crowded.settings';
    await writers[0]?.call('create', { name, numbers: [0] });
    await Promise.all(writers.map((one, index) => one.call('set_each', { name, prefix: `w${index}.`, count: 12 })));
    const properties = (await writers[0]?.call('properties', { name })) as Record<string, string>;
    const set = Object.entries(properties).filter(([key]) => /^w\d\./.test(key));
    expect(set.sort()).toEqual([0, 1, 2].flatMap((w) => range(0, 12).map((n) => [`w${w}.${n}`, `${n}`])).sort());
    const { led, found } = await listMetadata('settings');
    expect(led).toHaveLength(38);
    expect(found).toEqual(led);
  });

  test('of those that create one table at once exactly one does, and its table is whole', async () => {
    const name = 'crowded.contended';
    const outcomes = await Promise.allSettled(
      writers.map((one, index) => one.call('create', { name, numbers: [index] })),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const outcome of outcomes.filter(({ status }) => status === 'rejected')) {
      expect(outcome).toMatchObject({ reason: { name: 'TableAlreadyExistsError' } });
    }
    expect(await writers[0]?.call('read', { name })).toEqual([
      outcomes.findIndex(({ status }) => status === 'fulfilled'),
    ]);
  });
});
