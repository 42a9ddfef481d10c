import { expect, test } from 'vitest';
import { createCommitChains, type Expected } from '../../../packages/server/src/iceberg/commit-chains.ts';

const expected = (location: string) => ({ row: { id: 'a', metadata_location: location } }) as Expected;
const on = (...keys: string[]) => new Map(keys.map((key) => [key, expected(key)]));

/** Whether a promise has resolved by now. */
async function isGiven(promise: Promise<unknown>): Promise<boolean> {
  let given = false;
  void promise.then(() => {
    given = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return given;
}

test('the last commit under way is what is expected, until it has ended', () => {
  const chains = createCommitChains();
  const [one, two] = [expected('1'), expected('2')];
  const first = chains.join(new Map([['k', one]]));
  const second = chains.join(new Map([['k', two]]));
  expect(chains.find('k')).toBe(two);
  first.end(true);
  expect(chains.find('k')).toBe(two);
  second.end(true);
  expect(chains.find('k')).toBeUndefined();
  expect(chains.find('other')).toBeUndefined();
});

test('after a failure nothing is expected any more, though later ones are still under way', () => {
  const chains = createCommitChains();
  const first = chains.join(on('k', 'l'));
  const second = chains.join(on('k'));
  first.end(false);
  expect([chains.find('k'), chains.find('l')]).toEqual([undefined, undefined]);
  const third = chains.join(on('k'));
  second.end(true);
  expect(chains.find('k')).toBeDefined();
  third.end(true);
  expect(chains.find('k')).toBeUndefined();
});

test('the turn comes when all before it on any key have passed it on, or ended', async () => {
  const chains = createCommitChains();
  const [a, b] = [chains.join(on('a')), chains.join(on('b'))];
  const both = chains.join(on('a', 'b'));
  const last = chains.join(on('b'));
  expect(await isGiven(a.turn)).toBe(true);
  a.pass();
  expect(await isGiven(both.turn)).toBe(false);
  b.end(false);
  expect(await isGiven(both.turn)).toBe(true);
  both.pass();
  expect(await isGiven(last.turn)).toBe(true);
});

test('there is room for sixteen, and all is settled when the last has ended', async () => {
  const chains = createCommitChains();
  const places = Array.from({ length: 15 }, () => chains.join(on('k')));
  expect(await isGiven(chains.makeRoom(['k']))).toBe(true);
  places.push(chains.join(on('k')));
  const room = chains.makeRoom(['other', 'k']);
  const settled = chains.settle(['k']);
  expect(await isGiven(room)).toBe(false);
  places.shift()?.end(true);
  expect(await isGiven(room)).toBe(true);
  for (const place of places) place.end(true);
  expect(await isGiven(settled)).toBe(true);
});
