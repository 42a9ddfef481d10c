import { coversScope } from '@pangolin/shared/contract/scopes';
import { PangolinError } from '@pangolin/shared/errors';
import type { Actor } from '../credentials/caller.ts';

export type CatalogAction = 'read' | 'write';

/**
 * The scope that an action on a namespace takes, such as `catalog:read:default.sales.eu`. What could be mistaken for the
 * syntax of scopes, or is not allowed in them, is percent-encoded: the one level `a.b` is `a%2Eb`. No levels: the whole catalog.
 */
const catalogScope = (action: CatalogAction, catalog: string, levels: readonly string[]): string =>
  `catalog:${action}:${[catalog, ...levels].map(encodePart).join('.')}`;

const encodePart = (part: string): string =>
  part.replace(/[%.:"\\]|[^!-~]/gu, (c) => (c === '.' ? '%2E' : encodeURIComponent(c)));

/** Whether an actor may read or write everything in a namespace, or in the catalog when no levels are given. */
export const mayAccess = (
  { scopes }: Actor,
  action: CatalogAction,
  catalog: string,
  levels: readonly string[],
): boolean => scopes.length === 0 || coversScope(scopes, catalogScope(action, catalog, levels));

/** Whether a namespace may be named to an actor: one it may access, or one on the way there. */
export function maySee(actor: Actor, catalog: string, levels: readonly string[]): boolean {
  return (['read', 'write'] as const).some(
    (action) =>
      mayAccess(actor, action, catalog, levels) ||
      actor.scopes.some((one) => one.startsWith(`${catalogScope(action, catalog, levels)}.`)),
  );
}

/** Throws `insufficient_scope`, naming the scope that would be needed, whether or not the namespace exists. */
export function requireAccess(actor: Actor, action: CatalogAction, catalog: string, levels: readonly string[]): void {
  if (mayAccess(actor, action, catalog, levels)) return;
  throw lacksScope(catalogScope(action, catalog, levels));
}

/**
 * Throws `insufficient_scope` where not even the name of a catalog or namespace may be told; `wanted` is what it is asked
 * for.
 */
export function requireSight(
  actor: Actor,
  catalog: string,
  levels: readonly string[],
  wanted: CatalogAction = 'read',
): void {
  if (maySee(actor, catalog, levels)) return;
  throw lacksScope(catalogScope(wanted, catalog, levels));
}

const lacksScope = (scope: string) =>
  new PangolinError('insufficient_scope', `The credential lacks the scope ${scope}.`, {
    hint: `Mint one that has it: pangolin-user get-token --scope ${scope}`,
  });
