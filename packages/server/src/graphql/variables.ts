import { PangolinError } from '@pangolin/shared/errors';

/** Values of all kinds, at all levels: what is wrong with them is told by repeating them, up to fifty times. */
const MAX_VALUES = 2_000;

const MAX_DEPTH = 20;

/** Refuses variables that are larger or deeper than any operation takes. Throws `invalid_request`. */
export function requireSmall(variables: unknown): void {
  let left = MAX_VALUES;

  function count(value: unknown, depth: number): void {
    if (typeof value !== 'object' || value === null) return;
    if (depth > MAX_DEPTH)
      throw new PangolinError('invalid_request', `The variables are nested deeper than ${MAX_DEPTH} levels.`);
    const inner: unknown[] = Object.values(value);
    left -= inner.length;
    if (left < 0) throw new PangolinError('invalid_request', 'The variables hold more than 2,000 values.');
    for (const one of inner) count(one, depth + 1);
  }

  count(variables, 1);
}
