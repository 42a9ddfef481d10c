import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lakehouse, openLakehouse } from './lakehouse.ts';
import { openPython, type Python } from './python.ts';

let lakehouse: Lakehouse;
let writers: Python[];
beforeAll(async () => {
  lakehouse = await openLakehouse();
  const { box, settings } = lakehouse;
  writers = [0, 1].map(() => openPython('session.py', box.home, settings));
  await Promise.all(writers.map((one) => one.call('connect', settings.properties)));
});
afterAll(async () => {
  await Promise.all((writers ?? []).map((one) => one.close()));
  await lakehouse?.close();
});

const range = (from: number, count: number) => Array.from({ length: count }, (_, index) => from + index);

describe('two processes that write to one table at once', () => {
  test('30 appends, 15 each: every row is there once, in 31 snapshots', async () => {
    const name = 'crowded.people';
    await writers[0]?.call('create', { name, numbers: [0] });
    await Promise.all(
      writers.map((one, index) => one.call('append_each', { name, numbers: range(1 + 15 * index, 15) })),
    );
    expect(await writers[0]?.call('read', { name })).toEqual(range(0, 31));
    expect(await writers[1]?.call('snapshots', { name })).toBe(31);
  });

  test('40 changes of properties, 20 each, none conflicting: every one is there without a client’s retry', async () => {
    const name = 'crowded.settings';
    await writers[0]?.call('create', { name, numbers: [0] });
    await Promise.all(writers.map((one, index) => one.call('set_each', { name, prefix: `w${index}.`, count: 20 })));
    const found = (await writers[0]?.call('properties', { name })) as Record<string, string>;
    const expected = [0, 1].flatMap((index) => range(0, 20).map((number) => [`w${index}.${number}`, `${number}`]));
    expect(
      Object.entries(found)
        .filter(([key]) => key.startsWith('w'))
        .filter(([key]) => !key.startsWith('write'))
        .sort(),
    ).toEqual(expected.sort());
  });

  test('of two processes that create the same table at once one succeeds, and its table is whole', async () => {
    const name = 'crowded.contended';
    const outcomes = await Promise.allSettled(writers.map((one) => one.call('create', { name, numbers: [1] })));
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({ name: 'TableAlreadyExistsError' });
    expect(await writers[0]?.call('read', { name })).toEqual([1]);
  });

  test('a reader beside a writer always reads a whole state: as many rows as commits', async () => {
    const name = 'crowded.watched';
    const [writer, reader] = writers;
    await writer?.call('create', { name, numbers: [0] });
    let writing = true;
    const written = writer?.call('append_each', { name, numbers: range(1, 10) }).finally(() => {
      writing = false;
    });
    const seen: number[] = [];
    while (writing) {
      const rows = (await reader?.call('read', { name })) as number[];
      expect(rows).toEqual(range(0, rows.length));
      seen.push(rows.length);
    }
    await written;
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(await reader?.call('read', { name })).toEqual(range(0, 11));
  });
});
