import { PangolinError } from '@pangolin/shared/contract';
import { expect, test } from 'vitest';
import { createPasswords } from '../../../packages/server/src/users/passwords.ts';

/** What became of a check: whether it was made, or why not. */
const outcome = (check: Promise<boolean>): Promise<string> =>
  check.then(
    () => 'checked',
    (error) => {
      if (error instanceof PangolinError) return error.code;
      throw error;
    },
  );

test('senders who fill the line of logins shut nobody out who stands in it less', async () => {
  const { verify } = createPasswords();
  const crowd = Array.from({ length: 9 }, (_, sender) =>
    Array.from({ length: 8 }, () => outcome(verify(null, 'a guess', `192.0.2.${sender}`))),
  ).flat();
  const others = ['198.51.100.1', '2001:db8::1', '2001:db8:0:1::1'];
  const logins = others.map((address) => outcome(verify(null, 'a password', address)));
  expect(await Promise.all(logins)).toEqual(['checked', 'checked', 'checked']);
  const rest = await Promise.all(crowd);
  expect(rest).toContain('checked');
  expect(rest).toContain('too_many_requests');
});

test('one sender alone, whatever address of its network it takes, waits in a line of its own', async () => {
  const { verify } = createPasswords();
  const flood = Array.from({ length: 80 }, (_, i) => outcome(verify(null, 'a guess', `2001:db8::${i}`)));
  const other = outcome(verify(null, 'a password', '192.0.2.1'));
  expect(await other).toBe('checked');
  const outcomes = await Promise.all(flood);
  expect(outcomes.filter((one) => one === 'checked')).toHaveLength(68);
  expect(outcomes.filter((one) => one === 'too_many_requests')).toHaveLength(12);
});

test('however many senders fill the line, whoever logged in before goes first, and so does a password that is set', async () => {
  const { hash, verify } = createPasswords();
  const stored = await hash('the right one');
  expect(await verify(stored, 'the right one', '198.51.100.1')).toBe(true);
  const crowd = Array.from({ length: 120 }, (_, sender) => outcome(verify(stored, 'a guess', `192.0.2.${sender}`)));
  const stranger = outcome(verify(stored, 'the right one', '198.51.100.2'));
  const known = outcome(verify(stored, 'the right one', '198.51.100.1'));
  const set = hash('another').then(() => 'set');
  expect(await Promise.all([known, set])).toEqual(['checked', 'set']);
  expect(await stranger).toBe('unavailable');
  expect((await Promise.all(crowd)).filter((one) => one === 'unavailable').length).toBeGreaterThan(80);
});
