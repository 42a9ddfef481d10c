import type { CreatedTenant, CreateTenant, Tenant, UpdateTenant } from '@pangolin/shared/contract/tenants';
import { PangolinError } from '@pangolin/shared/errors';
import { recordAudit } from '../audit/record.ts';
import type { Caller } from '../credentials/caller.ts';
import { transactAs } from '../credentials/recheck-credential.ts';
import type { Deps } from '../deps.ts';
import { requirePermission } from '../policies/permissions.ts';
import { endCredentials, findPrincipal } from '../principals/principals.ts';
import type { Executor } from '../store/schema.ts';
import { isDuplicate } from '../store/storage-errors.ts';
import { formatTime, wholeSecond } from '../times.ts';
import { foundTenant } from './found-tenant.ts';
import { requireTenant } from './read-tenant.ts';
import {
  findTenantByName,
  listCatalogsInUse,
  listRootsOf,
  markTenantDeleted,
  type TenantChange,
  type TenantRow,
  updateTenantRow,
} from './store.ts';
import { sweepTenant } from './sweep.ts';

/** Creates a tenant that can be used at once: its roles have their privileges, and it has a catalog. */
export async function createTenant(deps: Deps, caller: Caller, input: CreateTenant): Promise<CreatedTenant> {
  requirePermission(caller.actor, 'tenants:write');
  const row = {
    id: deps.newId(),
    name: input.name,
    description: input.description ?? null,
    created_at: deps.now(),
  };
  const catalog = await transactAs(
    deps,
    caller,
    async (tx) => {
      if (await findTenantByName(tx, row.name)) throw nameTaken(row.name);
      const { catalogName } = await foundTenant(tx, row, deps.newId);
      await record(tx, deps, caller, 'tenant.created', row, { description: row.description, catalog: catalogName });
      return catalogName;
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(row.name) : error;
  });
  return { ...presentTenant(row), default_catalog: catalog };
}

/** Changes what a tenant is called, or what is said of it. */
export async function updateTenant(deps: Deps, caller: Caller, id: string, input: UpdateTenant): Promise<Tenant> {
  requirePermission(caller.actor, 'tenants:write');
  return transactAs(
    deps,
    caller,
    async (tx) => {
      const row = await requireTenant(tx, id.toLowerCase());
      const change: TenantChange = {};
      if (input.name !== undefined && input.name !== row.name) {
        if (await findTenantByName(tx, input.name)) throw nameTaken(input.name);
        change.name = input.name;
      }
      if (input.description !== undefined) change.description = input.description;
      if (Object.keys(change).length > 0) {
        await updateTenantRow(tx, row.id, change);
        await record(tx, deps, caller, 'tenant.updated', row, { changed: change });
      }
      return presentTenant({ ...row, ...change });
    },
    { credentials: 'unchanged' },
  ).catch((error) => {
    throw isDuplicate(error) ? nameTaken(input.name ?? '') : error;
  });
}

/**
 * Deletes a tenant that has no tables. One short commit ends every credential in it, however many there are; its rows are
 * removed afterwards, some at a time. Its audit events stay.
 */
export async function deleteTenant(deps: Deps, caller: Caller, id: string): Promise<void> {
  const { actor } = caller;
  requirePermission(actor, 'tenants:write');
  const tenantId = id.toLowerCase();
  await transactAs(deps, caller, async (tx) => {
    const row = await requireTenant(tx, tenantId);
    if (row.id === deps.installation.defaultTenantId) {
      throw new PangolinError('conflict', `${quote(row.name)} is the default tenant, which cannot be deleted.`, {
        hint: `It can be renamed: pangolin-admin update-tenant --id ${row.id} --name NAME`,
      });
    }
    if ((await findPrincipal(tx, { id: actor.id }))?.tenantId === row.id) {
      throw new PangolinError(
        'conflict',
        `You belong to the tenant ${quote(row.name)}, and would be deleted with it.`,
        {
          hint: 'Ask root of another tenant, or use pangolin-admin on the data directory.',
        },
      );
    }
    await refuseTables(tx, row);
    // Root acts in every tenant: what they obtained elsewhere does not end with the tenant.
    for (const root of await listRootsOf(tx, row.id)) await endCredentials(tx, root, { at: deps.now(), by: actor.id });
    await markTenantDeleted(tx, row.id, deps.now());
    await record(tx, deps, caller, 'tenant.deleted', row, {});
  });
  deps.iceberg.background.add(sweepTenant(deps, tenantId));
}

const MOST_NAMED = 3;

async function refuseTables(tx: Executor, row: TenantRow): Promise<void> {
  const inUse = await listCatalogsInUse(tx, row.id, MOST_NAMED + 1);
  if (inUse.length === 0) return;
  const named = inUse.slice(0, MOST_NAMED).map(({ name }) => quote(name));
  const more = inUse.length > MOST_NAMED ? ' and others' : '';
  throw new PangolinError(
    'conflict',
    `The tenant ${quote(row.name)} still has namespaces, in ${named.length + (more ? 1 : 0) === 1 ? 'its catalog' : 'its catalogs'} ${named.join(', ')}${more}.`,
    {
      hint:
        'Drop their tables, views and namespaces with an Iceberg client first. A token for that: ' +
        `pangolin-user get-token --role tenant-admin --tenant-id ${row.id}`,
    },
  );
}

export const presentTenant = (row: TenantRow): Tenant => ({
  id: row.id,
  name: row.name,
  description: row.description,
  created_at: formatTime(wholeSecond(row.created_at)),
});

const record = (
  tx: Executor,
  deps: Deps,
  caller: Caller,
  action: string,
  row: Pick<TenantRow, 'id' | 'name'>,
  details: Record<string, unknown>,
) =>
  recordAudit(
    tx,
    deps,
    caller,
    { action, resourceType: 'tenant', resourceId: row.id, resourceName: row.name, details },
    { chain: 'system' },
  );

const quote = (name: string) => JSON.stringify(name);

const nameTaken = (name: string) =>
  new PangolinError('conflict', `There is a tenant named ${quote(name)} already.`, {
    hint: 'Choose another name, or see it: pangolin-admin list-tenants',
  });
