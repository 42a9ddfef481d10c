/** Fields whose content is the caller's own and keeps its spelling. */
const OPAQUE = new Set(['details']);

/** Renames every key of a JSON value, at any depth, but not inside `details`. */
export function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => renameKeys(one, rename));
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [rename(key), OPAQUE.has(key) ? inner : renameKeys(inner, rename)]),
  );
}

/** Reads kebab-case keys as snake_case: existing Pangolin servers spell some of their answers so. */
export const readKebabKeys = (value: unknown): unknown => renameKeys(value, (key) => key.replaceAll('-', '_'));
