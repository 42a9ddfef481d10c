import * as z from 'zod/mini';

/**
 * What a credential may be narrowed to. A credential without scopes carries everything its role allows; with scopes it
 * carries these alone, and cannot manage users, service users, catalogs or settings.
 * Catalog scopes may name a catalog or a namespace: `catalog:read:default.sales`.
 */
export const SCOPES = ['catalog:read', 'catalog:write', 'tokens:read', 'tokens:write'] as const;
export type ScopeName = (typeof SCOPES)[number];

const shape = /^(?:catalog|tokens:(?:read|write)|catalog:(?:read|write)(?::[!#-9;-[\]-~]{1,400})?)$/;

/** One scope (RFC 6749 §3.3 characters); `catalog` means both `catalog:read` and `catalog:write`. */
export const scope = z
  .string()
  .check(
    z.regex(
      shape,
      `must be one of catalog, ${SCOPES.join(', ')}, or a catalog scope such as catalog:read:default.sales`,
    ),
  );

/** At most 32 scopes; an empty list narrows nothing. */
export const scopes = z.array(scope).check(z.maxLength(32));

/** Spells scopes out: `catalog` becomes its two halves, duplicates go, order is stable. */
export const expandScopes = (scopes: readonly string[]): string[] =>
  [...new Set(scopes.flatMap((one) => (one === 'catalog' ? ['catalog:read', 'catalog:write'] : [one])))].sort();

/** Whether `held` (empty: everything) includes `wanted`; `catalog:read` includes `catalog:read:default.sales`. */
export const coversScope = (held: readonly string[], wanted: string): boolean =>
  held.length === 0 ||
  held.some(
    (one) =>
      one === wanted ||
      (one === 'catalog:read' || one === 'catalog:write'
        ? wanted.startsWith(`${one}:`)
        : one.startsWith('catalog:') && wanted.startsWith(`${one}.`)),
  );

/** Whether a credential holding `held` may hand out `wanted`; nobody hands out more than they hold. */
export const coversScopes = (held: readonly string[], wanted: readonly string[]): boolean =>
  held.length === 0 || (wanted.length > 0 && wanted.every((one) => coversScope(held, one)));
