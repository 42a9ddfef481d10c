import { PangolinError } from '@pangolin/shared/errors';
import type { Caller } from '../credentials/caller.ts';
import type { Deps } from '../deps.ts';
import { requireSight } from '../policies/catalog-access.ts';
import { type Answer, answerJson } from './answer.ts';
import { openCatalog } from './catalog.ts';
import { ADVERTISED } from './endpoints.ts';

/**
 * `GET /v1/config`. A client that named its catalog in the path needs no prefix, and would double the path with one; a
 * client that names it as its warehouse is told which prefix to use.
 */
export async function answerConfig(
  deps: Deps,
  caller: Caller,
  catalog: string | null,
  warehouse: string | undefined,
): Promise<Answer> {
  const name = catalog ?? warehouse;
  if (name === '') throw new PangolinError('warehouse_not_found', 'Warehouse does not exist: it has no name');
  if (name !== undefined) {
    requireSight(caller.actor, name, []);
    await openCatalog(deps, caller, name);
  }
  const overrides = catalog === null && name !== undefined ? { prefix: name } : {};
  return answerJson({ defaults: {}, overrides, endpoints: ADVERTISED });
}
