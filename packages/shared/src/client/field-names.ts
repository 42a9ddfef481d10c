/** Fields whose content is the caller's own and keeps its spelling. */
const OPAQUE = new Set(['details']);

/** Keys that are names of roles, not of fields, whichever case fields are in. */
const NAMES = new Set(['tenant-user', 'tenant-admin']);

/** Renames every key of a JSON value, at any depth, but not inside `details`. */
export function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => renameKeys(one, rename));
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      NAMES.has(key) ? key : rename(key),
      OPAQUE.has(key) ? inner : renameKeys(inner, rename),
    ]),
  );
}

/** Reads kebab-case keys as snake_case: existing Pangolin servers spell some of their answers so. */
export const readKebabKeys = (value: unknown): unknown => renameKeys(value, (key) => key.replaceAll('-', '_'));
