/**
 * A path under /v1 without doubled slashes: some Iceberg clients put one between an address that ends with one and their
 * path. After `namespaces` it would be an empty name, and is left.
 */
export function mergeSlashes(path: string): string {
  if (!path.includes('//') || !/^\/+v1\//.test(path)) return path;
  const names = path.search(/\/namespaces(?:\/|$)/);
  const base = names < 0 ? path : path.slice(0, names);
  return (base + (names < 0 ? '' : path.slice(names))).replace(/\/{2,}/g, (slashes, at: number) =>
    at < base.length ? '/' : slashes,
  );
}
