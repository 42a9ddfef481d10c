import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTimeFormatter, formatTime } from '../../packages/server/src/times.ts';

test('many times are written as each would be by itself', () => {
  const format = createTimeFormatter();
  const near = fc.integer({ min: 1_800_000_000_000, max: 1_800_000_200_000 });
  const any = fc.integer({ min: -8_640_000_000_000_000, max: 8_640_000_000_000_000 });
  fc.assert(
    fc.property(fc.array(fc.oneof(near, any)), (times) => {
      expect(times.map(format)).toEqual(times.map(formatTime));
    }),
  );
});
